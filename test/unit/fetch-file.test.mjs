// Tests lib/download/fetch-file.ts against a local server that misbehaves in every known way. Unpacking
// is tested in download.test.mjs and libtorch-install.test.mjs.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import fetchModule from '../../dist/download/fetch-file.js';
import { temporaryFolder } from '../support.mjs';
import { cutAfter, FileServer, serve, silentAfter, startProxy, status } from './file-server.mjs';

const body = randomBytes(300_000);
const sha256 = (bytes) => ({ algorithm: 'sha256', value: createHash('sha256').update(bytes).digest('hex') });

describe('fetching a file', () => {
  const folder = temporaryFolder();
  let server;
  let part;

  beforeEach(async () => {
    server = await new FileServer().start();
    server.files.set('/wheel', body);
    part = `${fs.mkdtempSync(folder('torch incremental é-'))}/part`;
  });

  afterEach(() => server.stop());

  const fetchFile = (more = {}) =>
    fetchModule.fetchFile({
      url: server.url('/wheel'),
      checksum: sha256(body),
      bytes: body.length,
      part,
      retryDelayMs: 1,
      ...more,
    });
  const answer = (...answers) => server.answers.set('/wheel', answers);
  const isWhole = () => assert.deepEqual(fs.readFileSync(part), body);

  it('puts it in place', async () => {
    await fetchFile();
    isWhole();
  });

  it('resumes the file of an earlier run, and requests nothing if it is complete', async () => {
    fs.writeFileSync(part, body.subarray(0, 100_000));
    await fetchFile();
    isWhole();
    await fetchFile();
    isWhole();
    assert.deepEqual(server.requests, ['/wheel bytes=100000-']);
  });

  it('starts over when the server sends the whole file again', async () => {
    fs.writeFileSync(part, body.subarray(0, 100_000));
    answer((_request, response) => response.end(body));
    await fetchFile();
    isWhole();
  });

  it('continues as long as each connection delivers something, however few failures are allowed', async () => {
    answer(...[1, 2, 3, 4].map((nth) => cutAfter(body, nth * 50_000, part)));
    await fetchFile({ attempts: 2 });
    isWhole();
    assert.equal(server.requests.length, 5);
  });

  it('gives up after so many failures in a row, and keeps the partial file', async () => {
    answer(cutAfter(body, 1000, part), status(500), status(503));
    await assert.rejects(fetchFile({ attempts: 3 }), /the server answered 503/);
    assert.equal(server.requests.length, 3);
    assert.equal(fs.statSync(part).size, 1000);
  });

  it('deletes a file with the wrong hash, also one of an earlier run, and reports both hashes', async () => {
    const wrong = randomBytes(body.length);
    fs.writeFileSync(part, wrong.subarray(0, 1000));
    server.files.set('/wheel', wrong);
    const expected = new RegExp(`sha256 ${sha256(wrong).value} instead of ${sha256(body).value}`);
    await assert.rejects(fetchFile(), expected);
    assert.ok(!fs.existsSync(part));
    assert.equal(server.requests.length, 2);
  });

  it('recovers from a wrong beginning left by an earlier run', async () => {
    fs.writeFileSync(part, randomBytes(1000));
    await fetchFile();
    assert.deepEqual(server.requests, ['/wheel bytes=1000-', '/wheel whole']);
    isWhole();
  });

  it('recovers from a file that is longer than it should be', async () => {
    fs.writeFileSync(part, randomBytes(body.length + 1));
    await fetchFile();
    isWhole();
  });

  it('refuses a page of another size at once, without keeping it', async () => {
    answer((_request, response) => response.setHeader('content-length', 4).end('<ht>'));
    await assert.rejects(fetchFile(), /the server offers 4 bytes instead of 300000: this is not the file/);
    assert.ok(!fs.existsSync(part));
    assert.equal(server.requests.length, 1);
  });

  it('stops at the expected size when the server does not say how much it will send', async () => {
    answer((_request, response) => {
      response.writeHead(200);
      response.write(body);
      response.write(body);
    });
    await assert.rejects(fetchFile(), /the server sent more than the expected 300000 bytes/);
    assert.ok(fs.statSync(part).size <= body.length);
  });

  it('gives up in time when nothing answers, and keeps the partial file when the server stalls', async () => {
    answer(() => {});
    await assert.rejects(fetchFile({ attempts: 1, stallMs: 300 }), /the server sent nothing for 0.3 s/);
    // More than the attempts: a request may reach the server after its client gave up.
    answer(...Array(20).fill(silentAfter(body, 1000)));
    const arrived = () => fs.statSync(part, { throwIfNoEntry: false })?.size;
    // On a busy machine 300 ms may pass before anything arrives.
    for (let stallMs = 300; arrived() !== 1000 && stallMs < 60_000; stallMs *= 2) {
      const message = `the server sent nothing for ${stallMs / 1000} s`;
      await assert.rejects(fetchFile({ attempts: 1, stallMs }), { message });
    }
    assert.equal(arrived(), 1000);
  });

  it('reports the response of the server, and the redirection', async () => {
    answer(status(404));
    await assert.rejects(fetchFile(), /^Error: the server answered 404 Not Found$/);
    answer(status(302, { location: '/gone' }));
    await assert.rejects(fetchFile(), (error) =>
      error.message.endsWith(`404 Not Found (redirected to ${server.url('/gone')})`),
    );
    answer(status(301, { location: '/elsewhere' }));
    server.files.set('/elsewhere', body);
    await fetchFile();
    isWhole();
  });

  it('reports why there was no connection', async () => {
    const other = await new FileServer().start();
    const url = other.url('/wheel');
    await other.stop();
    await assert.rejects(fetchFile({ url, attempts: 1 }), /ECONNREFUSED/);
  });

  it('sends the user and password of an address to that server only, and does not print them', async () => {
    const other = await new FileServer().start();
    const seen = [];
    const note = (then) => (request, response) => {
      seen.push([request.url, request.headers.authorization]);
      then(request, response);
    };
    answer(note(status(302, { location: '/here' })));
    server.answers.set('/here', [note(status(302, { location: other.url('/there') }))]);
    other.answers.set('/there', [note(status(404))]);
    const url = server.url('/wheel').replace('//', '//us%40er:sec%zzret@');
    await assert.rejects(fetchFile({ url }), (error) => {
      assert.doesNotMatch(`${error.message} ${error.cause.message}`, /sec|us%/);
      return error.message.endsWith(`404 Not Found (redirected to ${other.url('/there')})`);
    });
    await other.stop();
    const basic = `Basic ${Buffer.from('us@er:sec%zzret').toString('base64')}`;
    assert.deepEqual(seen, [
      ['/wheel', basic],
      ['/here', basic],
      ['/there', undefined],
    ]);
  });

  describe('through a proxy', () => {
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'];
    let proxy;
    let before;

    beforeEach(async () => {
      before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
      for (const name of names) delete process.env[name];
      proxy = await startProxy(new URL(server.url()).port);
    });

    afterEach(() => {
      for (const name of names) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
      proxy.stop();
    });

    for (const [name, value] of [
      ['HTTP_PROXY', (address) => `http://${address}`],
      ['http_proxy', (address) => `http://${address}/`],
      ['HTTP_PROXY', (address) => address],
    ]) {
      it(`asks the one that ${name} names as ${value('host:port')}`, async () => {
        process.env[name] = value(proxy.address);
        await fetchFile({ url: 'http://download.test/wheel' });
        isWhole();
        assert.deepEqual(proxy.requests, ['GET http://download.test/wheel']);
      });
    }

    it('asks the one that HTTPS_PROXY names to pass https: through', async () => {
      process.env.HTTPS_PROXY = `http://${proxy.address}`;
      // The server behind the proxy does not speak TLS.
      await assert.rejects(fetchFile({ url: 'https://download.test/wheel', attempts: 1 }), /SSL|TLS|EPROTO/i);
      assert.deepEqual(proxy.requests, ['CONNECT download.test:443']);
    });

    it('uses no proxy for servers in NO_PROXY', async () => {
      process.env.HTTP_PROXY = `http://${proxy.address}`;
      for (const name of ['NO_PROXY', 'no_proxy']) {
        process.env[name] = 'localhost,127.0.0.1';
        fs.rmSync(part, { force: true });
        await fetchFile();
        isWhole();
        delete process.env[name];
      }
      assert.deepEqual(proxy.requests, []);
    });

    it('reports at once that the proxy refuses the password, and prints neither', async () => {
      let asked = 0;
      const refusing = http.createServer((_request, response) => {
        asked++;
        status(407, { 'proxy-authenticate': 'Basic' })(_request, response);
      });
      refusing.on('connect', (_request, socket) => {
        asked++;
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
      });
      await new Promise((resolve) => refusing.listen(0, '127.0.0.1', resolve));
      process.env.HTTP_PROXY = `http://user:secret@127.0.0.1:${refusing.address().port}`;
      for (const scheme of ['http', 'https']) {
        await assert.rejects(fetchFile({ url: `${scheme}://download.test/wheel` }), (error) => {
          assert.doesNotMatch(error.message, /secret/);
          return /the proxy did not accept the user and password, or needs them \(407\): set HTTP_PROXY/.test(
            error.message,
          );
        });
      }
      refusing.closeAllConnections();
      await new Promise((resolve) => refusing.close(resolve));
      assert.equal(asked, 2);
    });

    for (const [value, shown] of [
      ['http://[bad', 'http://[bad'],
      ['ftp://x:1', 'ftp://x:1'],
      ['user:secret@x:port', 'http://x:port'],
      ['http://user:sec%ret@x:1', 'http://x:1/'],
    ]) {
      it(`says that HTTPS_PROXY=${value} is not a proxy, whatever is fetched`, async () => {
        process.env.HTTPS_PROXY = value;
        const text = `Expected an address such as http://host:port in HTTPS_PROXY, with %25 for each % in its password, but received '${shown}'`;
        await assert.rejects(fetchFile(), { name: 'LearnError', code: 'ERR_INVALID_OPTION', message: text });
        assert.deepEqual(server.requests, []);
      });
    }

    it('reports that the proxy cannot be reached', async () => {
      process.env.HTTP_PROXY = `http://${proxy.address}`;
      proxy.stop();
      await assert.rejects(fetchFile({ attempts: 1 }), /ECONNREFUSED/);
    });
  });

  it('ends with the reason of an abort', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    answer(
      silentAfter(body, 1000, () => controller.abort(reason)),
      serve(body),
    );
    await assert.rejects(fetchFile({ signal: controller.signal }), reason);
    await fetchFile();
    isWhole();
  });
});
