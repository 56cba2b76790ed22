// Floods at a port of `torch-incremental online`: it survives, its memory is bounded, and its accounts are exact.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createState, net as model, saveState } from 'torch-incremental';
import connections from '../../dist/cli/online/connections.js';
import { madeUpImages, root, temporaryFolder } from '../support.mjs';
import { begin, beginAt, endLeftovers, formOf, lessons, peerOf, take } from './online-support.mjs';

const { Connections, connectionsOf } = connections;

describe('command line: online, flooded', () => {
  const at = temporaryFolder();
  const images = madeUpImages(40);
  const [lesson] = lessons(images);
  const { input } = JSON.parse(lesson);

  before(async () => {
    await saveState(await createState(model(), { seed: 0 }), at('net.pth'));
  });
  afterEach(endLeftovers);

  const listening = (dir, args = [], options = {}) =>
    beginAt(['--port', '0'], ['net.pth', '--dir', dir, '--threads', '1', ...args], { cwd: at(), ...options });

  /** Sends all that, and the end; resolves with the answers. */
  async function talk({ connect }, ...chunks) {
    const { socket, answers } = connect();
    const sent = (async () => {
      for (const chunk of chunks)
        if (!socket.write(chunk))
          await new Promise((resolve) => {
            socket.once('drain', resolve);
            socket.once('close', resolve);
          });
      socket.end();
    })();
    const found = [];
    for await (const answer of answers) found.push(answer);
    await sent;
    return found;
  }

  async function accounts(running) {
    const [{ metrics }] = await talk(running, '{"metrics": true}\n');
    const { offered, learned, dropped, quarantined, duplicates, queued } = metrics;
    assert.equal(offered, learned + dropped + quarantined + duplicates + queued);
    return { offered, learned, quarantined, duplicates };
  }

  const peak = ({ child }) =>
    Number(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/VmHWM:\s+(\d+) kB/)[1]) / 1024;

  it('refuses lines that are longer than a sample can be, whatever they contain', async () => {
    const running = await listening('long lines');
    await accounts(running);
    const before = peak(running);
    const size = 4 * 2 ** 20;
    const filled = (begin, unit, end) => `${begin}${unit.repeat((size - begin.length) / unit.length)}${end}\n`;
    const keys = Array.from({ length: 300_000 }, (_, i) => `"k${i}":0`).join(',');
    const lines = [
      filled('{"input":[', '0,', '0]}'),
      filled('{"label":1,"input":[', '0,', '0]}'),
      filled('{"input":[', '{},', '0]}'),
      filled('{"input":', '[', ''),
      filled('{"label":1,"input":"', 'AAAA', '"}'),
      filled(`{"input":"${input}","label":1,"id":"`, 'x', '"}'),
      `{${keys}}\n`,
    ];
    const peers = lines.flatMap((line) => [line, line, line, `{"metrics": true}\n${line}{"metrics": true}\n`]);
    const answers = await Promise.all(peers.map((line) => talk(running, line)));
    for (const [i, found] of answers.entries()) {
      const [refused, ...more] = found.filter(({ error }) => error);
      assert.equal(refused.error.code, 'ERR_DATA_FORMAT');
      assert.match(refused.error.message, /at most 90512 bytes/);
      assert.deepEqual(more, []);
      // Only as the first line it ends the conversation.
      assert.equal(found.length, i % 4 === 3 ? 3 : 1);
    }
    assert.deepEqual(await accounts(running), { offered: 0, learned: 0, quarantined: 0, duplicates: 0 });
    // All lines together have 112 MiB.
    assert.ok(peak(running) - before < 80, `${peak(running) - before} MiB more`);
  });

  it('refuses a line of standard input that is longer than a sample can be, without keeping it', async () => {
    const command = begin(['net.pth', '--dir', 'long'], { cwd: at() });
    await command.ask({ metrics: true });
    const before = peak(command);
    const part = Buffer.alloc(2 ** 20, 'a');
    // Reported before its end: 400 MiB of it.
    for (let i = 0; i < 400; i++)
      if (!command.child.stdin.write(part)) await new Promise((resolve) => command.child.stdin.once('drain', resolve));
    const [refused] = await take(command.answers, 1);
    assert.equal(refused.error.code, 'ERR_DATA_FORMAT');
    assert.match(refused.error.message, /at most 90512 bytes: a sample of uint8 values, \[3, 32, 32\], needs no more/);
    command.send('');
    const [alive] = await command.ask({ metrics: true });
    assert.equal(alive.metrics.learned, 0);
    assert.ok(peak(command) - before < 100, `${peak(command) - before} MiB more`);
    assert.equal((await command.finish()).code, 0);
  });

  it('keeps nothing for peers that never end a line, never read, send nonsense, or leave, and counts exactly', async () => {
    const running = await listening('peers', ['--batch-size', '20']);
    const { connect, child, ended } = running;
    await talk(running, `${lessons(images).join('\n')}\n`);
    const before = peak(running);

    const halves = Array.from({ length: 200 }, connect);
    const longer = Buffer.alloc(2 ** 22, 'a');
    for (const { socket } of halves.slice(100)) socket.write('{"id": "') && socket.write(longer);
    for (const { socket } of halves.slice(0, 100)) socket.write(`{"id": "${'a'.repeat(80_000)}`);
    const deaf = Array.from({ length: 10 }, connect);
    for (const { socket } of deaf) {
      socket.pause();
      socket.write(`{"metrics": true}\n${`{"input": "${input}"}\n`.repeat(500)}`);
    }
    const [nonsense, blank] = await Promise.all([
      talk(running, '{"metrics": true}\n', 'x\n'.repeat(20_000)),
      talk(running, '{"metrics": true}\n', '\n'.repeat(500_000), '{"metrics": true}\n'),
    ]);
    assert.equal(nonsense.length, 20_001);
    assert.equal(blank.length, 2);
    // Once more, from peers that leave: all of them are duplicates.
    const leaving = Array.from({ length: 10 }, connect);
    for (const { socket } of leaving) {
      socket.write(`${lessons(images).join('\n')}\n`);
      socket.once('connect', () => setImmediate(() => socket.resetAndDestroy()));
    }
    assert.equal((await talk(running, `${lessons(images, { first: 40 }).join('\n')}\n`)).length, 40);
    assert.ok(peak(running) - before < 250, `${peak(running) - before} MiB more`);
    for (const { socket } of [...halves, ...deaf]) socket.destroy();
    const { offered, learned, duplicates, quarantined } = await accounts(running);
    assert.equal(learned, 80);
    assert.equal(quarantined, 0);
    assert.equal(offered, learned + duplicates);
    child.kill('SIGTERM');
    assert.equal((await ended).code, 130);
    const again = await listening('peers');
    assert.equal((await accounts(again)).learned, 80);
  });

  it('has descriptors for its files, however many peers connect, and refuses peers beyond its limit', async () => {
    const often = ['--batch-size', '4', '--max-delay-ms', '1', '--gate-every', '2'];
    const running = await listening('files', often, { files: 200 });
    const good = running.connect();
    await good.ask(lesson);
    const idle = Array.from({ length: 300 }, running.connect);
    const refusals = [];
    for (const { answers } of idle) answers.next().then(({ value }) => value && refusals.push(value.error));
    // Those beyond the limit. Slow machines refuse more: of peers that are quiet for a second, each makes room for another.
    for (let i = 0; i < 3000 && refusals.length < 150; i++) await sleep(10);
    assert.ok(refusals.length >= 150, `${refusals.length} refused`);
    for (const { code, message } of refusals) {
      assert.equal(code, 'ERR_BUSY');
      assert.match(message, /^All \d+ connections are in use; try again later$|^This connection was quiet/);
    }
    const descriptors = fs.readdirSync(`/proc/${running.child.pid}/fd`).length;
    assert.ok(descriptors <= 200 - 50, `${descriptors} descriptors`);
    const answers = await good.ask(...lessons(images).slice(1));
    assert.equal(answers.filter(({ error }) => error).length, 0);
    const [{ metrics }] = await good.ask('{"metrics": true}');
    assert.equal(metrics.learned, 40);
    assert.ok(metrics.version > 0);
    // Peers that never said anything make room for one that comes later.
    await sleep(1100);
    assert.equal((await accounts(running)).learned, 40);
  });

  it('neither ends nor spins when something else has taken the last descriptor', async () => {
    // A learner that learns nothing, and whose process opens files until it may open no more.
    const script = `
      const fs = require('node:fs');
      const { Serving } = require(process.argv[1]);
      const sample = ${JSON.stringify(formOf('uint8', [8]))};
      const serving = new Serving({ sample, batchSize: 4, metrics: () => ({}), close: async () => {} });
      const turns = () => performance.nodeTiming.uvMetricsInfo.loopCount;
      process.on('message', (wanted) => {
        const files = [];
        try {
          while (wanted === 'none') files.push(fs.openSync('/dev/null'));
        } catch (error) {
          const before = turns();
          setTimeout(() => {
            for (const file of files) fs.closeSync(file);
            process.send({ code: error.code, turns: turns() - before });
          }, 500);
        }
      });
      serving.listen({ port: 0 }).then((name) => process.send(Number(name.split(':')[1])));
      serving.run(undefined);`;
    const serving = path.join(root, 'dist/cli/online/serving.js');
    const command = ['sh', ['-c', 'ulimit -n 120; exec "$0" "$@"', process.execPath, '-e', script, serving]];
    const child = spawn(...command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const says = async () => (await once(child, 'message'))[0];
    const port = await says();
    const connect = () => net.connect(port, '127.0.0.1').on('error', () => {});
    child.send('none');
    const peers = Array.from({ length: 20 }, connect);
    const { code, turns } = await says();
    assert.equal(code, 'EMFILE');
    assert.ok(turns < 200, `${turns} turns of the event loop`);
    const { ask } = peerOf(...Array(2).fill(connect()));
    assert.deepEqual(await ask('{"metrics": true}'), [{ metrics: {} }]);
    for (const peer of peers) peer.destroy();
    child.kill();
  });

  describe('at its limit of connections', () => {
    const servers = [];
    afterEach(() => {
      for (const server of servers) server.close();
    });

    /** A server, and what it knows of its peers, by the order in which they came. */
    async function served(most) {
      const admitted = [];
      const connections = new Connections(most);
      const server = net.createServer((socket) => {
        if (!connections.admit(socket)) return;
        admitted.push(socket);
        socket.resume();
      });
      servers.push(server);
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const connect = async () => {
        const socket = net.connect(server.address().port, '127.0.0.1');
        let text = '';
        socket.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', () => resolve(text)));
        const count = admitted.length;
        await new Promise((resolve) => socket.once('connect', resolve));
        for (let i = 0; i < 100 && admitted.length === count; i++)
          await new Promise((resolve) => setImmediate(resolve));
        return { socket, closed, admitted: admitted.length > count ? admitted.at(-1) : undefined };
      };
      return { connections, connect };
    }

    it('closes strangers first, then the peer that was quiet for longest, and none that waits for an answer', async () => {
      const { connections, connect } = await served(4);
      const peers = [await connect(), await connect(), await connect(), await connect()];
      const now = performance.now();
      const visits = [
        { quietSince: undefined, hasSpoken: true },
        { quietSince: now - 40_000, hasSpoken: true },
        { quietSince: now - 2000, hasSpoken: false },
        { quietSince: now - 2000, hasSpoken: true },
      ];
      for (const [i, visit] of visits.entries()) connections.follow(peers[i].admitted, visit);
      for (const gone of [2, 1]) {
        const { admitted } = await connect();
        assert.ok(admitted);
        connections.follow(admitted, { quietSince: undefined, hasSpoken: false });
        assert.match(await peers[gone].closed, /^\{"error":\{"code":"ERR_BUSY","message":"This connection was quiet/);
      }
      const refused = await connect();
      assert.equal(refused.admitted, undefined);
      const { error } = JSON.parse(await refused.closed);
      assert.deepEqual(error, { code: 'ERR_BUSY', message: 'All 4 connections are in use; try again later' });
      // A place is free as soon as a peer leaves.
      peers[3].socket.destroy();
      await sleep(20);
      assert.ok((await connect()).admitted);
      connections.destroyAll();
    });

    it('holds no descriptor of a peer that is refused, even for a turn', async () => {
      const { connections, connect } = await served(1);
      await connect();
      const before = fs.readdirSync('/proc/self/fd').length;
      const refused = await Promise.all(Array.from({ length: 50 }, connect));
      for (const { closed } of refused) assert.match(await closed, /ERR_BUSY/);
      assert.ok(fs.readdirSync('/proc/self/fd').length <= before);
      connections.destroyAll();
    });

    it('leaves 64 descriptors to the files of the learner, or reports that there are too few', () => {
      assert.equal(connectionsOf(1_000_000, 30), 1024);
      assert.equal(connectionsOf(Number.POSITIVE_INFINITY, 30), 1024);
      assert.equal(connectionsOf(256, 30), 162);
      assert.throws(() => connectionsOf(90, 30), {
        code: 'ERR_FILE',
        message: 'This process may open 90 files, and needs 95 to serve peers: see ulimit -n',
      });
    });
  });
});
