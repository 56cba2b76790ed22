// Tests lib/install/install-libtorch.ts and sources.ts with made-up builds: the content of the cache after every way in which an
// installation can succeed or fail.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sourcesModule from '../../dist/install/sources.js';
import { root as repository } from '../support.mjs';
import { cutAfter, silentAfter, status } from './file-server.mjs';
import { isRunning, loadingLibtorch, real } from './libtorch-loading.mjs';
import { fails, libtorchZip, sha256, useMadeUpCache, version, wheel } from './libtorch-support.mjs';

const { sourcesOf } = sourcesModule;

describe('installing libtorch', () => {
  const made = useMadeUpCache();
  const { install, variantOf, target, left } = made;
  const loading = loadingLibtorch();

  it('puts the wanted members in place and leaves nothing else', async () => {
    const progress = [];
    const onProgress = (step, { received, total }) => progress.push([step, received, total]);
    assert.deepEqual(await install('cpu', { onProgress }), { folder: target('cpu'), already: false });
    assert.deepEqual(left(), [`${version}+cpu`]);
    assert.deepEqual(fs.readdirSync(target('cpu')).sort(), ['include', 'lib', 'version.py']);
    assert.deepEqual(fs.readdirSync(path.join(target('cpu'), 'lib')).sort(), [
      'libc10.so',
      'libtorch.so',
      'libtorch_cpu.so',
    ]);
    const { bytes } = variantOf('cpu').archives[0];
    assert.deepEqual(progress.filter(([step]) => step === 'fetch').at(-1), ['fetch', bytes, bytes]);
    const [, received, total] = progress.at(-1);
    assert.ok(received === total && total > 100_000);
  });

  it('does nothing if it is installed', async () => {
    await install('cpu');
    made.server.requests.length = 0;
    assert.deepEqual(await install('cpu'), { folder: target('cpu'), already: true });
    assert.deepEqual(made.server.requests, []);
  });

  it("puts NVIDIA's libraries next to libtorch, in libtorch's own search path", async () => {
    assert.equal((await install('cu130')).folder, path.join(target('cu130'), 'torch'));
    assert.ok(fs.existsSync(path.join(target('cu130'), 'torch/lib/../../nvidia/cu13/lib/libcublas.so.13')));
    assert.ok(!fs.existsSync(path.join(target('cu130'), 'nvidia/cu13/include')));
  });

  it('resumes after an interruption, and resumes the archives of an earlier call', async () => {
    const [gpu, nvidia] = ['/torch-1.whl', '/nvidia_cublas.whl'];
    made.server.answers.set(gpu, [cutAfter(made.server.files.get(gpu), 500, `${target('cu130')}.parts${gpu}`)]);
    made.server.answers.set(nvidia, [status(404)]);
    await fails(install('cu130'), 'ERR_DOWNLOAD', /Could not fetch nvidia_cublas\.whl:.*404/s);
    assert.deepEqual(left(), [`${version}+cu130.parts`]);
    await install('cu130');
    assert.deepEqual(made.server.requests, [`${gpu} whole`, `${gpu} bytes=500-`, `${nvidia} whole`, `${nvidia} whole`]);
    assert.deepEqual(left(), [`${version}+cu130`]);
  });

  it('refuses a file that is not the pinned one, keeps nothing of it, and reports both checksums', async () => {
    const { bytes, sha256: pinned } = variantOf('cpu').archives[0];
    made.server.files.set('/torch-1+cpu.whl', randomBytes(bytes));
    await fails(install('cpu'), 'ERR_DOWNLOAD', new RegExp(`sha256 [0-9a-f]{64} instead of ${pinned}`));
    made.server.files.set('/torch-1+cpu.whl', Buffer.from('<html>'));
    await fails(install('cpu'), 'ERR_DOWNLOAD', /offers 6 bytes instead of \d+/);
    assert.deepEqual(left(), [`${version}+cpu.parts`]);
    assert.deepEqual(fs.readdirSync(path.join(made.root, left()[0])), []);
  });

  it('detects that something else has written to a fetched file, and keeps nothing of it', async () => {
    const part = path.join(`${target('cpu')}.parts`, 'torch-1+cpu.whl');
    const { bytes } = variantOf('cpu').archives[0];
    const onProgress = (_, { received }) => {
      if (received === bytes) fs.appendFileSync(part, 'of another');
    };
    await fails(install('cpu', { onProgress }), 'ERR_DOWNLOAD', /the file \(\d+ bytes instead of \d+\)/);
    assert.ok(!fs.existsSync(part));
    await install('cpu');
  });

  it('installs nothing whose checksum is unknown until it is given', async () => {
    await fails(install('cu126'), 'ERR_INVALID_OPTION', /checksum of cu126 is not known.*--sha256 <hex>/s);
    assert.deepEqual(made.server.requests, []);
    await fails(install('cu126', { sha256: '0'.repeat(64) }), 'ERR_DOWNLOAD', /instead of 0{64}/);
    await install('cu126', { sha256: sha256(libtorchZip()) });
    assert.ok(fs.existsSync(path.join(target('cu126'), 'lib/libtorch_cuda.so')));
    await fails(install('cpu', { sha256: '0'.repeat(64) }), 'ERR_INVALID_OPTION', /is not that of torch-1\+cpu\.whl/);
    await fails(install('cu130', { sha256: '0'.repeat(64) }), 'ERR_INVALID_OPTION', /is of one file/);
  });

  it('checks the free space before it fetches, counts partial files, and reports what is needed where', async () => {
    const { bytes, unpackedBytes } = variantOf('cpu').archives[0];
    const needed = 2e7 + bytes + unpackedBytes;
    await fails(
      install('cpu', { free: async () => needed - 1 }),
      'ERR_DOWNLOAD',
      /Not enough space: 23\.0 MB are needed in .*\+cpu, and 23\.0 MB are free\. .*XDG_CACHE_HOME/,
    );
    assert.deepEqual([made.server.requests, left()], [[], []]);
    fs.mkdirSync(`${target('cpu')}.parts`);
    fs.writeFileSync(path.join(`${target('cpu')}.parts`, 'torch-1+cpu.whl'), made.server.files.get('/torch-1+cpu.whl'));
    await install('cpu', { free: async () => needed - 1 });
  });

  it('checks the free space before it unpacks an archive of unknown size', async () => {
    const given = sha256(libtorchZip());
    await fails(install('cu126', { sha256: given, free: async () => 2e7 + 1000 }), 'ERR_DOWNLOAD', /Not enough space/);
    assert.deepEqual(left(), [`${version}+cu126.parts`]);
  });

  it('is done once when several ask for it at the same time', async () => {
    const notes = [];
    const done = await Promise.all([1, 2, 3].map(() => install('cpu', { onNote: (text) => notes.push(text) })));
    assert.deepEqual(done.map(({ already }) => already).sort(), [false, true, true]);
    assert.equal(made.server.requests.length, 1);
    assert.equal(notes.filter((text) => text.startsWith('Another process is installing it')).length, 2);
  });

  it('replaces a broken folder, and removes the remains of killed processes', async () => {
    fs.mkdirSync(path.join(target('cpu'), 'lib'), { recursive: true });
    fs.writeFileSync(path.join(target('cpu'), 'half'), '');
    for (const name of ['.new-1', '.old-1']) fs.mkdirSync(target('cpu') + name);
    await install('cpu');
    assert.deepEqual(left(), [`${version}+cpu`]);
    assert.deepEqual(fs.readdirSync(target('cpu')).sort(), ['include', 'lib', 'version.py']);
  });

  it('replaces a build of unknown sizes that does not load, and keeps one that does', async () => {
    const given = sha256(libtorchZip());
    fs.mkdirSync(path.join(target('cu126'), 'lib'), { recursive: true });
    for (const name of ['libtorch.so', 'libtorch_cpu.so', 'libc10.so'])
      fs.writeFileSync(path.join(target('cu126'), 'lib', name), '');
    fs.writeFileSync(path.join(target('cu126'), 'version.py'), `__version__ = '${version}+cu126'\n`);
    assert.deepEqual(await install('cu126', { sha256: given }), { folder: target('cu126'), already: false });
    assert.ok(fs.existsSync(path.join(target('cu126'), 'lib/libtorch_cuda.so')));

    fs.rmSync(target('cu126'), { recursive: true });
    fs.symlinkSync(real, target('cu126'));
    assert.deepEqual(await install('cu126', { sha256: given }), { folder: target('cu126'), already: true });
  });

  it('keeps the installed build if the new one is wrong', async () => {
    const other = wheel('cpu', { version: '2.11.0' });
    fs.writeFileSync(made.folder('other.whl'), other);
    const from = { from: made.folder('other.whl'), sha256: sha256(other) };
    await fails(
      install('cpu', from),
      'ERR_LIBTORCH_VERSION',
      /it is version 2\.11\.0\+cpu; .* is needed\. Nothing was changed/,
    );
    assert.deepEqual(left(), []);
  });

  it('stops at an abort with its reason, and keeps the part for the next time', async () => {
    const body = made.server.files.get('/torch-1+cpu.whl');
    const controller = new AbortController();
    const reason = new Error('enough');
    made.server.answers.set('/torch-1+cpu.whl', [silentAfter(body, 700)]);
    const onProgress = () => controller.abort(reason);
    await assert.rejects(install('cpu', { signal: controller.signal, onProgress }), reason);
    assert.deepEqual(left(), [`${version}+cpu.parts`]);
    await install('cpu');
    assert.deepEqual(made.server.requests, ['/torch-1+cpu.whl whole', '/torch-1+cpu.whl bytes=700-']);
  });

  it('stops at an abort while it unpacks, and leaves nothing half unpacked', async () => {
    const controller = new AbortController();
    const onProgress = (step) => step === 'unpack' && controller.abort(new Error('enough'));
    await assert.rejects(install('cu130', { signal: controller.signal, onProgress }), /enough/);
    assert.deepEqual(left(), [`${version}+cu130.parts`]);
  });

  it('stops if another process has taken its lock, and leaves the files to that one', async () => {
    made.server.answers.set('/torch-1+cpu.whl', [silentAfter(made.server.files.get('/torch-1+cpu.whl'), 700)]);
    const onProgress = () => fs.writeFileSync(`${target('cpu')}.lock`, 'of another');
    await fails(install('cpu', { stallMs: 60_000, onProgress }), 'ERR_BUSY', /another one took over its work/);
    assert.deepEqual(left(), [`${version}+cpu.lock`, `${version}+cpu.parts`]);
    assert.equal(fs.readFileSync(`${target('cpu')}.lock`, 'utf8'), 'of another');
  });

  it('stops at an abort while it tries the installed build, and does not block', async function () {
    loading.withWaitingLibrary(this);
    fs.mkdirSync(made.root);
    fs.symlinkSync(loading.fake, target('cu126'));
    const controller = new AbortController();
    const reason = new Error('enough');
    const installed = install('cu126', { sha256: '0'.repeat(64), signal: controller.signal });
    const pid = await loading.waitingProcess();
    assert.ok(isRunning(pid));
    controller.abort(reason);
    await assert.rejects(installed, reason);
    while (isRunning(pid)) await sleep(10);
    assert.deepEqual([left(), made.server.requests], [[`${version}+cu126`], []]);
  });

  it('resumes after a process that was killed in the middle', async () => {
    const body = made.server.files.get('/torch-1+cpu.whl');
    const sent = new Promise((resolve) =>
      made.server.answers.set('/torch-1+cpu.whl', [silentAfter(body, 900, resolve)]),
    );
    const require = createRequire(import.meta.url);
    const script = `
      const { install } = require(${JSON.stringify(require.resolve('../../dist/install/install-libtorch.js'))});
      install(JSON.parse(process.argv[1]));`;
    const sources = await sourcesOf('cpu', variantOf('cpu'), {});
    const options = {
      name: 'cpu',
      variant: variantOf('cpu'),
      sources,
      place: { root: made.root, platform: 'linux-x64' },
    };
    const child = spawn(process.execPath, ['-e', script, JSON.stringify(options)], { cwd: repository });
    await sent;
    const part = path.join(`${target('cpu')}.parts`, 'torch-1+cpu.whl');
    while (!fs.existsSync(part) || fs.statSync(part).size < 900)
      await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.on('close', resolve));
    assert.deepEqual(left(), [`${version}+cpu.lock`, `${version}+cpu.parts`]);
    await install('cpu');
    assert.deepEqual(made.server.requests, ['/torch-1+cpu.whl whole', '/torch-1+cpu.whl bytes=900-']);
    assert.deepEqual(left(), [`${version}+cpu`]);
  });

  it('reports that the folder cannot be written to', async () => {
    made.root = '/sys/torch-incremental';
    await fails(install('cpu'), 'ERR_FILE', /Could not install libtorch in \/sys.*: E\w+: .*XDG_CACHE_HOME/);
  });
});
