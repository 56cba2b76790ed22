// Tests `torch-incremental doctor` as a shell sees it: exit codes, JSON, the text for a bug report, and that it works when
// nothing loads.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import candidates from '../../dist/libtorch/candidates.js';
import { root, temporaryFolder } from '../support.mjs';
import { binary, run } from './run.mjs';

/** Keys of the report's problems. */
const keys = ({ stdout }) => JSON.parse(stdout).problems.map(({ key }) => key);

/** An environment in which the user names no libtorch. */
const unnamed = { TORCH_INCREMENTAL_LIBTORCH: undefined, LIBTORCH: undefined };

describe('command line: doctor', () => {
  const folder = temporaryFolder();
  const real = () => candidates.libtorchCandidates().find(({ problem }) => problem === null).folder;

  /** The libtorch of this machine, except for one file. */
  function libtorchWith(name, contents) {
    const where = folder(`libtorch ${name}`);
    fs.mkdirSync(path.join(where, 'lib'), { recursive: true });
    fs.copyFileSync(path.join(real(), 'version.py'), path.join(where, 'version.py'));
    for (const file of fs.readdirSync(path.join(real(), 'lib')))
      if (file !== name) fs.symlinkSync(path.join(real(), 'lib', file), path.join(where, 'lib', file));
    fs.writeFileSync(path.join(where, 'lib', name), contents);
    return where;
  }

  it('exits with 0 if everything works, and has trained with --probe-train', async () => {
    const { code, stdout } = await run(['doctor', '--probe-train']);
    assert.match(stdout, /Everything works\.\n$/);
    assert.match(stdout, /a training step, .* loss \d/);
    assert.equal(code, 0);
  });

  it('trains nothing without --probe-train', async () => {
    const { code, stdout } = await run(['doctor', '--json']);
    assert.equal(code, 0);
    const { format, ok, status, probe } = JSON.parse(stdout);
    assert.deepEqual([format, ok, status, probe.trained, probe.loss], [1, true, 'ok', false, null]);
    assert.deepEqual(
      probe.stages.map(({ stage }) => stage),
      ['driver', 'load', 'device'],
    );
  });

  it('prints JSON with the keys that docs/doctor.md describes, and no others', async () => {
    const { stdout } = await run(['doctor', '--json']);
    const text = fs.readFileSync(path.join(root, 'docs', 'doctor.md'), 'utf8');
    const described = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
    assert.deepEqual(Object.keys(JSON.parse(stdout)).sort(), described.sort());
  });

  it('exits with 2 if the named libtorch cannot be used, and names it', async () => {
    const env = { TORCH_INCREMENTAL_LIBTORCH: '/nowhere' };
    const result = await run(['doctor', '--json'], { env });
    assert.equal(result.code, 2);
    assert.deepEqual(keys(result), ['libtorch-refused']);
    const { problems, libtorch, addon } = JSON.parse(result.stdout);
    assert.match(problems[0].text, /TORCH_INCREMENTAL_LIBTORCH names cannot be used: \/nowhere: no such folder/);
    assert.match(problems[0].remedy, /unset TORCH_INCREMENTAL_LIBTORCH/);
    assert.deepEqual([libtorch.folder, addon.info], [null, null]);
  });

  it('exits with 2 if there is no libtorch at all', async () => {
    const result = await run(['doctor', '--json'], { env: { ...unnamed, XDG_CACHE_HOME: folder('empty') } });
    assert.equal(result.code, 2);
    assert.deepEqual(keys(result), ['libtorch-missing']);
  });

  it('reports without a home folder, and does not search the current folder', async () => {
    const cwd = folder('current');
    fs.mkdirSync(path.join(cwd, '.cache'), { recursive: true });
    const env = { HOME: '', XDG_CACHE_HOME: undefined, TORCH_INCREMENTAL_LIBTORCH: real() };
    const result = await run(['doctor', '--json'], { env, cwd });
    assert.equal(result.code, 0, result.stderr);
    const { notes, cache } = JSON.parse(result.stdout);
    assert.deepEqual(cache, { folder: null, exists: false, writable: false, freeBytes: null, sizes: {} });
    assert.match(notes.find(({ key }) => key === 'cache-not-writable').text, /Neither HOME nor XDG_CACHE_HOME names/);
    assert.deepEqual(fs.readdirSync(path.join(cwd, '.cache')), []);
    assert.equal((await run(['doctor', '--report'], { env, cwd })).code, 0);
  });

  it('reports in a deleted folder, and exits with 2 if it cannot', () => {
    const deleted = (env = {}) => {
      const gone = fs.mkdtempSync(folder('gone-'));
      const script = 'cd "$1" && rmdir "$1" && exec "$2" "$3" doctor --json';
      const shell = ['-c', script, 'sh', gone, process.execPath, binary];
      return spawnSync('sh', shell, { encoding: 'utf8', env: { ...process.env, ...env } });
    };
    const { stdout, status } = deleted();
    const report = JSON.parse(stdout);
    assert.equal(status, { ok: 0, unusable: 2 }[report.status]);
    assert.deepEqual(report.notes, []);
    const relative = deleted({ TORCH_INCREMENTAL_LIBTORCH: 'relative' });
    assert.deepEqual([relative.status, relative.stdout], [2, '']);
    assert.match(relative.stderr, /^error\[ENOENT\]: .*cwd/);
  });

  it('reports a missing addon', async () => {
    const result = await run(['doctor', '--json'], { env: { TORCH_INCREMENTAL_ADDON: folder('nothing') } });
    assert.equal(result.code, 2);
    assert.deepEqual(keys(result), ['addon-missing']);
  });

  it('reports a truncated library of libtorch', async () => {
    const start = Buffer.alloc(1_000_000);
    const file = fs.openSync(path.join(real(), 'lib', 'libtorch_cpu.so'), 'r');
    fs.readSync(file, start, 0, start.length, 0);
    fs.closeSync(file);
    const where = libtorchWith('libtorch_cpu.so', start);
    const result = await run(['doctor', '--json'], { env: { TORCH_INCREMENTAL_LIBTORCH: where } });
    assert.equal(result.code, 2);
    assert.ok(keys(result).includes('library-broken'), result.stdout);
    assert.match(JSON.parse(result.stdout).problems[0].text, /lib\/libtorch_cpu\.so is truncated/);
  });

  it('reports when loading libtorch ends the process', async () => {
    // A library whose initialisation crashes. It needs the same libraries as the real one, so its file looks right.
    fs.writeFileSync(folder('crash.cc'), '__attribute__((constructor)) void crash() { *(volatile int*)0 = 1; }');
    execFileSync('c++', ['-shared', '-fPIC', folder('crash.cc'), '-o', folder('crash.so')]);
    const where = libtorchWith('libtorch.so', fs.readFileSync(folder('crash.so')));
    const result = await run(['doctor', '--json'], { env: { TORCH_INCREMENTAL_LIBTORCH: where } });
    assert.equal(result.code, 2);
    const { problems } = JSON.parse(result.stdout);
    assert.equal(problems.length, 1);
    assert.match(problems[0].text, /SIGSEGV/);
  });

  it('exits with 130 and without a report when it is interrupted', async () => {
    fs.writeFileSync(
      folder('slow.cc'),
      `#include <cstdio>\n#include <unistd.h>\n__attribute__((constructor)) void wait() {
         if (FILE* file = fopen("${folder('began')}", "w")) fclose(file); sleep(5); }`,
    );
    execFileSync('c++', ['-shared', '-fPIC', folder('slow.cc'), '-o', folder('slow.so')]);
    const where = libtorchWith('libtorch_global_deps.so', fs.readFileSync(folder('slow.so')));
    const interrupt = async (child) => {
      while (!fs.existsSync(folder('began')) && child.exitCode === null) await setTimeout(20);
      child.kill('SIGINT');
    };
    const env = { TORCH_INCREMENTAL_LIBTORCH: where };
    const { code, stdout } = await run(['doctor'], { env, meanwhile: interrupt });
    assert.deepEqual([code, stdout], [130, '']);
  });

  it('ends with 130 and no report when it is interrupted while it runs a program, which ends too', async () => {
    const bin = folder('bin');
    fs.mkdirSync(bin);
    const script = '#!/bin/sh\necho $$ > "$0.new"\nmv "$0.new" "$0.pid"\nexec sleep 100\n';
    fs.writeFileSync(path.join(bin, 'nvidia-smi'), script, { mode: 0o755 });
    const file = path.join(bin, 'nvidia-smi.pid');
    const interrupt = async (child) => {
      while (!fs.existsSync(file) && child.exitCode === null) await setTimeout(20);
      child.kill('SIGINT');
    };
    const env = { PATH: `${bin}:${process.env.PATH}` };
    const { code, stdout, stderr } = await run(['doctor', '--json'], { env, meanwhile: interrupt });
    assert.deepEqual([code, stdout], [130, ''], stderr);
    assert.throws(() => process.kill(Number(fs.readFileSync(file, 'utf8')), 0), { code: 'ESRCH' });
  });

  it('names the option that keeps Node from loading addons', async () => {
    assert.deepEqual(keys(await run(['doctor', '--json'], { env: { NODE_OPTIONS: '--no-addons' } })), ['no-addons']);
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const script = [permission, '--allow-fs-read=*', binary];
    const { stdout, status } = spawnSync(process.execPath, [...script, 'doctor', '--json'], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.deepEqual(keys({ stdout }), ['permission-addons']);
  });

  it('prints a text for bug reports in a fence, without home, passwords and tokens', async () => {
    fs.mkdirSync(folder('home'));
    fs.symlinkSync(folder('home'), folder('link'));
    const env = {
      ...unnamed,
      HTTPS_PROXY: 'http://me:secret@proxy.example:3128',
      TORCH_INCREMENTAL_LIBTORCH_MIRROR: 'https://mirror.example/x?token=secret',
      HOME: folder('link'),
      XDG_CACHE_HOME: folder('home/c'),
    };
    const { code, stdout } = await run(['doctor', '--report'], { env });
    assert.equal(code, 2);
    assert.match(stdout, /^```\n[\s\S]*\n```\n$/);
    assert.match(stdout, /HTTPS_PROXY +http:\/\/\*\*\*@proxy\.example:3128\n/);
    assert.match(stdout, /folder +~\/c\/torch-incremental\/libtorch/);
    for (const hidden of ['secret', folder('home'), folder('link'), '\x1b'])
      assert.ok(!stdout.includes(hidden), hidden);
  });

  it('refuses --json with --report', async () => {
    const { code, stderr } = await run(['doctor', '--json', '--report']);
    assert.equal(code, 2);
    assert.match(stderr, /Expected --json or --report but received both/);
  });
});
