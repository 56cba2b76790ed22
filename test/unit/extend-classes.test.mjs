// The layer that gets more classes, and which models, states and options are refused.
import assert from 'node:assert/strict';
import {
  adamW,
  arrays,
  createState,
  dropout,
  extendClasses,
  identity,
  linear,
  loadState,
  predict,
  relu,
  State,
  saveState,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { optimizers } from '../../dist/optimizers/index.js';
import { node, value } from '../../dist/program/module.js';
import { temporaryFolder } from '../support.mjs';

const model = sequential(
  { fc1: linear(4, 6), relu: relu(), fc2: linear(6, 3), drop: dropout(0.5), end: identity() },
  { input: [4] },
);
const invalid = (message) => ({ code: 'ERR_INVALID_OPTION', message });

describe('extendClasses', () => {
  const at = temporaryFolder();
  let state;
  before(async () => {
    state = await createState(model, { seed: 1 });
  });

  it('finds the linear layer before the output, and returns a new model with its shapes', async () => {
    const extended = await extendClasses(state, { model, classes: 5 });
    assert.deepEqual(
      extended.state.tensors.slice(-2).map(({ shape }) => [...shape]),
      [[5, 6], [5]],
    );
    for (const list of [extended.model.program.parameters, extended.model.tensors])
      assert.deepEqual(
        list.slice(-2).map(({ name, shape }) => [name, ...shape]),
        [
          ['fc2.weight', 5, 6],
          ['fc2.bias', 5],
        ],
      );
    assert.ok(Object.isFrozen(extended.model.program.parameters[0].shape));
    assert.deepEqual(model.tensors.at(-1).shape, [3], 'the model itself is unchanged');
    assert.equal((await createState(extended.model)).tensors.at(-1).shape[0], 5);
    assert.deepEqual(extended.state.names, state.names);
    const { logits } = await predict(state, Float32Array.of(1, 2, 3, 4), { model });
    const more = await predict(extended.state, Float32Array.of(1, 2, 3, 4), { model: extended.model });
    assert.deepEqual(more.logits.slice(0, 3), logits);
  });

  it('draws by the seed, 0 by default', async () => {
    const of = async (options) => (await extendClasses(state, { model, classes: 5, ...options })).state;
    assert.ok((await of({})).equals(await of({ seed: 0 })));
    assert.ok(!(await of({})).equals(await of({ seed: 1 })));
  });

  it('keeps the dtype of the state', async () => {
    const half = (shape) => ({ dtype: 'bfloat16', shape, data: new Uint16Array(shape.reduce((a, b) => a * b, 1)) });
    const halves = State.from(Object.fromEntries(state.tensors.map(({ name, shape }) => [name, half([...shape])])));
    const extended = await extendClasses(halves, { model, classes: 4 });
    assert.equal(extended.state.tensors.at(-2).dtype, 'bfloat16');
    assert.ok(
      extended.state
        .tensor('fc2.weight')
        .data.slice(18)
        .some((bits) => bits !== 0),
    );
  });

  it('lets the state be disposed from the call on, and lives on by itself', async () => {
    const source = await createState(model, { seed: 1 });
    const extending = extendClasses(source, { model, classes: 5 });
    source.dispose();
    const { state: extended } = await extending;
    assert.deepEqual(extended.tensor('fc1.weight'), state.tensor('fc1.weight'));
    await assert.rejects(extendClasses(source, { model, classes: 5 }), { code: 'ERR_DISPOSED' });
  });

  it('refuses fewer classes, other layers and wrong options by name', async () => {
    const refused = (options, message) =>
      assert.rejects(extendClasses(state, { model, classes: 5, ...options }), invalid(message));
    await refused({ classes: 3 }, /more classes than the 3 of fc2.weight for "classes" but received 3/);
    await refused({ classes: 2.5 }, /"classes"/);
    await refused({ classes: 2 ** 31 }, /from 1 to 2147483647 for "classes"/);
    await refused({ classes: undefined }, /"classes"/);
    await refused({ seed: -1 }, /"seed"/);
    await refused({ layer: 'fc3' }, /received 'fc3'; the nearest are 'fc/);
    await refused({ layer: 'fc1' }, /"fc1" .* cannot have more classes: its output goes through aten::linear/);
    await assert.rejects(extendClasses({}, { model, classes: 5 }), invalid(/a State/));
    const other = await createState(sequential({ fc: linear(2, 2) }));
    await assert.rejects(extendClasses(other, { model, classes: 5 }), { code: 'ERR_STATE_MISMATCH' });
    await assert.rejects(extendClasses(other, { classes: 5 }), { code: 'ERR_MODEL_UNKNOWN' });
  });

  it('refuses a model whose output is no linear layer, or fixes the number of classes', async () => {
    const withNodes = (...nodes) => ({
      ...model,
      program: { ...model.program, nodes: [...model.program.nodes, ...nodes], outputs: ['result'] },
    });
    const viewed = withNodes(node('view', '', { self: value('output'), size: [-1, 3] }, 'result'));
    await assert.rejects(
      extendClasses(state, { model: viewed, classes: 5 }),
      invalid(/its linear layers are 'fc1', 'fc2'/),
    );
    await assert.rejects(
      extendClasses(state, { model: viewed, classes: 5, layer: 'fc2' }),
      invalid(/goes through aten::view, which may need a number of classes/),
    );
    const twice = withNodes(node('mul', 'Tensor', { self: value('fc2.bias'), other: value('fc2.bias') }, 'square'));
    await assert.rejects(
      extendClasses(state, { model: { ...twice, program: { ...twice.program, outputs: ['output'] } }, classes: 5 }),
      invalid(/aten::mul uses fc2\.bias too/),
    );
    const soft = withNodes(node('softmax', 'int', { self: value('output'), dim: 1 }, 'result'));
    assert.equal((await extendClasses(state, { model: soft, classes: 5 })).state.tensors.at(-1).shape[0], 5);
  });

  it('grows the slots of every optimizer that the family has, as torch.optim begins them', async () => {
    const data = arrays({
      inputs: new Float32Array(64).map((_, i) => (i % 7) - 3),
      labels: new Int32Array(16).map((_, i) => i % 3),
      shape: [4],
    });
    for (const kind of optimizers.words) {
      const file = at(`${kind}.ckpt`);
      const given = kind === 'adagrad' ? { initialAccumulatorValue: 0.5 } : { learningRate: 0.25 };
      await trainIncremental(state, {
        model,
        data,
        epochs: 1,
        checkpoint: { path: file },
        optimizer: optimizers.makers[kind](given),
        // Muon takes no biases.
        ...(kind === 'muon' && { parameterGroups: [{ parameters: '*.bias', optimizer: adamW() }] }),
      });
      const source = await loadState(file, { key: 'model' });
      const { state: extended, model: grown } = await extendClasses(source, { model, classes: 5 });
      // The second weight, which is the third of all parameters.
      const stateOf = ({ metadata }) => {
        const [first] = [metadata.get('optimizer')].flat();
        return first.get('state').get(kind === 'muon' ? 1 : 2);
      };
      const slots = [...stateOf(extended)];
      const before = stateOf(source);
      assert.ok(slots.length > 0, kind);
      for (const [name, slot] of slots) {
        const old = before.get(name);
        assert.deepEqual([...slot.data].slice(0, old.data.length), [...old.data], `${kind}: ${name}`);
        if (slot.shape.length === 0) continue;
        assert.deepEqual([...slot.shape], { row_var: [5, 1], col_var: [1, 6] }[name] ?? [5, 6]);
        const begun = { sum: 0.5, step_size: 0.25 }[name] ?? 0;
        assert.ok(
          [...slot.data].slice(old.data.length).every((number) => number === begun),
          `${kind}: ${name}`,
        );
      }
      await saveState(extended, file);
      const more = arrays({
        inputs: new Float32Array(80),
        labels: new Int32Array(20).map((_, i) => i % 5),
        shape: [4],
      });
      await trainIncremental('', { resume: file, model: grown, data: more, epochs: 2 });
    }
  });
});
