import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { cifar10 } from 'torch-incremental';
import { cifar10Plan, downloadCifar10 } from '../../dist/datasets/cifar10/cifar10.js';
import { openDataset } from '../../dist/datasets/index.js';
import { downloadArchive } from '../../dist/download/archive.js';
import { deadHolder } from '../support.mjs';
import { folderName, makeArchive, TemporaryFolders } from './data-support.mjs';
import { cutAfter } from './file-server.mjs';

const folders = new TemporaryFolders();
describe('downloading', () => {
  let archive;
  let server;
  let requests;
  /** The server's reaction to each request; the last one is used for all that follow. */
  let answers;

  const whole = (_, response) => response.writeHead(200, { 'content-length': archive.bytes.length }).end(archive.bytes);
  const status = (code) => (_, response) => response.writeHead(code).end('<html>no</html>');
  const ranged = (request, response) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
    if (Number.isNaN(start)) return whole(request, response);
    const { length } = archive.bytes;
    if (start >= length) return response.writeHead(416, { 'content-range': `bytes */${length}` }).end();
    const headers = { 'content-length': length - start, 'content-range': `bytes ${start}-${length - 1}/${length}` };
    response.writeHead(206, headers).end(archive.bytes.subarray(start));
  };
  const silentAfter = (count) => (_, response) => {
    response.writeHead(200, { 'content-length': archive.bytes.length });
    response.write(archive.bytes.subarray(0, count));
  };

  beforeEach(async () => {
    archive = await makeArchive(folders);
    requests = [];
    answers = [whole];
    server = http.createServer((request, response) => {
      requests.push(`${request.url} ${request.headers.range ?? 'whole'}`);
      (answers.length > 1 ? answers.shift() : answers[0])(request, response);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    folders.remove();
  });

  const url = (name = '/data/archive.tar.gz') => `http://127.0.0.1:${server.address().port}${name}`;
  const options = (root, more) => ({
    name: 'CIFAR-10',
    url: url(),
    md5: archive.md5,
    folder: folderName,
    root,
    retryDelayMs: 1,
    ...more,
  });
  const fetchTo = (root, more) => downloadArchive(options(root, more));
  const part = (root) => path.join(root, 'archive.tar.gz.part');

  /** Throws unless `root` contains the complete folder and nothing else. */
  function assertWhole(root) {
    assert.deepEqual(fs.readdirSync(root), [folderName]);
    const files = fs.readdirSync(path.join(root, folderName));
    assert.equal(files.length, 6);
    for (const file of files) assert.equal(fs.statSync(path.join(root, folderName, file)).size, 30 * 3073);
  }

  const planOf = (options) => cifar10Plan(cifar10(options), undefined, async (plan) => plan);
  const fails = (work, message) => assert.rejects(work, { name: 'LearnError', code: 'ERR_DOWNLOAD', message });

  it('leaves the complete folder and nothing else, and reports progress', async () => {
    const root = path.join(folders.make(), 'not yet', 'there');
    const progress = [];
    await fetchTo(root, { onProgress: (event) => progress.push(event) });
    assertWhole(root);
    assert.deepEqual(progress.at(-1), { received: archive.bytes.length, total: archive.bytes.length });
    const { files } = await planOf({ root, download: true });
    assert.equal(files.length, 5);
    assert.equal(requests.length, 1);
  });

  it('follows redirects', async () => {
    answers = [(_, response) => response.writeHead(302, { location: '/elsewhere/file' }).end(), whole];
    const root = folders.make();
    await fetchTo(root);
    assertWhole(root);
    assert.deepEqual(requests, ['/data/archive.tar.gz whole', '/elsewhere/file whole']);
  });

  it('does not run if the images exist', async () => {
    const root = folders.make();
    await fetchTo(root);
    process.env.TORCH_INCREMENTAL_CIFAR10_URL = url();
    try {
      await downloadCifar10({ root });
      for (const folder of [root, path.join(root, folderName)]) await planOf({ root: folder, download: true });
    } finally {
      delete process.env.TORCH_INCREMENTAL_CIFAR10_URL;
    }
    assert.equal(requests.length, 1);
  });

  it('runs for cifar10({ download: true }) if they are missing, and checks the official md5', async () => {
    process.env.TORCH_INCREMENTAL_CIFAR10_URL = url();
    try {
      await fails(
        openDataset(cifar10({ root: folders.make(), download: true })),
        /instead of c32a1d4ab5d03f1284b67883e8d87530/,
      );
    } finally {
      delete process.env.TORCH_INCREMENTAL_CIFAR10_URL;
    }
    assert.equal(requests.length, 1);
  });

  it('resumes after an interrupted connection', async () => {
    const root = folders.make();
    answers = [cutAfter(archive.bytes, 100_000, part(root)), ranged];
    await fetchTo(root);
    assertWhole(root);
    assert.match(requests[1], /bytes=[1-9]\d*-$/);
    assert.equal(requests.length, 2);
  });

  it('resumes the partial file of an earlier process', async () => {
    const root = folders.make();
    fs.writeFileSync(part(root), archive.bytes.subarray(0, 5000));
    answers = [ranged];
    const progress = [];
    await fetchTo(root, { onProgress: ({ received, total }) => progress.push(received, total) });
    assertWhole(root);
    assert.deepEqual(requests, ['/data/archive.tar.gz bytes=5000-']);
    assert.ok(progress[0] > 5000 && progress.at(-1) === archive.bytes.length);
  });

  it('begins again if the server cannot resume', async () => {
    for (const answer of [whole, ranged]) {
      const root = folders.make();
      const left = answer === whole ? archive.bytes.subarray(0, 5000) : Buffer.alloc(archive.bytes.length + 5);
      fs.writeFileSync(part(root), left);
      answers = [answer];
      await fetchTo(root);
      assertWhole(root);
    }
  });

  it('only unpacks a file that was completely fetched before', async () => {
    const root = folders.make();
    fs.writeFileSync(part(root), archive.bytes);
    answers = [ranged];
    await fetchTo(root);
    assertWhole(root);
  });

  it('begins again when a continued file has the wrong md5', async () => {
    const root = folders.make();
    fs.writeFileSync(part(root), Buffer.alloc(5000));
    answers = [ranged];
    await fetchTo(root);
    assertWhole(root);
    assert.deepEqual(
      requests.map((request) => request.split(' ')[1]),
      ['bytes=5000-', 'whole'],
    );
  });

  it('refuses a file with the wrong md5 and keeps nothing of it', async () => {
    const root = folders.make();
    await fails(fetchTo(root, { md5: '0'.repeat(32) }), /has md5 [0-9a-f]{32} instead of 0{32}/);
    assert.deepEqual(fs.readdirSync(root), []);
    assert.equal(requests.length, 1);
  });

  it('tries again when the server is busy, but not when the file does not exist', async () => {
    answers = [status(503), status(429), whole];
    const root = folders.make();
    await fetchTo(root);
    assertWhole(root);
    answers = [status(404)];
    requests = [];
    const other = folders.make();
    await fails(fetchTo(other), /the server answered 404/);
    assert.equal(requests.length, 1);
    assert.deepEqual(fs.readdirSync(other), []);
  });

  it('says what to do by hand when it gives up', async () => {
    answers = [status(500)];
    const root = folders.make();
    const error = await fetchTo(root, { attempts: 2 }).catch((thrown) => thrown);
    assert.equal(error.code, 'ERR_DOWNLOAD');
    assert.match(
      error.message,
      /the server answered 500.*By hand: fetch that file \(md5 [0-9a-f]{32}\) and unpack it in /,
    );
    assert.ok(error.message.includes(url()) && error.message.includes(path.join(root, folderName)));
    assert.equal(requests.length, 2);
  });

  it('gives up without a network, and shows no password', async () => {
    await fails(
      fetchTo(folders.make(), { url: 'http://user:secret@127.0.0.1:1/archive.tar.gz', attempts: 2 }),
      /from http:\/\/127\.0\.0\.1:1\/archive\.tar\.gz: (.*ECONNREFUSED|bad port)/,
    );
  });

  it('does not wait for a silent server for ever', async () => {
    answers = [silentAfter(1000), ranged];
    const root = folders.make();
    // The second connection must deliver something within the same time, on a busy machine too.
    await fetchTo(root, { stallMs: 1000 });
    assertWhole(root);
    answers = [silentAfter(0)];
    await fails(fetchTo(folders.make(), { stallMs: 50, attempts: 2 }), /sent nothing for 0\.05 s/);
  });

  it('stops at an abort with its reason, and keeps the partial file', async () => {
    answers = [silentAfter(100_000)];
    const root = folders.make();
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    await assert.rejects(fetchTo(root, { signal: controller.signal, onProgress }), reason);
    assert.deepEqual(fs.readdirSync(root), ['archive.tar.gz.part']);
    assert.ok(fs.statSync(part(root)).size > 0);
    answers = [ranged];
    await fetchTo(root);
    assertWhole(root);
  });

  it('is done once when two ask for it at the same time', async () => {
    const root = folders.make();
    await Promise.all([fetchTo(root), fetchTo(root), fetchTo(root)]);
    assertWhole(root);
    assert.equal(requests.length, 1);
  });

  it('takes over from a process that ended', async () => {
    const root = folders.make();
    fs.writeFileSync(`${part(root)}.lock`, deadHolder());
    await fetchTo(root);
    assertWhole(root);
    fs.rmSync(path.join(root, folderName), { recursive: true });
    fs.writeFileSync(`${part(root)}.lock`, JSON.stringify({ host: 'elsewhere', pid: 1 }));
    fs.utimesSync(`${part(root)}.lock`, new Date(0), new Date(0));
    await fetchTo(root);
    assertWhole(root);
  });

  it('waits for a running one, until it is aborted', async () => {
    const root = folders.make();
    fs.writeFileSync(`${part(root)}.lock`, JSON.stringify({ host: 'elsewhere', pid: 1 }));
    await assert.rejects(fetchTo(root, { signal: AbortSignal.timeout(150) }), { name: 'TimeoutError' });
    assert.deepEqual(fs.readdirSync(root), ['archive.tar.gz.part.lock']);
  });

  it('refuses a file that is not an archive, and leaves nothing half unpacked', async () => {
    archive.bytes = Buffer.from('<html>'.repeat(100));
    archive.md5 = createHash('md5').update(archive.bytes).digest('hex');
    const root = folders.make();
    await fails(fetchTo(root), /incorrect header check/);
    assert.deepEqual(
      fs.readdirSync(root).filter((name) => name.startsWith(folderName)),
      [],
    );
  });

  it('refuses a root that is a file', async () => {
    const root = path.join(folders.make(), 'file');
    fs.writeFileSync(root, 'mine');
    await fails(fetchTo(root), /EEXIST|ENOTDIR/);
    assert.equal(fs.readFileSync(root, 'utf8'), 'mine');
  });

  it('names the disk when it is full, and does not try again', async () => {
    const root = folders.make();
    const { open } = fsPromises;
    fsPromises.open = async (...args) => {
      const file = await open(...args);
      file.appendFile = async () => {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      };
      return file;
    };
    try {
      await fails(fetchTo(root), /ENOSPC: no space left on device/);
    } finally {
      fsPromises.open = open;
    }
    assert.equal(requests.length, 1);
  });
});
