// Tests that loadState and Python's weights_only read what saveState writes: trees of all kinds of values are unchanged, except
// values that are listed as left out. SAVE_TREES_SEED sets another seed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createState, linear, loadState, Opaque, OrderedDict, saveState, sequential, Tuple } from 'torch-incremental';
import { pickleTree } from '../../dist/checkpoint/pickle/write-tree.js';
import { Float } from '../../dist/checkpoint/values.js';
import { stepTo } from '../../dist/checkpoint/writable.js';
import { writeCheckpoint } from '../../dist/checkpoint/write.js';
import { treeOf } from '../../dist/state/state.js';
import { Random } from '../fuzz/random.mjs';
import { needs, runPython, temporaryFolder } from '../support.mjs';

const seed = Number(process.env.SAVE_TREES_SEED ?? 1);
const trees = 400;

const tuple = (...items) => Tuple.from(items);
const opaque = (name, how, args, changes = {}) => Object.assign(new Opaque(name, how, args), changes);

const texts = ['', 'a', 'größe', '𝄞', '\ud800', 'a\udfff!', '__proto__', '10', '\0\n'];
const leaves = [
  () => null,
  (random) => random.once(2),
  (random) => random.below(2 ** 17) - 2 ** 16,
  (random) => (random.once(2) ? 2n : -3n) ** BigInt(60 + random.below(200)),
  (random) => random.pick([0.5, -1e-300, Number.POSITIVE_INFINITY, Number.NaN]),
  (random) => new Float(random.pick([0, -0, 1, 2 ** 60])),
  (random) => random.pick(texts) + random.pick(texts).replace(/^\p{Surrogate}/u, ''),
  (random) => Uint8Array.from({ length: random.below(4) }, () => random.below(256)),
  () => opaque('torch.float32', 'name', null),
  () => opaque('torch.Size', 'call', tuple(tuple(2, 3))),
  () => opaque('torch.device', 'call', tuple('cpu')),
  () => opaque('builtins.complex', 'call', tuple(new Float(1), -0.5)),
  () => opaque('builtins.bytearray', 'call', tuple('\xff', 'latin-1')),
  () => opaque('collections.Counter', 'call', tuple(new Map([[3, 1]]))),
  () => opaque('mine.Callback', 'name', null),
  () => opaque('argparse.Namespace', 'call', tuple(), { state: new Map([['lr', 0.1]]) }),
  () => opaque('mine.Made', 'new', tuple(1)),
  () => opaque('collections.Counter', 'call', tuple(new Map([['a', opaque('mine.Other', 'name', null)]]))),
];

function draw(random, depth, shared) {
  if (shared.length > 0 && random.once(8)) return random.pick(shared);
  if (depth > 3 || random.once(2)) return random.pick(leaves)(random);
  const items = (count = random.small(4)) => Array.from({ length: count }, () => draw(random, depth + 1, shared));
  const entries = () => items().map((key) => [key, draw(random, depth + 1, shared)]);
  const value = [
    () => items(),
    () => tuple(...items()),
    () => new Set(items()),
    () => new Map(entries()),
    () => {
      const dict = new OrderedDict(entries());
      if (random.once(2)) dict.attributes = new Map(entries());
      return dict;
    },
  ][random.below(5)]();
  shared.push(value);
  return value;
}

/** Throws unless `read` is `given` without the paths in `left`. Each path may be listed once for all ways to it. */
function compare(given, read, path, left) {
  const isLeft = (at) => left.some((line) => line.startsWith(`${at} (`));
  const inside = (value, other, at) => (isLeft(at) ? assert.equal(other, null) : compare(value, other, at, left));
  const kind = (value) => (value === null ? 'null' : typeof value === 'object' ? value.constructor.name : typeof value);
  assert.equal(kind(read), kind(given), path);
  if (given instanceof Map) {
    for (const [one, other] of [
      [given, read],
      [given.attributes ?? new Map(), read.attributes ?? new Map()],
    ]) {
      const kept = [...one].filter(([key]) => !isLeft(path + stepTo(key)));
      const found = [...other];
      // Keys with the same name are not distinguished here: the keys that were read must be among the given ones.
      assert.ok(found.length >= kept.length, path);
      if (found.length > kept.length || left.length > 0) return;
      kept.forEach(([key, item], i) => {
        compare(key, found[i][0], path, left);
        compare(item, found[i][1], path + stepTo(key), left);
      });
    }
  } else if (Array.isArray(given)) {
    assert.equal(read.length, given.length, path);
    for (const [i, item] of given.entries()) inside(item, read[i], `${path}[the number ${i}]`);
  } else if (given instanceof Set) {
    const missing = left.filter((line) => line.startsWith(`${path}[an item] (`)).length;
    assert.ok(read.size >= given.size - missing, path);
    if (missing > 0) return;
    for (const [i, item] of [...given].entries()) compare(item, [...read][i], path, left);
  } else if (given instanceof Opaque) {
    assert.deepEqual([read.name, read.how], [given.name, given.how]);
    compare(given.args, read.args, path, left);
  } else assert.deepEqual(read, given, path);
}

describe('metadata that is saved with the weights', () => {
  const temporary = temporaryFolder();
  let state;
  before(async () => {
    state = await createState(sequential([linear(1, 1)]));
    fs.mkdirSync(temporary('all'));
  });

  const around = (value) =>
    new Map([
      ['model', treeOf(state).root],
      ['x', value],
    ]);

  it(`is unchanged, or is listed as left out: ${trees} trees, seed ${seed}`, async () => {
    let whole = 0;
    for (let i = 0; i < trees; i++) {
      const root = around(draw(new Random(seed * trees + i), 0, []));
      const file = temporary(`all/${i}.pth`);
      const left = await writeCheckpoint(root, file);
      const loaded = await loadState(file, { key: 'model' });
      const read = treeOf(loaded).root.get('x');
      if (left.some((line) => line.startsWith('["x"] ('))) assert.equal(read, undefined);
      else compare(root.get('x'), read, '["x"]', left);
      if (left.length === 0) whole++;
      // The second time nothing is left out, and no byte changes.
      await saveState(loaded, temporary('again.pth'));
      assert.ok(fs.readFileSync(temporary('again.pth')).includes(pickleOf(root)), `tree ${i}`);
      loaded.dispose();
    }
    assert.ok(whole > trees / 5 && whole < trees, `${whole} trees were written whole`);
  });

  function pickleOf(root) {
    const info = { dtype: 'float32', storageBytes: 4, offset: 0 };
    const places = [
      { ...info, storage: 0, shape: [1, 1], stride: [1, 1] },
      { ...info, storage: 1, shape: [1], stride: [1] },
    ];
    return pickleTree(root, ({ index }) => places[index]).pickle;
  }

  it('is read completely by weights_only', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const script = `
import sys, os, torch, warnings
for name in os.listdir(sys.argv[1]):
    torch.load(os.path.join(sys.argv[1], name), weights_only=True)
print(len(os.listdir(sys.argv[1])))
`;
    fs.writeFileSync(temporary('load.py'), script);
    assert.equal(Number(runPython(temporary('load.py'), [temporary('all')])), trees);
  });

  const write = (value) => {
    const { left } = pickleTree(new Map([['x', value]]), assert.fail);
    return left;
  };
  const callback = (name) => opaque(`my_callbacks.${name}`, 'name', null);

  it('has no key that is an unknown class, alone or inside, as Lightning before 1.5 had: two would both be None', async () => {
    const callbacks = new Map([
      [callback('EarlyStopping'), new Map([['wait', 1]])],
      [callback('ModelCheckpoint'), new Map([['best', 2]])],
      [tuple(callback('EarlyStopping'), 1), 3],
      ['kept', 4],
    ]);
    const left = await writeCheckpoint(around(callbacks), temporary('keys.ckpt'));
    const at = '["x"][a key that is';
    const [one, two] = ['EarlyStopping', 'ModelCheckpoint'].map((name) => `my_callbacks.${name}`);
    assert.deepEqual(left, [`${at} ${one}] (${one})`, `${at} ${two}] (${two})`, `${at} Tuple] (${one})`]);
    const { metadata } = await loadState(temporary('keys.ckpt'));
    assert.deepEqual([...metadata.get('x')], [['kept', 4]]);
  });

  it('has no key and no item of a set that Python cannot hash', () => {
    for (const key of [[], new Map(), new Set(), tuple([1])]) {
      assert.equal(write(new Map([[key, 1]])).length, 1);
      assert.equal(write(new Set([key])).length, 1);
    }
    assert.deepEqual(write(new Map([[tuple(1, tuple('a')), 1]])), []);
  });

  it('has no text, bytes or depth that cannot be loaded', () => {
    const bytes = new Uint8Array(2 ** 19 + 1).fill(255);
    assert.deepEqual(write(bytes), ['["x"] (bytes that take over 1 MiB as a text)']);
    assert.deepEqual(write(bytes.subarray(1)), []);
    assert.deepEqual(write(['x'.repeat(2 ** 20 + 1)]), ['["x"][the number 0] (a text of over 1 MiB)']);
    const nested = (depth) => Array.from({ length: depth }).reduce((inner) => [inner], 'end');
    assert.deepEqual(write(nested(255)), []);
    assert.match(write(nested(257))[0], /\(nested deeper than 256\)$/);
    const deep = Array.from({ length: 256 }).reduce((inner) => tuple(inner), 1);
    assert.deepEqual(write(new Map([[deep, 1]])), ['["x"][a key that is Tuple] (nested deeper than 256)']);
  });

  it('is checked quickly if values contain each other in too many ways to follow', () => {
    let inner = tuple(callback('EarlyStopping'));
    for (let i = 0; i < 200; i++) inner = tuple(inner, inner);
    assert.equal(write(new Map([[inner, 1]])).length, 1);
  });
});
