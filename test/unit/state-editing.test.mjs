// States that are edited: State.from, select, without, renamed, with and merge share tensors, keep what else a file held, and change
// nothing that they are given.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  linear,
  loadState,
  merge,
  OrderedDict,
  relu,
  residual,
  State,
  saveState,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';

const golden = (name) => path.join(root, 'test/golden/checkpoints', name);
const model = sequential(
  {
    ...{
      conv: conv2d(3, 4, 3),
      bn: batchNorm2d(4),
      relu: relu(),
      block: residual({ conv: conv2d(4, 4, 1), relu: relu() }),
    },
    fc: linear(4, 2),
  },
  { input: [3, 8, 8] },
);
const small = sequential({ fc1: linear(4, 4), relu: relu(), fc: linear(4, 2) }, { input: [4] });
const invalid = (message) => ({ code: 'ERR_INVALID_OPTION', message });
const floats = (...values) => ({ dtype: 'float32', shape: [values.length], data: Float32Array.from(values) });
const modulesOf = (state) => [...state.metadata.get('_metadata').keys()];

describe('State.from', () => {
  it('makes a state of values, and State.tensor gives them back, for every dtype', async () => {
    const all = await loadState(golden('dtypes.pth'));
    const given = Object.fromEntries(all.names.map((name) => [name, all.tensor(name)]));
    assert.ok(State.from(given).equals(all));
    assert.deepEqual([...State.from(given).metadata], []);
  });

  it('copies the values', () => {
    const tensor = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) };
    const state = State.from({ a: tensor });
    tensor.data.fill(0);
    assert.deepEqual([...state.tensor('a').data], [1, 2]);
  });

  it('takes views, tensors of no elements and of no dimensions', () => {
    const state = State.from({
      part: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(0, 1, 2, 3).subarray(1, 3) },
      bytes: { dtype: 'uint8', shape: [3], data: Buffer.from('abc') },
      none: { dtype: 'int64', shape: [0, 3], data: new BigInt64Array() },
      number: { dtype: 'bfloat16', shape: [], data: Uint16Array.of(0x3f80) },
    });
    assert.deepEqual([...state.tensor('part').data], [1, 2]);
    assert.deepEqual([...state.tensor('bytes').data], [97, 98, 99]);
    assert.deepEqual(state.tensor('none').shape, [0, 3]);
    assert.deepEqual([...state.tensor('number').data], [0x3f80]);
  });

  for (const [what, tensors, message] of [
    ['no object', 5, /an object of \{ dtype, shape, data \} by name/],
    ['an array', [], /an object of/],
    ['a typed array without a shape', { a: Float32Array.of(1) }, /\{ dtype, shape, data \}.*tensors\["a"\]/],
    ['no dtype', { a: { shape: [1], data: Float32Array.of(1) } }, /one of 'float32'.*tensors\["a"\]\.dtype/],
    ['an unknown dtype', { a: { ...floats(1), dtype: 'float31' } }, /'float31'/],
    ['a shape with a hole', { a: { ...floats(1, 2), shape: [2, -1] } }, /tensors\["a"\]\.shape\[1\]/],
    ['too few values', { a: { ...floats(1), shape: [2, 2] } }, /Expected 4 values for .* but received 1/],
    [
      'halves of complex numbers',
      { a: { ...floats(1, 2), dtype: 'complex64' } },
      /4 values.*two for each complex number/,
    ],
    ['another array', { a: { ...floats(1), data: Float64Array.of(1) } }, /the values of float32 in a Float32Array/],
    ['a list', { a: { ...floats(1), data: [1] } }, /in a Float32Array.*an array of 1/],
    ['2 for a bool', { a: { dtype: 'bool', shape: [1], data: Uint8Array.of(2) } }, /0 or 1 for each value of "a"/],
    ['another key', { a: { ...floats(1), stride: [1] } }, /Unknown option "stride"/],
    ['a name that is no Unicode', { '\ud800': floats(1) }, /valid Unicode/],
    ['65 dimensions', { a: { ...floats(1), shape: Array(65).fill(1) } }, /at most 64 sizes/],
  ]) {
    it(`refuses ${what}`, () => assert.throws(() => State.from(tensors), invalid(message)));
  }
});

describe('an edited State', () => {
  const temporary = temporaryFolder();
  let state;
  /** A checkpoint of a training: weights with an optimizer and more around them. */
  const run = temporary('trained.ckpt');
  before(async () => {
    state = await createState(model, { seed: 3 });
    await trainIncremental(await createState(small, { seed: 1 }), {
      ...{
        model: small,
        data: arrays({ inputs: new Float32Array(32).fill(0.5), labels: new Int32Array(8), shape: [4] }),
      },
      ...{ epochs: 1, checkpoint: { path: run } },
    });
  });

  const bytesOf = async (edited) => {
    await saveState(edited, temporary('bytes.pth'));
    return fs.readFileSync(temporary('bytes.pth'));
  };

  it('has the tensors whose names match, in their order, or the others', () => {
    assert.deepEqual(state.select('fc').names, ['fc.weight', 'fc.bias']);
    assert.deepEqual(state.select(['*.bias', 'conv']).names, [
      'conv.weight',
      'conv.bias',
      'bn.bias',
      'block.conv.bias',
      'fc.bias',
    ]);
    assert.deepEqual(state.without(['bn', 'block']).names, ['conv.weight', 'conv.bias', 'fc.weight', 'fc.bias']);
    assert.deepEqual(state.without('*').names, []);
  });

  it('has the versions of the modules that remain, and of those without tensors in them', () => {
    assert.deepEqual(modulesOf(state), ['', 'conv', 'bn', 'relu', 'block', 'block.conv', 'block.relu', 'fc']);
    assert.deepEqual(modulesOf(state.without(['block', 'conv'])), ['', 'bn', 'relu', 'fc']);
    assert.ok(state.select('bn').metadata.get('_metadata') instanceof OrderedDict);
    assert.equal(state.select('bn').metadata.get('_metadata').get('bn').get('version'), 2);
  });

  it('refuses a pattern that matches nothing, with the nearest names, and what is no pattern', () => {
    assert.throws(
      () => state.select(['conv', 'fcc']),
      invalid(/'fcc' matches none of its 11 names; the nearest are 'fc'/),
    );
    assert.throws(() => state.without('bn1.*'), invalid(/'bn1\.\*' matches none .* 'bn'/));
    for (const patterns of [undefined, [], '', [5], {}])
      assert.throws(() => state.select(patterns), invalid(/a pattern such as/));
  });

  it('has new names by a map or a function, and the versions of its modules under them', async () => {
    const wrapped = state.renamed((name) => `module.${name}`);
    assert.equal(wrapped.names[0], 'module.conv.weight');
    assert.deepEqual(modulesOf(wrapped).slice(0, 5), ['', 'module', 'module.conv', 'module.bn', 'module.relu']);
    assert.deepEqual(await bytesOf(wrapped.renamed((name) => name.slice(7))), await bytesOf(state));
    const head = state.renamed({ 'fc.weight': 'head.weight', 'fc.bias': 'head.bias' });
    assert.deepEqual(head.names.slice(-2), ['head.weight', 'head.bias']);
    assert.deepEqual(modulesOf(head), ['', 'conv', 'bn', 'relu', 'block', 'block.conv', 'block.relu', 'head']);
    assert.ok(state.renamed(new Map([['fc.bias', 'fc.b']])).names.includes('fc.b'));
  });

  it('refuses new names that are taken, unknown or none', () => {
    assert.throws(() => state.renamed({ 'fc.bias': 'fc.weight' }), invalid(/the name 'fc.weight'/));
    assert.throws(() => state.renamed(() => 'a'), invalid(/the name 'a'/));
    assert.throws(() => state.renamed({ 'fc.bais': 'b' }), invalid(/'fc.bais'.*nearest are 'fc.bias'/));
    assert.throws(() => state.renamed({ 'fc.bias': 5 }), invalid(/a name of valid Unicode.*number \(5\)/));
    assert.throws(() => state.renamed(() => undefined), invalid(/the new name of conv.weight/));
    assert.throws(() => state.renamed('fc'), invalid(/new names by old ones/));
  });

  it('names are exchanged, since all change at once', () => {
    const turned = state.renamed({ 'fc.bias': 'fc.weight', 'fc.weight': 'fc.bias' });
    assert.deepEqual(turned.tensor('fc.bias'), state.tensor('fc.weight'));
  });

  it('has other tensors in their places, and new ones at its end', () => {
    const changed = state.with({ 'conv.bias': floats(1, 2, 3), more: floats(4) });
    assert.deepEqual(changed.names, [...state.names, 'more']);
    assert.deepEqual([...changed.tensor('conv.bias').data], [1, 2, 3]);
    assert.deepEqual(changed.tensor('conv.weight'), state.tensor('conv.weight'));
    assert.deepEqual(modulesOf(changed), modulesOf(state));
    assert.equal(state.tensors[1].shape[0], 4, 'the state itself is unchanged');
  });

  it('has the tensors of two states, and none of them a name that both have', () => {
    const merged = merge(state.without('fc'), State.from({ fc: floats(1) }));
    assert.deepEqual(merged.names.at(-1), 'fc');
    assert.throws(
      () => merge(state, state.select('fc')),
      invalid(/Two of the states have the name 'fc.weight'.*1 others/),
    );
    for (const given of [[], [5], [state, undefined]]) assert.throws(() => merge(...given), invalid(/State/));
  });

  it('lives on after the states that it was made of, and is freed by itself', async () => {
    const source = await createState(model, { seed: 3 });
    const [part, all] = [source.select('fc'), merge(source.without('fc'), source.select('fc'))];
    source.dispose();
    assert.deepEqual(part.tensor('fc.bias'), state.tensor('fc.bias'));
    assert.ok(all.equals(state));
    part.dispose();
    assert.throws(() => part.select('fc'), { code: 'ERR_DISPOSED' });
    assert.ok(all.equals(state));
    all.dispose();
    assert.throws(() => merge(all, State.from({})), { code: 'ERR_DISPOSED' });
  });

  it('keeps ties and strides, which its file has too', async () => {
    const sharing = await loadState(golden('sharing.pth'));
    const turned = sharing.renamed((name) => `a.${name}`).renamed((name) => name.slice(2));
    assert.deepEqual(await bytesOf(turned), await bytesOf(sharing));
    await saveState(sharing.select(['part', 'turned']), temporary('part.pth'));
    assert.ok((await loadState(temporary('part.pth'))).equals(sharing.select(['part', 'turned'])));
  });

  it('keeps what else a training checkpoint held, whose tensors live on with it', async () => {
    const source = await loadState(run, { key: 'model' });
    const edited = source.renamed((name) => `new.${name}`);
    const before = await bytesOf(source);
    const values = (tree) =>
      JSON.stringify(tree, (_, value) =>
        value instanceof Map ? [...value] : typeof value === 'bigint' ? `${value}` : value,
      );
    const metadata = values([...source.metadata].filter(([key]) => key !== '_metadata'));
    source.dispose();
    assert.equal(values([...edited.metadata].filter(([key]) => key !== '_metadata')), metadata);
    assert.deepEqual(await bytesOf(edited.renamed((name) => name.slice(4))), before);
    edited.dispose();
    await assert.rejects(saveState(edited, temporary('gone.pth')), { code: 'ERR_DISPOSED' });
  });

  describe('of random names', () => {
    let seed = 11;
    const random = (below) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const word = () => ['a', 'b', 'layer1', '0', 'conv', 'weight'][random(6)];
    const randomState = () => {
      const names = new Set(
        Array.from({ length: 1 + random(12) }, () => Array.from({ length: 1 + random(4) }, word).join('.')),
      );
      return State.from(Object.fromEntries([...names].map((name, i) => [name, floats(...Array(random(3)).fill(i))])));
    };
    const pattern = (name) => {
      const at = random(name.length);
      return random(2) ? name : `${name.slice(0, at)}*${random(2) ? '' : name.slice(at + random(2))}`;
    };

    it('select and without together are all', () => {
      for (let i = 0; i < 300; i++) {
        const all = randomState();
        const patterns = Array.from({ length: 1 + random(3) }, () => pattern(all.names[random(all.names.length)]));
        const [chosen, others] = [all.select(patterns), all.without(patterns)];
        assert.deepEqual(new Set([...chosen.names, ...others.names]), new Set(all.names), `${patterns}`);
        assert.equal(chosen.names.length + others.names.length, all.names.length);
        const both = merge(chosen, others);
        for (const name of all.names) assert.deepEqual(both.tensor(name), all.tensor(name));
      }
    });

    it('two parts are merged into the whole, byte for byte, with what else the file held', async () => {
      for (const whole of [state, await loadState(run, { key: 'model' })]) {
        const bytes = await bytesOf(whole);
        for (let cut = 1; cut < whole.names.length; cut++) {
          const parts = [whole.select(whole.names.slice(0, cut)), whole.without(whole.names.slice(0, cut))];
          assert.deepEqual(await bytesOf(merge(...parts)), bytes, `cut at ${cut}`);
        }
      }
    });

    it('new names there and back are the old ones, byte for byte', async () => {
      const bytes = await bytesOf(state);
      for (let i = 0; i < 20; i++) {
        const prefix = `${word()}${random(100)}.`;
        const there = new Map(state.names.map((name) => [name, random(4) ? prefix + name : name]));
        const back = new Map([...there].map(([from, to]) => [to, from]));
        assert.ok(state.renamed(there).renamed(back).equals(state));
        const all = state.renamed((name) => prefix + name).renamed((name) => name.slice(prefix.length));
        assert.deepEqual(await bytesOf(all), bytes);
      }
    });
  });
});
