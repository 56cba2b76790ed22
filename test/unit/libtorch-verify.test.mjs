// A libtorch that nobody vouches for is loaded in a child process first (lib/libtorch/verify.ts), and a process has one at
// most (already-loaded.ts).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mapped from '../../dist/libtorch/already-loaded.js';
import candidates from '../../dist/libtorch/candidates.js';
import { isRunning, loadingLibtorch, real } from './libtorch-loading.mjs';

describe('libtorch', () => {
  const loading = loadingLibtorch();

  describe('that is not known to be intact', () => {
    const traces = () => fs.readFileSync(path.join(loading.folder, 'traces'), 'utf8');
    const trace = () =>
      `FILE* file = fopen("${path.join(loading.folder, 'traces')}", "a"); fputs("x", file); fclose(file);`;

    it('and that ends the process which loads it is an error, remembered', function () {
      loading.withFirstLibrary(this, `${trace()} fputs("no such processor\\n", stderr); abort();`);
      const first = loading.load({ LIBTORCH: loading.fake });
      assert.equal(first.code, 'ERR_LIBTORCH_LOAD');
      assert.match(first.message, /ends the process \(SIGABRT\) when it is loaded: no such processor/);
      const second = loading.load({ LIBTORCH: loading.fake });
      assert.match(
        second.message,
        /SIGABRT.*remembered from an earlier attempt: npx torch-incremental doctor tries again/,
      );
      assert.equal(traces(), 'x');
    });

    it('is loaded in a child process once', function () {
      loading.withFirstLibrary(this, trace());
      assert.equal(loading.load({ LIBTORCH: loading.fake }).folder, loading.fake);
      assert.equal(traces(), 'xx', 'the child and then the process');
      assert.equal(loading.load({ LIBTORCH: loading.fake }).folder, loading.fake);
      assert.equal(traces(), 'xxx');
    });

    it('is loaded only in this process if a child would be the application again', function () {
      const mark = `FILE* file = fopen("${loading.folder}/traces", "a");
        fputs(getenv("TORCH_INCREMENTAL_VERIFYING") ? "child " : "process ", file); fclose(file);`;
      loading.withFirstLibrary(this, mark);
      const single = "process.getBuiltinModule = (name) => name === 'node:sea' && { isSea: () => true };";
      assert.equal(loading.load({ LIBTORCH: loading.fake }, single).folder, loading.fake);
      assert.equal(traces(), 'process ');
      // A process that was started for a trial starts no child, whatever it is.
      const env = { LIBTORCH: loading.fake, TORCH_INCREMENTAL_VERIFYING: '1' };
      assert.equal(loading.load(env).folder, loading.fake);
      assert.equal(traces(), 'process child ');
      assert.equal(loading.load({ LIBTORCH: loading.fake }).folder, loading.fake);
      assert.equal(traces(), 'process child child process ');
    });

    it('may print anything when it is tried', function () {
      loading.withFirstLibrary(
        this,
        'if (getenv("TORCH_INCREMENTAL_VERIFYING")) { puts("5\\nnull\\n{"); fflush(stdout); }',
      );
      assert.equal(loading.load({ LIBTORCH: loading.fake }).folder, loading.fake);
    });

    it('is loaded in a child process again when a library has changed', function () {
      loading.withFirstLibrary(this, trace());
      loading.load({ LIBTORCH: loading.fake });
      fs.utimesSync(path.join(loading.fake, 'lib/libtorch_global_deps.so'), new Date(), new Date(0));
      loading.load({ LIBTORCH: loading.fake });
      assert.equal(traces(), 'xxxx');
    });

    it('and that never ends does not outlive the process that waits for it', async function () {
      loading.withWaitingLibrary(this);
      const waiting = loading.start({ LIBTORCH: loading.fake });
      const pid = await loading.waitingProcess();
      assert.ok(pid !== waiting.pid && isRunning(pid));
      waiting.kill('SIGKILL');
      await once(waiting, 'exit');
      while (isRunning(pid)) await sleep(10);
    });

    it('is not blamed for a process that something else ended', async function () {
      loading.withWaitingLibrary(this);
      const answer = loading.answer(loading.start({ LIBTORCH: loading.fake }));
      process.kill(await loading.waitingProcess(), 'SIGKILL');
      const { code, message } = await answer;
      assert.equal(code, 'ERR_LIBTORCH_LOAD');
      assert.match(message, /could not be tried: something else ended the process that loaded it \(SIGKILL\)/);
      loading.goOn();
      assert.equal(loading.load({ LIBTORCH: loading.fake }).folder, loading.fake);
    });

    it('is not blamed for a slow machine', () => {
      fs.rmSync(path.join(loading.fake, 'lib'), { recursive: true });
      fs.symlinkSync(path.join(real, 'lib'), path.join(loading.fake, 'lib'));
      const late = `require('node:child_process').spawnSync = () => ({
        stdout: '{"began":true}', status: null, signal: 'SIGKILL', error: Object.assign(new Error(), { code: 'ETIMEDOUT' }),
      });`;
      assert.match(loading.load({ LIBTORCH: loading.fake }, late).message, /hangs for 120 s when it is loaded/);
      assert.equal(loading.load({ LIBTORCH: loading.fake }).folder, loading.fake);
    });

    it('is tried each time if its folder may be entered but not listed', function () {
      loading.withFirstLibrary(this, `${trace()} if (access("${loading.folder}/bad", F_OK) == 0) abort();`);
      const unlisted = `
        const fs = require('node:fs');
        const { readdirSync } = fs;
        fs.readdirSync = (folder, ...rest) => {
          if (!folder.endsWith('/lib')) return readdirSync(folder, ...rest);
          throw Object.assign(new Error(\`EACCES: permission denied, scandir '\${folder}'\`), { code: 'EACCES' });
        };`;
      assert.equal(loading.load({ LIBTORCH: loading.fake }, unlisted).folder, loading.fake);
      fs.writeFileSync(path.join(loading.folder, 'bad'), '');
      const { code, attempts, remedies } = loading.load({ LIBTORCH: loading.fake }, unlisted);
      assert.equal(code, 'ERR_LIBTORCH_LOAD');
      assert.match(attempts[0].reason, /ends the process \(SIGABRT\)/);
      assert.match(remedies[0], /unset LIBTORCH/);
      assert.equal(traces(), 'xxx');
    });

    it('is loaded if nothing can be remembered, and if no child can be started', function () {
      loading.withFirstLibrary(this, trace());
      assert.equal(loading.load({ LIBTORCH: loading.fake, XDG_CACHE_HOME: '/dev/null' }).folder, loading.fake);
      assert.equal(traces(), 'xx');
      assert.equal(loading.load({ LIBTORCH: loading.fake }, 'process.execPath = "/nowhere"').folder, loading.fake);
      assert.equal(traces(), 'xxx');
    });

    it('and that does not load is refused if nothing can be remembered', () => {
      const { code, message } = loading.load({ LIBTORCH: loading.fake, XDG_CACHE_HOME: '/dev/null' });
      assert.equal(code, 'ERR_LIBTORCH_LOAD', message);
    });

    it('is loaded without a home folder, and nothing is left in the current folder', function () {
      loading.withFirstLibrary(this, trace());
      const current = path.join(loading.folder, 'current');
      fs.mkdirSync(current);
      const elsewhere = `process.chdir(${JSON.stringify(current)});`;
      const env = { LIBTORCH: loading.fake, XDG_CACHE_HOME: undefined, HOME: '' };
      const noUser = "require('node:os').homedir = () => { throw new Error('no such user'); };";
      assert.equal(loading.load(env, elsewhere).folder, loading.fake);
      assert.equal(loading.load(env, elsewhere + noUser).folder, loading.fake);
      assert.equal(traces(), 'xxxx');
      assert.deepEqual(fs.readdirSync(current), []);
    });
  });

  it('is not looked for in a process that loaded one: another copy of this package uses the same', () => {
    const other = path.join(loading.folder, 'other copy');
    fs.cpSync(path.dirname(loading.dist), other, { recursive: true });
    const copy = JSON.stringify(path.join(other, 'dist', 'libtorch/load.js'));
    const { folder: taken } = loading.load({ LIBTORCH: real }, `delete require(${copy}).loadLibtorch()`);
    assert.equal(taken, fs.realpathSync(real));
  });

  it('is found by a thread that looks for it while another thread opens it', () => {
    const installed = path.join(path.dirname(loading.dist), 'node_modules', candidates.platformPackageName);
    fs.mkdirSync(installed, { recursive: true });
    fs.writeFileSync(path.join(installed, 'package.json'), '{}');
    for (const name of ['lib', 'version.py']) fs.symlinkSync(path.join(real, name), path.join(installed, name));
    // It is not loaded when the search begins, and is loaded afterwards.
    const opened = { folder: real, library: path.join(real, 'lib', 'libtorch_cpu.so'), replaced: false };
    const before = `
      const mapped = require(${JSON.stringify(path.join(loading.dist, 'libtorch/already-loaded.js'))});
      let asked = 0;
      mapped.mappedLibtorch = () => (asked++ === 0 ? null : ${JSON.stringify(opened)});`;
    try {
      assert.deepEqual(loading.load({}, before), { folder: installed });
    } finally {
      fs.rmSync(path.join(path.dirname(loading.dist), 'node_modules'), { recursive: true });
    }
  });

  it('named by the user is refused in a process that loaded another', () => {
    const copy = path.join(loading.folder, 'copy');
    fs.cpSync(real, copy, { recursive: true, filter: (name) => !/\/(include|share)$/.test(name) });
    const before = `
      const { loadLibtorch } = require(${JSON.stringify(path.join(loading.dist, 'libtorch/load.js'))});
      loadLibtorch();
      process.env.LIBTORCH = ${JSON.stringify(copy)};`;
    const { code, message } = loading.load({ LIBTORCH: real }, before);
    assert.equal(code, 'ERR_LIBTORCH_LOAD');
    assert.match(message, /is not the libtorch that this process has already loaded, .*; two cannot be loaded/);
  });

  it('is not loaded by a Node without addons, which the error reports', () => {
    const { code, message, remedies } = loading.load({ LIBTORCH: real, NODE_OPTIONS: '--no-addons' });
    assert.equal(code, 'ERR_LIBTORCH_LOAD');
    assert.match(message, /Node was started without addons/);
    assert.match(remedies.join(), /start Node without --no-addons/);
  });
});

describe('a libtorch in this process', () => {
  const line = (file) => `7f0000000000-7f0000001000 r-xp 00000000 08:01 1234   ${file}`;
  const other = line('/usr/lib/x86_64-linux-gnu/libc.so.6');

  it('is found among the mapped files of the process, with its folder', () => {
    assert.equal(mapped.mappedLibtorch(other), null);
    const found = mapped.mappedLibtorch([other, line('/a b/torch/lib/libtorch_cpu.so')].join('\n'));
    assert.deepEqual(found, {
      folder: '/a b/torch',
      library: '/a b/torch/lib/libtorch_cpu.so',
      replaced: false,
    });
  });

  it('whose file was replaced is recognised', () => {
    const found = mapped.mappedLibtorch(line('/a b/torch/lib/libtorch_cpu.so (deleted)'));
    assert.deepEqual([found.library, found.replaced], ['/a b/torch/lib/libtorch_cpu.so', true]);
  });
});
