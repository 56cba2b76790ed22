// lib/libtorch.ts: where libtorch is looked for and what is said when it cannot be used. Loading happens in child
// processes, because a library that was opened stays.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import candidates from '../../dist/libtorch/candidates.js';
import manifest from '../../dist/libtorch/manifest.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { libtorchCandidates } = candidates;
const { pin, platform } = manifest;
const real = libtorchCandidates().find(({ problem }) => problem === null)?.folder;

describe('libtorch', () => {
  let folder;
  let fake;
  let dist;

  // A copy elsewhere, as of an installed package: a checkout has the platform's package beside it, as a workspace.
  before(() => {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'torch incremental copy-'));
    for (const name of ['dist', 'libtorch.json', 'package.json'])
      fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
    dist = path.join(copy, 'dist');
  });

  after(() => fs.rmSync(path.dirname(dist), { recursive: true }));

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch incremental é-'));
    fake = path.join(folder, 'libtorch');
    fs.mkdirSync(path.join(fake, 'lib'), { recursive: true });
    for (const name of ['libtorch.so', 'libtorch_cpu.so', 'libc10.so'])
      fs.writeFileSync(path.join(fake, 'lib', name), 'no library');
    sayVersion(`${pin.version}+cpu`);
  });

  afterEach(() => fs.rmSync(folder, { recursive: true }));

  function sayVersion(version) {
    fs.writeFileSync(path.join(fake, 'version.py'), `from typing import Optional\n__version__ = '${version}'\n`);
  }

  /** Loads libtorch in a fresh process; answers { folder } or { code, message }. */
  function load(env) {
    const script = `
      try {
        const folder = require(${JSON.stringify(path.join(dist, 'libtorch.js'))}).loadLibtorch();
        console.log(JSON.stringify({ folder }));
      } catch (error) {
        console.log(JSON.stringify({ code: error.code, message: error.message }));
      }`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { env: cleanEnv(env), encoding: 'utf8' });
    assert.equal(stderr, '');
    return JSON.parse(stdout);
  }

  function cleanEnv(env) {
    const { TORCH_INCREMENTAL_LIBTORCH, LIBTORCH, TORCH_INCREMENTAL_BYPASS_VERSION_CHECK, ...rest } = process.env;
    const addon = path.join(root, 'build', 'Release');
    return { ...rest, TORCH_INCREMENTAL_ADDON: addon, XDG_CACHE_HOME: path.join(folder, 'no cache'), ...env };
  }

  /** The version that is read from a folder which holds nothing but `files` and the libraries. */
  function versionWith(files) {
    fs.rmSync(path.join(fake, 'version.py'));
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(fake, name)), { recursive: true });
      fs.writeFileSync(path.join(fake, name), text);
    }
    const before = process.env.TORCH_INCREMENTAL_LIBTORCH;
    process.env.TORCH_INCREMENTAL_LIBTORCH = fake;
    try {
      return libtorchCandidates()[0].version;
    } finally {
      if (before === undefined) delete process.env.TORCH_INCREMENTAL_LIBTORCH;
      else process.env.TORCH_INCREMENTAL_LIBTORCH = before;
    }
  }

  it('is taken from TORCH_INCREMENTAL_LIBTORCH before LIBTORCH', () => {
    assert.equal(load({ TORCH_INCREMENTAL_LIBTORCH: real, LIBTORCH: fake }).folder, real);
    assert.match(
      load({ TORCH_INCREMENTAL_LIBTORCH: fake, LIBTORCH: real }).message,
      /TORCH_INCREMENTAL_LIBTORCH names/,
    );
  });

  it('named by the user is never replaced by another when it cannot be used', () => {
    const link = path.join(folder, 'cache/torch-incremental/libtorch');
    fs.mkdirSync(link, { recursive: true });
    fs.symlinkSync(real, path.join(link, `${pin.version}+cpu`));
    const env = { XDG_CACHE_HOME: path.join(folder, 'cache') };
    assert.equal(load(env).folder, path.join(link, `${pin.version}+cpu`));

    const { code, message } = load({ ...env, LIBTORCH: path.join(folder, 'nowhere') });
    assert.equal(code, 'ERR_LIBTORCH_NOT_FOUND');
    assert.match(message, /LIBTORCH \(.*nowhere\): no such folder/);
    assert.match(message, /unset LIBTORCH/);
  });

  it('that is nowhere is reported with every place that was looked at and what to do', () => {
    const { code, message } = load({});
    assert.equal(code, 'ERR_LIBTORCH_NOT_FOUND');
    assert.match(
      message,
      /TORCH_INCREMENTAL_LIBTORCH: not set\n {2}LIBTORCH: not set\n {2}cache \(.*no cache.*\): no such folder/,
    );
    assert.match(message, /@torch-incremental\/libtorch-.*: not installed/);
    assert.match(message, /npm run setup/);
  });

  it('of another version is refused before it is opened', () => {
    sayVersion('2.11.0+cu128');
    const { code, message } = load({ LIBTORCH: fake });
    assert.equal(code, 'ERR_LIBTORCH_VERSION');
    assert.ok(message.includes(`is version 2.11.0+cu128; ${pin.version} is needed`), message);
  });

  it('of another version is opened when the version check is switched off', () => {
    sayVersion('2.11.0');
    const env = { LIBTORCH: fake, TORCH_INCREMENTAL_BYPASS_VERSION_CHECK: '1' };
    assert.equal(load(env).code, 'ERR_LIBTORCH_LOAD');
  });

  it('that lacks a library is refused by its name', () => {
    fs.rmSync(path.join(fake, 'lib/libtorch_cpu.so'));
    assert.match(load({ LIBTORCH: fake }).message, /has no lib\/libtorch_cpu\.so/);
  });

  it('that is broken gives ERR_LIBTORCH_LOAD with what the dynamic linker said', () => {
    const { code, message } = load({ LIBTORCH: fake });
    assert.equal(code, 'ERR_LIBTORCH_LOAD');
    assert.match(message, /does not load: .*libtorch\.so: file too short/);
  });

  it('whose library is older than its version file says is refused', function () {
    const source = path.join(folder, 'old.cc');
    fs.writeFileSync(source, 'extern "C" unsigned long aoti_torch_abi_version() { return 2ul << 56 | 11ul << 48; }');
    const output = path.join(fake, 'lib/libtorch.so');
    if (spawnSync('c++', ['-shared', '-fPIC', source, '-o', output]).status !== 0) this.skip();
    const { code, message } = load({ LIBTORCH: fake });
    assert.equal(code, 'ERR_LIBTORCH_VERSION');
    assert.match(message, /holds a library of version 2\.11/);
  });

  it('is taken from the npm package of the platform when the cache cannot be used', () => {
    const modules = path.join(folder, 'node_modules');
    const name = `@torch-incremental/libtorch-${platform}-cpu`;
    fs.mkdirSync(path.join(modules, name), { recursive: true });
    fs.writeFileSync(path.join(modules, name, 'package.json'), '{}');
    fs.symlinkSync(path.join(real, 'lib'), path.join(modules, name, 'lib'));
    fs.writeFileSync(path.join(modules, name, 'build-version'), pin.version);
    const cache = path.join(folder, 'cache/torch-incremental/libtorch');
    fs.mkdirSync(cache, { recursive: true });
    fs.renameSync(fake, path.join(cache, `${pin.version}+cpu`));
    const env = { XDG_CACHE_HOME: path.join(folder, 'cache'), NODE_PATH: modules };
    assert.equal(load(env).folder, fs.realpathSync(path.join(modules, name)));
  });

  it('says its version in the file of the zip, of the wheel, or in its headers', () => {
    assert.equal(versionWith({ 'version.py': "__version__ = '2.13.0a0+git1234'\n" }), '2.13.0a0+git1234');
    const header = '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 1\n';
    assert.equal(versionWith({ 'version.py': '', 'include/torch/headeronly/version.h': header }), '2.13.1');
    assert.equal(versionWith({ 'build-version': '2.13.0+cu128\n' }), '2.13.0+cu128');
  });
});
