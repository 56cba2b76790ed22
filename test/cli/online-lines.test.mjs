import assert from 'node:assert/strict';
import lines from '../../dist/cli/online/lines.js';

const { linesOf } = lines;

/** What linesOf() makes of chunks; undefined for lines that are too long. */
async function read(chunks, longest) {
  const found = [];
  for await (const { number, bytes } of linesOf(chunks, { longest }))
    found.push([number, bytes && Buffer.from(bytes).toString()]);
  return found;
}

async function* cut(text, sizes) {
  const bytes = Buffer.from(text);
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const size = sizes[i % sizes.length];
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

describe('command line: the lines that online reads', () => {
  it('are the same however the stream is divided into chunks', async () => {
    const text = 'one\n\ntwo ü\nthree\r\n\nlast';
    const expected = text.split('\n').map((line, i) => [i + 1, line]);
    for (const sizes of [[1], [2], [3, 1], [5], [100]]) assert.deepEqual(await read(cut(text, sizes), 10), expected);
    assert.deepEqual(await read(cut(`${text}\n`, [4]), 10), expected);
  });

  it('are reported once if they are too long, with the right number, and the following ones are read', async () => {
    const text = `1234\n12345\n${'x'.repeat(100)}\n1234\n${'y'.repeat(50)}`;
    const expected = [
      [1, '1234'],
      [2, undefined],
      [3, undefined],
      [4, '1234'],
      [5, undefined],
    ];
    for (const sizes of [[1], [3], [7, 2], [1000]]) assert.deepEqual(await read(cut(text, sizes), 4), expected);
  });

  it('are reported before their end if they are too long', async () => {
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(3, 'x');
    })();
    const { value } = await linesOf(endless, { longest: 10 }).next();
    assert.deepEqual(value, { number: 1, bytes: undefined });
  });

  it('are complete even if they are longer than the room for a beginning', async () => {
    const long = Array.from({ length: 200_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
    const expected = [
      [1, long],
      [2, 'short'],
      [3, long],
    ];
    assert.deepEqual(await read(cut(`${long}\nshort\n${long}`, [65_536]), 200_000), expected);
    assert.deepEqual(await read(cut(`${long}\nshort\n${long}`, [1000, 70_000]), 2 ** 20), expected);
  });
});
