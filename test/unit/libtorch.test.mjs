// lib/libtorch/load.ts: where libtorch is looked for and what is said when it cannot be used. Loading happens in child
// processes, because a library that was opened stays.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import candidates from '../../dist/libtorch/candidates.js';
import libc from '../../dist/libtorch/libc.js';
import manifest from '../../dist/libtorch/manifest.js';
import open from '../../dist/libtorch/open.js';
import floors from '../../dist/libtorch/requirements.js';
import { root } from '../support.mjs';
import { loadingLibtorch, real } from './libtorch-loading.mjs';

const { libtorchCandidates } = candidates;
const { pin, platform } = manifest;

describe('libtorch', () => {
  const loading = loadingLibtorch();

  /** The version that is read from a folder which holds nothing but `files` and the libraries. */
  function versionWith(files) {
    fs.rmSync(path.join(loading.fake, 'version.py'));
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(loading.fake, name)), { recursive: true });
      fs.writeFileSync(path.join(loading.fake, name), text);
    }
    const before = process.env.TORCH_INCREMENTAL_LIBTORCH;
    process.env.TORCH_INCREMENTAL_LIBTORCH = loading.fake;
    try {
      return libtorchCandidates()[0].version;
    } finally {
      if (before === undefined) delete process.env.TORCH_INCREMENTAL_LIBTORCH;
      else process.env.TORCH_INCREMENTAL_LIBTORCH = before;
    }
  }

  it('is taken from TORCH_INCREMENTAL_LIBTORCH before LIBTORCH', () => {
    assert.equal(loading.load({ TORCH_INCREMENTAL_LIBTORCH: real, LIBTORCH: loading.fake }).folder, real);
    assert.match(
      loading.load({ TORCH_INCREMENTAL_LIBTORCH: loading.fake, LIBTORCH: real }).message,
      /TORCH_INCREMENTAL_LIBTORCH names/,
    );
  });

  it('named by the user is never replaced by another when it cannot be used', () => {
    const link = path.join(loading.folder, 'cache/torch-incremental/libtorch');
    fs.mkdirSync(link, { recursive: true });
    fs.symlinkSync(real, path.join(link, `${pin.version}+cpu`));
    const env = { XDG_CACHE_HOME: path.join(loading.folder, 'cache') };
    assert.equal(loading.load(env).folder, path.join(link, `${pin.version}+cpu`));

    const { code, message } = loading.load({ ...env, LIBTORCH: path.join(loading.folder, 'nowhere') });
    assert.equal(code, 'ERR_LIBTORCH_NOT_FOUND');
    assert.match(message, /LIBTORCH \(.*nowhere\): no such folder/);
    assert.match(message, /unset LIBTORCH/);
  });

  it('that is nowhere is reported with every place that was looked at and what to do', () => {
    const { code, message } = loading.load({});
    assert.equal(code, 'ERR_LIBTORCH_NOT_FOUND');
    assert.match(
      message,
      /TORCH_INCREMENTAL_LIBTORCH: not set\n {2}LIBTORCH: not set\n {2}cache \(.*no cache.*\): no such folder/,
    );
    assert.match(message, /@torch-incremental\/libtorch-.*: not installed/);
    assert.match(message, /- npm install @torch-incremental\/libtorch-.*@.*: npm leaves this optional dependency out/);
    assert.match(message, /- npx torch-incremental libtorch install/);
  });

  it('of another version is refused before it is opened', () => {
    loading.sayVersion('2.11.0+cu128');
    const { code, message } = loading.load({ LIBTORCH: loading.fake });
    assert.equal(code, 'ERR_LIBTORCH_VERSION');
    assert.ok(message.includes(`is version 2.11.0+cu128; ${pin.version} is needed`), message);
  });

  it('of another version is opened when the version check is switched off', () => {
    loading.sayVersion('2.11.0');
    const env = { LIBTORCH: loading.fake, TORCH_INCREMENTAL_BYPASS_VERSION_CHECK: '1' };
    assert.equal(loading.load(env).code, 'ERR_LIBTORCH_LOAD');
  });

  it('without one of its libraries is refused by its name', () => {
    fs.rmSync(path.join(loading.fake, 'lib/libtorch_cpu.so'));
    assert.match(loading.load({ LIBTORCH: loading.fake }).message, /has no lib\/libtorch_cpu\.so/);
  });

  it('that is broken gives ERR_LIBTORCH_LOAD with what the dynamic linker said', () => {
    const { code, message, attempts, remedies } = loading.load({ LIBTORCH: loading.fake });
    assert.equal(code, 'ERR_LIBTORCH_LOAD');
    assert.match(message, /does not load: .*libtorch\.so: file too short/);
    const [{ reason, ...attempt }, ...others] = attempts;
    assert.deepEqual(
      [attempt, others],
      [{ source: 'LIBTORCH', folder: loading.fake, found: `${pin.version}+cpu`, needed: pin.version, code }, []],
    );
    assert.ok(message.includes(reason) && remedies.every((remedy) => message.includes(remedy)));
    assert.match(remedies[0], /unset LIBTORCH/);
  });

  it('of npm whose library was cut is refused for its size, and never opened', () => {
    const name = `@torch-incremental/libtorch-${platform}-cpu`;
    const installed = path.join(loading.folder, 'node_modules', name);
    fs.cpSync(loading.fake, installed, { recursive: true });
    fs.writeFileSync(path.join(installed, 'package.json'), '{}');
    const { code, message, attempts, remedies } = loading.load({
      NODE_PATH: path.join(loading.folder, 'node_modules'),
    });
    assert.equal(code, 'ERR_LIBTORCH_LOAD');
    assert.match(message, /libtorch-.* \(.*\): lib\/libtorch\.so has 10 bytes instead of \d+: it was cut or replaced/);
    assert.match(remedies[0], /remove .*node_modules.* and install again/);
    assert.deepEqual(
      attempts.map(({ source, code: each }) => [source, each]),
      [
        ['TORCH_INCREMENTAL_LIBTORCH', 'ERR_LIBTORCH_NOT_FOUND'],
        ['LIBTORCH', 'ERR_LIBTORCH_NOT_FOUND'],
        ['cache', 'ERR_LIBTORCH_NOT_FOUND'],
        [name, 'ERR_LIBTORCH_LOAD'],
      ],
    );
  });

  it('of the cache whose library was cut is refused with what the dynamic linker said', () => {
    const cache = path.join(loading.folder, 'cache/torch-incremental/libtorch', `${pin.version}+cpu`);
    fs.cpSync(loading.fake, cache, { recursive: true });
    const { code, message } = loading.load({ XDG_CACHE_HOME: path.join(loading.folder, 'cache') });
    assert.equal(code, 'ERR_LIBTORCH_LOAD');
    assert.match(message, /cache \(.*\): does not load: .*libtorch\.so: file too short/);
  });

  it('whose library is older than its version file says is refused', function () {
    const source = path.join(loading.folder, 'old.cc');
    fs.writeFileSync(source, 'extern "C" unsigned long aoti_torch_abi_version() { return 2ul << 56 | 11ul << 48; }');
    const output = path.join(loading.fake, 'lib/libtorch.so');
    if (spawnSync('c++', ['-shared', '-fPIC', source, '-o', output]).status !== 0) this.skip();
    const { code, message } = loading.load({ LIBTORCH: loading.fake });
    assert.equal(code, 'ERR_LIBTORCH_VERSION');
    assert.match(message, /holds a library of version 2\.11/);
  });

  it('is taken from the npm package of the platform when the cache cannot be used', () => {
    const modules = path.join(loading.folder, 'node_modules');
    const name = `@torch-incremental/libtorch-${platform}-cpu`;
    fs.mkdirSync(path.join(modules, name), { recursive: true });
    fs.writeFileSync(path.join(modules, name, 'package.json'), '{}');
    fs.symlinkSync(path.join(real, 'lib'), path.join(modules, name, 'lib'));
    fs.writeFileSync(path.join(modules, name, 'build-version'), pin.version);
    const cache = path.join(loading.folder, 'cache/torch-incremental/libtorch');
    fs.mkdirSync(cache, { recursive: true });
    fs.renameSync(loading.fake, path.join(cache, `${pin.version}+cpu`));
    const env = { XDG_CACHE_HOME: path.join(loading.folder, 'cache'), NODE_PATH: modules };
    assert.equal(loading.load(env).folder, fs.realpathSync(path.join(modules, name)));
  });

  it('is found by a Node that may read little else', () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
    const readable = new Set([path.dirname(loading.dist), path.resolve('build'), fs.realpathSync(real), real]);
    const options = [flag, '--allow-addons', ...[...readable].map((folder) => `--allow-fs-read=${folder}/*`)];
    // Quoted, because the folders have spaces.
    const quoted = options.map((option) => JSON.stringify(option)).join(' ');
    const env = { LIBTORCH: real, NODE_OPTIONS: quoted, NODE_NO_WARNINGS: '1' };
    assert.equal(loading.load(env).folder, real);
  });

  it('is looked for beside an archive of Electron, in which nothing can be opened', () => {
    const name = 'node_modules/@torch-incremental/libtorch-linux-x64-cpu';
    assert.equal(
      candidates.unpacked(`/opt/app.asar.d/resources/app.asar/${name}`),
      `/opt/app.asar.d/resources/app.asar.unpacked/${name}`,
    );
    assert.equal(candidates.unpacked(`/opt/app/${name}`), `/opt/app/${name}`);
  });

  it('says its version in the file of the zip, of the wheel, or in its headers', () => {
    assert.equal(versionWith({ 'version.py': "__version__ = '2.13.0a0+git1234'\n" }), '2.13.0a0+git1234');
    const header = '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 1\n';
    assert.equal(versionWith({ 'version.py': '', 'include/torch/headeronly/version.h': header }), '2.13.1');
    assert.equal(versionWith({ 'build-version': '2.13.0+cu128\n' }), '2.13.0+cu128');
  });
});

describe('the processor', () => {
  it('without instructions of libtorch is refused by their names, before anything is opened', () => {
    assert.throws(() => open.checkProcessor(['sse4_2', 'popcnt']), {
      code: 'ERR_UNSUPPORTED_PLATFORM',
      message: /needs a processor with ssse3, .*; this one has no sse4_2, popcnt\./,
    });
    open.checkProcessor([]);
  });

  it('is asked for the instructions that the message names and doctor looks for', () => {
    const loader = fs.readFileSync(path.join(root, 'src/loader/loader.cc'), 'utf8');
    const asked = [...loader.matchAll(/need\(__builtin_cpu_supports\("[^"]+"\), "([^"]+)"\)/g)].map(([, name]) => name);
    assert.deepEqual(asked, [...floors.processorFloor]);
  });
});

describe('the C library', () => {
  it('that is musl or an old glibc is distinguished from one that does', () => {
    assert.match(libc.unsuitableLibc({ glibc: undefined }), /needs glibc 2\.28 or newer/);
    assert.match(libc.unsuitableLibc({ glibc: '2.17' }), /needs glibc 2\.28 or newer/);
    assert.equal(libc.unsuitableLibc({ glibc: '2.28' }), null);
    assert.equal(libc.unsuitableLibc({ glibc: '2.100' }), null);
    assert.equal(libc.unsuitableLibc(), null);
  });
});
