// scripts/setup/download.mjs and libtorch.mjs against a server on this machine that misbehaves in every way we know.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { download } from '../../scripts/setup/download.mjs';
import { fetchLibtorch } from '../../scripts/setup/libtorch.mjs';

const quick = { connectMs: 300, stallMs: 300 };

describe('fetching libtorch', () => {
  const body = randomBytes(300_000);
  let folder;
  let server;
  let answer;
  let ranges;
  let artefact;
  const write = process.stderr.write;

  before(() => {
    process.stderr.write = () => true; // progress lines
  });

  after(() => {
    process.stderr.write = write;
  });

  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch incremental é-'));
    ranges = [];
    answer = whole;
    server = http.createServer((request, response) => {
      ranges.push(request.headers.range ?? null);
      answer(request, response);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    artefact = describeBytes(body);
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
    fs.rmSync(folder, { recursive: true });
  });

  function describeBytes(bytes) {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { url: `http://127.0.0.1:${server.address().port}/wheel`, sha256, bytes: bytes.length };
  }

  /** Honours ranges, as a good server does. */
  function whole(request, response) {
    const start = Number(request.headers.range?.match(/\d+/)[0] ?? 0);
    if (start > 0) response.setHeader('content-range', `bytes ${start}-${body.length - 1}/${body.length}`);
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length - start });
    response.end(body.subarray(start));
  }

  const target = () => path.join(folder, 'file');
  const left = () => fs.readdirSync(folder);

  it('puts the file in place and leaves nothing else', async () => {
    await download(artefact, target(), quick);
    assert.deepEqual(fs.readFileSync(target()), body);
    assert.deepEqual(left(), ['file']);
  });

  it('continues what an earlier run began', async () => {
    fs.writeFileSync(`${target()}.part`, body.subarray(0, 100_000));
    await download(artefact, target(), quick);
    assert.deepEqual(ranges, ['bytes=100000-']);
    assert.deepEqual(fs.readFileSync(target()), body);
  });

  it('starts over when the server sends the whole file again', async () => {
    fs.writeFileSync(`${target()}.part`, body.subarray(0, 100_000));
    answer = (_request, response) => response.end(body);
    await download(artefact, target(), quick);
    assert.deepEqual(fs.readFileSync(target()), body);
  });

  it('continues by itself when the connection breaks', async () => {
    answer = (request, response) => {
      if (ranges.length > 1) return whole(request, response);
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.subarray(0, 150_000), () => setTimeout(() => response.destroy(), 50));
    };
    await download(artefact, target(), quick);
    assert.equal(ranges.length, 2);
    assert.deepEqual(fs.readFileSync(target()), body);
  });

  it('deletes a file with the wrong hash, also one that an earlier run left, and says both hashes', async () => {
    const wrong = randomBytes(body.length);
    fs.writeFileSync(`${target()}.part`, wrong.subarray(0, 1000));
    answer = (_request, response) => response.end(wrong);
    await assert.rejects(download(artefact, target(), quick), new RegExp(`SHA-256 [0-9a-f]{64}.*${artefact.sha256}`));
    assert.deepEqual(left(), []);
  });

  it('recovers from a wrong beginning left by an earlier run', async () => {
    fs.writeFileSync(`${target()}.part`, randomBytes(1000));
    await download(artefact, target(), quick);
    assert.deepEqual(ranges, ['bytes=1000-', null]);
    assert.deepEqual(fs.readFileSync(target()), body);
  });

  it('refuses a page of another size at once, without keeping it', async () => {
    answer = (_request, response) => response.setHeader('content-length', 4).end('<ht>');
    await assert.rejects(download(artefact, target(), quick), /4 bytes are offered, 300000 expected/);
    assert.deepEqual(left(), []);
  });

  it('gives up within its patience when nothing answers, and keeps what had come when it stalls', async () => {
    answer = () => {};
    await assert.rejects(download(artefact, target(), quick), /no answer for 0.3 s/);
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.subarray(0, 1000));
    };
    await assert.rejects(download(artefact, target(), { ...quick, attempts: 1 }), /nothing came for 0.3 s/);
    assert.deepEqual(left(), ['file.part']);
  });

  it('says what the server said', async () => {
    answer = (_request, response) => response.writeHead(404).end();
    await assert.rejects(download(artefact, target(), quick), /HTTP 404/);
  });

  describe('and unpacking it', () => {
    let wheel;

    beforeEach(() => {
      const source = path.join(folder, 'source');
      for (const [name, text] of [
        ['torch/lib/libtorch.so', 'library'],
        ['torch/lib/libtorch_python.so', 'not wanted'],
        ['torch/version.py', "__version__ = '2.13.0+cpu'"],
      ]) {
        fs.mkdirSync(path.dirname(path.join(source, name)), { recursive: true });
        fs.writeFileSync(path.join(source, name), text);
      }
      wheel = path.join(folder, 'wheel.zip');
      const { status } = spawnSync('cmake', ['-E', 'tar', 'cf', wheel, '--format=zip', 'torch'], { cwd: source });
      assert.equal(status, 0);
      fs.rmSync(source, { recursive: true });
      artefact = {
        ...describeBytes(fs.readFileSync(wheel)),
        pip: { requirement: 'torch==2.13.0+cpu', arguments: [] },
        members: ['torch/lib/libtorch.so', 'torch/version.py'],
      };
    });

    const cache = () => path.join(folder, 'cache', '2.13.0+cpu');
    const copyWheel = async (_artefact, archive) => fs.copyFileSync(wheel, archive);
    const fail = async () => {
      throw new Error('https: no network');
    };

    it('takes only the wanted members and leaves no archive behind', async () => {
      await fetchLibtorch(artefact, cache(), [copyWheel]);
      assert.deepEqual(fs.readdirSync(path.join(cache(), 'lib')), ['libtorch.so']);
      assert.deepEqual(fs.readdirSync(path.dirname(cache())), ['2.13.0+cpu']);
    });

    it('goes on to the next way when one fails, and names all that failed when none is left', async () => {
      await fetchLibtorch(artefact, cache(), [fail, copyWheel]);
      assert.ok(fs.existsSync(path.join(cache(), 'version.py')));
      await assert.rejects(fetchLibtorch(artefact, cache(), [fail, fail]), /https: no network\n +https: no network\n/);
    });

    it('is harmless when two do it at once', async () => {
      await Promise.all([fetchLibtorch(artefact, cache(), [copyWheel]), fetchLibtorch(artefact, cache(), [copyWheel])]);
      assert.deepEqual(fs.readdirSync(cache()).sort(), ['lib', 'version.py']);
      assert.deepEqual(fs.readdirSync(path.dirname(cache())), ['2.13.0+cpu']);
    });

    it('replaces a broken folder', async () => {
      fs.mkdirSync(path.join(cache(), 'lib'), { recursive: true });
      fs.writeFileSync(path.join(cache(), 'half'), '');
      await fetchLibtorch(artefact, cache(), [copyWheel]);
      assert.deepEqual(fs.readdirSync(cache()).sort(), ['lib', 'version.py']);
      assert.deepEqual(fs.readdirSync(path.dirname(cache())), ['2.13.0+cpu']);
    });
  });
});
