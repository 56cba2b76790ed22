// `torch-incremental online` at a Unix socket and at a port: several peers at once, and the limits of their rights.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createState, net as model, saveState } from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { begin, beginAt, endLeftovers, lessons } from './online-support.mjs';

describe('command line: online, at sockets', () => {
  const at = temporaryFolder();
  const images = madeUpImages(40);

  const original = process.cwd();

  before(async () => {
    // The path of a socket may have 107 bytes; that of the folder may have more.
    process.chdir(at());
    await saveState(await createState(model(), { seed: 0 }), at('net.pth'));
  });

  after(() => process.chdir(original));
  afterEach(endLeftovers);

  const listening = (dir, where, ...args) =>
    beginAt(where, ['net.pth', '--dir', dir, '--threads', '1', ...args], { cwd: at() });

  const places = [
    ['a Unix socket', ['--listen', 'learner.sock']],
    ['a port', ['--port', '0']],
  ];
  for (const [name, where] of places) {
    it(`learns from two peers at once at ${name}, and answers each in the order of its own lines`, async () => {
      const batch = ['--batch-size', '10', '--max-delay-ms', '600000'];
      const { connect, child, ended } = await listening(`peers ${where[0]}`, where, ...batch);
      const [one, other] = [connect(), connect()];
      const [first, second] = [lessons(images).slice(0, 15), lessons(images).slice(15)];
      // Neither fills its last batch alone: 15 and 25 of 10.
      const [answers, others] = await Promise.all([one.ask(...first), other.ask(...second)]);
      const expected = Array.from({ length: 40 }, (_, i) => `image ${i}`);
      assert.deepEqual(
        [...answers, ...others].map(({ id }) => id),
        expected,
      );
      const [{ metrics }] = await one.ask('{"metrics": true}');
      assert.equal(metrics.learned, 40);
      assert.equal(metrics.updates, 4);
      child.kill('SIGINT');
      assert.equal((await other.answers.next()).done, true);
      const { code, stderr } = await ended;
      assert.equal(code, 130);
      assert.match(stderr, /\nLearned 40 samples in 4 updates; /);
      assert.ok(!fs.existsSync(at('learner.sock')));
    });
  }

  it('answers a peer that has closed its side, and tolerates one that just leaves', async () => {
    const { connect } = await listening('leaving', ['--port', '0']);
    const [one, other] = [connect(), connect()];
    other.send(...lessons(images));
    other.socket.once('connect', () => other.socket.resetAndDestroy());
    one.socket.end(lessons(images).join('\n'));
    let answered = 0;
    for await (const { id } of one.answers) assert.equal(id, `image ${answered++}`);
    assert.equal(answered, 40);
    const [{ metrics }] = await connect().ask('{"metrics": true}');
    assert.equal(metrics.learned, 40);
  });

  it('is open to this user alone', async () => {
    await listening('mode', ['--listen', 'mode.sock']);
    assert.equal(fs.statSync(at('mode.sock')).mode & 0o077, 0);
  });

  it('listens at the socket of a killed process, but not where another one listens or another file exists', async () => {
    const { child, ended } = await listening('left', ['--listen', 'left.sock']);
    child.kill('SIGKILL');
    await ended;
    assert.ok(fs.existsSync(at('left.sock')));
    const { connect } = await listening('left', ['--listen', 'left.sock']);
    assert.equal((await connect().ask('{"metrics": true}'))[0].metrics.learned, 0);

    const second = await begin(['net.pth', '--dir', 'second', '--listen', 'left.sock'], { cwd: at() }).ended;
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^error\[EADDRINUSE\]: /);
    const third = await begin(['net.pth', '--dir', 'third', '--listen', 'net.pth'], { cwd: at() }).ended;
    assert.equal(third.code, 1);
    assert.match(third.stderr, /^error\[ERR_FILE\]: Cannot listen at net\.pth/);
    assert.ok(fs.existsSync(at('net.pth')));
  });

  it('writes no file for a peer', async () => {
    const { connect } = await listening('save', ['--port', '0']);
    const [{ error, line }] = await connect().ask('{"save": "net.pth"}');
    assert.equal(error.code, 'ERR_INVALID_OPTION');
    assert.match(error.message, /from standard input only/);
    assert.equal(line, 1);
  });

  it('hangs up on HTTP, which a web page can have a browser send', async () => {
    const oneBatch = ['--batch-size', '40', '--max-delay-ms', '600000'];
    const { connect } = await listening('http', ['--port', '0'], '--gate-every', '1', ...oneBatch);
    const learner = connect();
    await learner.ask(...lessons(images));
    for (const length of [9000, 200_000, 0]) {
      const page = connect();
      page.send(
        `POST /${'a'.repeat(length)} HTTP/1.1\r`,
        'Host: 127.0.0.1\r',
        '\r',
        '{"rollback": 0}',
        lessons(images)[0],
      );
      const answers = [];
      for await (const answer of page.answers) answers.push(answer);
      assert.deepEqual(
        answers.map(({ error }) => error.code),
        ['ERR_DATA_FORMAT'],
      );
      assert.match(answers[0].error.message, /^Expected lines of JSON, .* not HTTP or the like/);
    }
    const [{ metrics }] = await learner.ask('{"metrics": true}');
    assert.equal(metrics.version, 1);
    assert.equal(metrics.offered, 40);
  });

  it('answers a rollback to a version whose file is damaged with the error, and serves on', async () => {
    const often = ['--batch-size', '10', '--max-delay-ms', '600000', '--gate-every', '1'];
    const { connect, child, ended } = await listening('damaged', ['--port', '0'], ...often);
    const [one, other] = [connect(), connect()];
    await one.ask(...lessons(images).slice(0, 30));
    // Nor can it be reproduced: all snapshots are damaged too.
    for (const file of fs.readdirSync(at('damaged'), { recursive: true }))
      if (/snapshot-|version-00000000[01]\.pth$/.test(file)) fs.truncateSync(at(`damaged/${file}`), 1000);
    const [{ error }] = await one.ask('{"rollback": 1}');
    assert.match(error.message, /version-000000001\.pth/);
    await other.ask(...lessons(images).slice(30));
    const [{ metrics }] = await one.ask('{"metrics": true}');
    assert.equal(metrics.learned, 40);
    assert.equal(metrics.version, 4);
    child.kill('SIGINT');
    assert.equal((await ended).code, 130);
  });

  it('disconnects its peers and ends with exit code 1 when the learner cannot continue', async () => {
    const { connect, ended } = await listening('failing', ['--port', '0'], '--max-delay-ms', '1');
    const peers = Array.from({ length: 3 }, connect);
    for (const peer of peers) await peer.ask(lessons(images)[0]);
    fs.rmSync(at('failing'), { recursive: true });
    fs.writeFileSync(at('failing'), '');
    // A sample for the quarantine, whose file is not there any more.
    peers[0].send({ id: 1, input: [1], label: 0 });
    const [{ value }] = await Promise.all(peers.map(({ answers }) => answers.next()));
    assert.equal(typeof value.error.code, 'string');
    const { code, stderr } = await ended;
    assert.equal(code, 1);
    assert.match(stderr, /error\[\w+\]: /);
  });

  it('serves the others while one does not read its answers', async () => {
    const { connect } = await listening('slow', ['--port', '0']);
    const slow = connect();
    slow.socket.pause();
    const [input] = lessons(images).map((line) => JSON.stringify({ input: JSON.parse(line).input }));
    // Far more answers than the system keeps for it.
    for (let i = 0; i < 2000 && slow.socket.writableLength < 2 ** 20; i++) {
      slow.send(...Array(20).fill(input));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answers = await connect().ask(...lessons(images));
    assert.equal(answers.length, 40);
  });
});
