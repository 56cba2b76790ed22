// Tests that text from files and folders is printed safely and never without end: names, keys, metadata and paths may hold escape
// sequences, and a small file may hold values that are endless when they are written out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { deflated, dict, entry, list, safetensors, training } from '../attacks/build.mjs';
import { temporaryFolder } from '../support.mjs';
import { call, checkpoint, p, pickle, records, tensor, zip } from '../unit/checkpoint-support.mjs';
import { binary, run } from './run.mjs';

const escapes = '\x1b]0;owned\x07\x1b[31m\x9b2J\u202e';
const shown = '\\u001b]0;owned\\u0007\\u001b[31m\\u009b2J\\u202e';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are searched for
const obeyed = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/;

const files = {
  'a name': checkpoint(pickle(null, [p.text(`w${escapes}`), tensor()])),
  'a key of the metadata': checkpoint(training(dict(p.text(`k${escapes}`), p.int(1)))),
  'a value of the metadata': checkpoint(training(dict(p.text('k'), p.text(`v${escapes}`)))),
  'a class': checkpoint(training(call(`m${escapes}`, 'C'))),
  'a key of weights': checkpoint(
    pickle(null, [
      [p.text(`a${escapes}`), dict(p.text('w'), tensor())],
      [p.text('b'), dict(p.text('w'), tensor())],
    ]),
  ),
  'a top folder': zip(records().map(([name, data]) => [name.replace('x/', `x${escapes}/`), data])),
  'the strings of a safetensors file': safetensors({
    __metadata__: { [`k${escapes}`]: `v${escapes}` },
    [`w${escapes}`]: entry(),
  }),
};

/** Makes Node treat its pipes as a terminal. */
const asTerminal = 'process.stdout.isTTY = process.stderr.isTTY = true;';

const laughs = list(
  [p.emptyList, p.put(0)],
  Array.from({ length: 60 }, (_, i) => [list(p.get(i), p.get(i)), p.put(i + 1)]),
);
const wide = (depth) => [
  [p.emptyDict, p.put(0)],
  Array.from({ length: depth }, (_, i) => [
    [p.emptyDict, p.mark, Array.from({ length: 12 }, (_, key) => [p.int(key), p.get(i)]), p.setItems],
    p.put(i + 1),
  ]),
];
const packed = (data) => zip([deflated(['x/data.pkl', data]), ...records().slice(1)]);
const endless = {
  'lists of two lists, 60 deep': packed(training(laughs)),
  'dicts of twelve dicts, eight deep': packed(training(list(wide(8)))),
  'a text of a megabyte, 100,000 times': packed(
    training([
      [p.emptyList, p.text('t'.repeat(2 ** 20)), p.put(0), p.append],
      [p.mark, Buffer.alloc(200_000, 'h\0', 'latin1'), p.appends],
    ]),
  ),
  'a key that is a tree of tuples': packed(
    training([
      p.emptyDict,
      [')', p.put(0), Array.from({ length: 60 }, (_, i) => [p.get(i), p.tuple2, p.put(i + 1)])],
      [p.none, p.setItem],
    ]),
  ),
};

describe('text from a file, on the command line', () => {
  const temporary = temporaryFolder();
  const written = (content, name = 'file.pth') => {
    fs.writeFileSync(temporary(name), content);
    return temporary(name);
  };

  for (const [what, content] of Object.entries(files)) {
    it(`is printed as text if ${what} holds escape sequences`, async () => {
      const file = written(content);
      const plain = await run(['inspect', file]);
      assert.equal(plain.code, 0, plain.stderr);
      assert.doesNotMatch(plain.stdout + plain.stderr, obeyed);
      const json = await run(['inspect', file, '--json']);
      assert.doesNotMatch(json.stdout, obeyed);
      assert.ok(JSON.stringify(JSON.parse(json.stdout)).includes('2J'));
    });
  }

  it('is printed as text if its path holds escape sequences, also in errors', async () => {
    const good = await run(['inspect', written(checkpoint(), `good${escapes}.pth`)]);
    assert.equal(good.code, 0, good.stderr);
    assert.ok(good.stdout.includes(`good${shown}.pth`), good.stdout);
    assert.doesNotMatch(good.stdout, obeyed);
    for (const command of ['inspect', 'evaluate', 'train', 'versions', 'repair']) {
      const { code, stdout, stderr } = await run([command, written('junk', `bad${escapes}.pth`)]);
      assert.notEqual(code, 0);
      assert.doesNotMatch(stdout + stderr, obeyed, command);
    }
  });

  it('has no colours of its own on a terminal, unlike our text', async () => {
    const file = written(files['a name'], `good${escapes}.pth`);
    const env = { TERM: 'xterm', NO_COLOR: undefined, CI: undefined };
    fs.writeFileSync(temporary('terminal.cjs'), asTerminal);
    const args = [temporary('terminal.cjs'), binary, 'inspect', file];
    const { code, stdout, stderr } = await run(args, { script: '--require', env });
    assert.equal(code, 0, stderr);
    assert.ok(
      stdout.startsWith(`\x1b[1m${temporary(`good${shown}.pth`)}\x1b[22m: `),
      JSON.stringify(stdout.slice(0, 300)),
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are searched for
    assert.doesNotMatch(stdout.replace(/\x1b\[(1|2|22)m/g, ''), obeyed);
  });

  for (const [what, content] of Object.entries(endless)) {
    it(`is bounded: ${what}`, async () => {
      const file = written(content);
      const plain = await run(['inspect', file]);
      assert.equal(plain.code, 0, plain.stderr);
      assert.ok(plain.stdout.length < 2 ** 18, `${plain.stdout.length} characters`);
      const json = await run(['inspect', file, '--json']);
      assert.equal(json.code, 0, json.stderr);
      assert.ok(json.stdout.length < 2 ** 26, `${json.stdout.length} characters`);
      assert.equal(JSON.parse(json.stdout).tensors.length, 1);
      // A key is not printed as a tree; a value that is too large is marked.
      if (!what.includes('a key')) assert.match(json.stderr, /too large to be printed whole/);
    });
  }
});
