// Peers of `torch-incremental online` cannot disturb one another.
import assert from 'node:assert/strict';
import { converse, settle, termsOf } from './online-peers-support.mjs';

const sample = '{"input": [1, 2, 3, 4, 5, 6, 7, 8]}\n';

describe('command line: the first line of a peer of online', () => {
  const lines = `{"input": [1,2,3,4,5,6,7,8], "label": 3, "id": "evil"}\n{"rollback": 0}\n{"metrics": true}\n`;
  const post = (path, head = 'Content-Type: text/plain') =>
    `POST /${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${head}\r\nContent-Length: ${lines.length}\r\n\r\n${lines}`;
  const strangers = {
    'a POST': post(''),
    'a POST with a URL of 9,000 letters': post('a'.repeat(9000)),
    'a POST with a URL longer than any line': post('a'.repeat(200_000)),
    'a POST whose URL holds lines of JSON': post('{"rollback":0}'),
    'a request in small letters': post('').toLowerCase(),
    'a request with another method': `{POST / HTTP/1.1\r\n\r\n${lines}`,
    'a proxy header': `PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n${lines}`,
    'HTTP/2': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${lines}`,
    'a TLS hello': Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0]), Buffer.from(`\n${lines}`)]),
    'a byte order mark': `\ufeff${lines}`,
    'UTF-16': Buffer.from(lines, 'utf16le'),
    'a blank line': `\n${lines}`,
    'a blank line of HTTP': `\r\n${lines}`,
    'blanks without end': `${' '.repeat(200_000)}\n${lines}`,
    'an array': `[1]\n${lines}`,
    'a string': `"x"\n${lines}`,
    null: `null\n${lines}`,
    'half an object': `{"metrics": true\n${lines}`,
    'two objects': `{"metrics": true}{"metrics": true}\n${lines}`,
    'bytes that are no UTF-8': Buffer.concat([
      Buffer.from('{"id": "'),
      Buffer.from([0xff]),
      Buffer.from(`"}\n${lines}`),
    ]),
    'a line that is too long': `{"id": "${'a'.repeat(200_000)}"}\n${lines}`,
  };
  for (const [name, bytes] of Object.entries(strangers)) {
    it(`ends the conversation if it is not a JSON object: ${name}`, async () => {
      for (const size of [1, 7, 1000, 65_536]) {
        if (size === 1 && bytes.length > 20_000) continue;
        const all = Buffer.from(bytes);
        const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
          all.subarray(i * size, (i + 1) * size),
        );
        const terms = termsOf();
        const { written, done } = converse(terms, chunks);
        await done;
        assert.deepEqual(terms.asked, []);
        assert.equal(written.length, 1);
        assert.equal(written[0].error.code, 'ERR_DATA_FORMAT');
        assert.equal(written[0].line, 1);
        assert.equal(terms.room.taken, 0);
      }
    });
  }

  it('may be a request that is refused: lines after it are read', async () => {
    const terms = termsOf();
    const { written, done } = converse(terms, ['  {"inptu": 1}\n', 'hello\n', '\n', '{"metrics": true}\r\n']);
    await done;
    assert.deepEqual(
      written.map(({ error, line }) => [error?.code, line]),
      [
        ['ERR_INVALID_OPTION', 1],
        ['ERR_DATA_FORMAT', 2],
        [undefined, undefined],
      ],
    );
    assert.equal(terms.asked.length, 1);
  });

  it('is like any other on standard input', async () => {
    const terms = termsOf();
    const { written, done } = converse(terms, ['\ufeff{"metrics": true}\nPOST / HTTP/1.1\n{"metrics": true}\n'], {
      trusted: true,
    });
    await done;
    assert.deepEqual(
      written.map(({ error }) => error?.code),
      [undefined, 'ERR_DATA_FORMAT', undefined],
    );
  });
});

describe('command line: a peer of online among others', () => {
  it('waits for at most one line of each other, however many lines those have sent', async () => {
    const terms = termsOf({ lines: 1000 });
    const floods = Array.from({ length: 20 }, () => converse(terms, [sample.repeat(2000)]));
    await settle(3);
    const before = terms.asked.length;
    assert.ok(before > 0);
    const one = converse(terms, ['{"metrics": true}\n']);
    await one.done;
    const between = terms.asked.findIndex(({ kind }) => kind === 'metrics') - before;
    // Bytes that one turn of the event loop reads, and a round.
    assert.ok(between <= 65_536 / 512 + 20 + 1, `${between} lines`);
    assert.ok(terms.asked.length < 20 * 2000);
    await Promise.all(floods.map(({ done }) => done));
    assert.equal(terms.asked.length, 20 * 2000 + 1);
  });

  it('takes no more than a part of a turn of the event loop, whatever its lines are', async () => {
    for (const line of ['\n', '{}\n', 'x\n', `${'['.repeat(400)}\n`]) {
      const terms = termsOf({ lines: 100_000 });
      const { written, done } = converse(terms, [`{"metrics": true}\n${line.repeat(20_000)}{"metrics": true}\n`]);
      let turns = 0;
      let most = 0;
      let last = 0;
      let isDone = false;
      done.then(() => {
        isDone = true;
      });
      while (!isDone) {
        await settle(1);
        turns++;
        most = Math.max(most, written.length - last);
        last = written.length;
      }
      assert.ok(turns >= (20_000 * (512 + line.length - 1)) / 65_536 / 2, `${turns} turns`);
      assert.ok(most <= 2 * (65_536 / 512 + 1), `${most} answers`);
      assert.equal(terms.asked.length, 2);
    }
  });

  it('that does not read its answers pauses its own input, and no other peer waits for it', async () => {
    const terms = termsOf();
    const deaf = Array.from({ length: 30 }, () => converse(terms, [sample.repeat(5000)], { reads: false }));
    await settle();
    assert.equal(terms.asked.length, 30 * terms.limits.lines);
    assert.ok(terms.room.taken <= terms.limits.shared);
    const other = converse(terms, [sample.repeat(100)]);
    await other.done;
    assert.equal(other.written.length, 100);
    for (const { conversation } of deaf) conversation.evict();
    await Promise.all(deaf.map(({ done }) => done));
    assert.equal(terms.room.taken, 0);
  });

  it('gets short lines answered while others fill the shared memory with lines that never end', async () => {
    const terms = termsOf({ own: 10_000, shared: 1_000_000 });
    const room = terms.limits.line + terms.limits.answer - terms.limits.own;
    const half = `{"id": "${'a'.repeat(50_000)}`;
    const halves = Array.from({ length: 40 }, () => converse(terms, [half], { end: false }));
    await settle();
    const count = Math.floor(1_000_000 / room);
    assert.equal(terms.room.taken, count * room);
    const other = converse(terms, [sample.repeat(100)]);
    await other.done;
    assert.equal(other.written.length, 100);
    // One that ends its line makes room for the next.
    halves[0].input.end('"}\n');
    await halves[0].done;
    await settle();
    assert.equal(halves[0].written[0].error.code, 'ERR_INVALID_OPTION');
    assert.equal(terms.room.taken, count * room);
    for (const { conversation } of halves.slice(1)) conversation.evict();
    await Promise.all(halves.map(({ done }) => done));
    assert.equal(terms.room.taken, 0);
  });

  it('has to leave when others wait for memory that it keeps by not ending a line or not reading answers', async () => {
    const terms = termsOf({ own: 10_000, shared: 300_000, patienceMs: 20 });
    const half = `{"id": "${'a'.repeat(50_000)}`;
    const halves = Array.from({ length: 4 }, () => converse(terms, [half], { end: false }));
    await settle();
    // Nobody else needs it.
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.ok(halves.every(({ dismissed }) => dismissed.length === 0));
    const long = converse(terms, Array(40).fill(`{"input": [1, 2, 3, 4, 5, 6, 7, 8${' '.repeat(60_000)}]}\n`));
    const more = Array.from({ length: 3 }, () => converse(terms, [half, '"}\n']));
    await long.done;
    assert.equal(long.written.length, 40);
    assert.ok(long.written.every(({ error }) => !error));
    await Promise.all(more.map(({ done }) => done));
    assert.ok(halves.some(({ dismissed }) => dismissed.length === 1));
    for (const { dismissed } of halves) for (const error of dismissed) assert.equal(error.code, 'ERR_BUSY');
    assert.ok([long, ...more].every(({ dismissed }) => dismissed.length === 0));
    for (const { conversation } of halves) conversation.evict();
    await Promise.all(halves.map(({ done }) => done));
    assert.equal(terms.room.taken, 0);
  });

  it('always finishes a long line, however many others send theirs at the same time', async () => {
    const terms = termsOf({ own: 10_000, shared: 150_000 });
    const peers = Array.from({ length: 30 }, () => converse(terms, [], { end: false }));
    for (let piece = 0; piece < 60; piece++) {
      for (const { input } of peers) input.write(piece === 0 ? '{"input": [1, 2, 3, 4, 5, 6, 7, 8' : ' '.repeat(1000));
      await settle(1);
      assert.ok(terms.room.taken <= 150_000);
    }
    for (const { input } of peers) input.end(']}\n');
    await Promise.all(peers.map(({ done }) => done));
    assert.ok(peers.every(({ written, dismissed }) => written.length === 1 && dismissed.length === 0));
    assert.equal(terms.asked.length, 30);
    assert.equal(terms.room.taken, 0);
  });

  for (const turns of [0, 1, 2, 3, 10])
    it(`ends when the command stops, whatever it waits for, after ${turns} turns`, async () => {
      const terms = termsOf({ own: 10_000, shared: 150_000 });
      const half = `{"id": "${'a'.repeat(50_000)}`;
      const peers = [
        ...Array.from({ length: 5 }, () => converse(terms, [half], { end: false })),
        ...Array.from({ length: 5 }, () => converse(terms, [sample.repeat(1000)])),
        converse(terms, [], { end: false }),
        ...Array.from({ length: 20 }, () => converse(terms, [half, '"}\n'], { end: false })),
      ];
      // In another moment each time.
      await settle(turns);
      for (const { conversation } of peers) conversation.stop();
      await Promise.all(peers.map(({ done }) => done));
      assert.ok(peers.flatMap(({ written }) => written).every(({ error }) => !error));
      assert.equal(peers.flatMap(({ written }) => written).length, terms.asked.length);
      assert.equal(terms.room.taken, 0);
    });

  it('takes no room after it has left, even if it was not waiting', async () => {
    const { room } = termsOf({ own: 10, shared: 100 });
    const [one, other] = [room.for({ quietSince: undefined }), room.for({ quietSince: undefined })];
    assert.ok(await one.take(105));
    other.leave();
    assert.equal(await other.take(50), undefined);
    assert.equal(room.taken, 95);
  });

  it('may stay however long its lines are worked on, though others wait', async () => {
    let release;
    const released = new Promise((resolve) => {
      release = resolve;
    });
    const terms = termsOf({ own: 1000, shared: 20_000, patienceMs: 5, answer: () => released });
    const peers = Array.from({ length: 5 }, () => converse(terms, [sample.repeat(10)]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(terms.room.taken <= 20_000);
    assert.ok(terms.asked.length < 50);
    release({});
    await Promise.all(peers.map(({ done }) => done));
    assert.ok(peers.every(({ written, dismissed }) => written.length === 10 && dismissed.length === 0));
    assert.equal(terms.room.taken, 0);
  });

  it('keeps nothing of a line that is too long, and continues after it', async () => {
    const terms = termsOf();
    const part = Buffer.alloc(65_536, 'a');
    const { input, written, done } = converse(terms, ['{"metrics": true}\n'], { end: false });
    const kept = [];
    for (let i = 0; i < 400; i++) {
      input.write(part);
      await settle(1);
      kept.push(terms.room.taken);
    }
    assert.equal(written.length, 2);
    assert.equal(
      written[1].error.message,
      `Expected a line of at most ${terms.limits.line} bytes: a sample of uint8 values, [8], needs no more`,
    );
    assert.ok(kept.every((bytes) => bytes <= terms.limits.line + terms.limits.answer));
    assert.equal(kept.at(-1), 0);
    input.end('\n{"metrics": true}\n');
    await done;
    assert.equal(terms.asked.length, 2);
    assert.equal(written.length, 3);
  });
});
