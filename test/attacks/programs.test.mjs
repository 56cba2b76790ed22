// Tests that a model's program, which may come from anywhere, names only operators from a list, and none of them reaches files,
// uninitialised memory, or the state that it receives.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  arrays,
  createState,
  evaluate,
  linear,
  OnlineLearner,
  predict,
  repairLearner,
  reproduceVersion,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';

const value = (name) => ({ value: name });
const node = (op, overload, args, outputs = ['made']) => ({ op, overload, args, outputs });

/** linear(2, 3) with foreign nodes before it. */
function withNodes(...nodes) {
  const model = structuredClone(sequential([linear(2, 3)], { input: [2] }));
  model.program.nodes.unshift(...nodes);
  return model;
}
const data = arrays({ inputs: Float32Array.from([1, 2, 3, 4]), labels: [0, 1], shape: [2] });
const inputs = new Float32Array(2).fill(1);

describe('a program', () => {
  const folder = temporaryFolder();
  const file = () => folder('made-by-a-model');
  const refused = {
    'makes a file': node('aten::from_file', '', { filename: file(), shared: true, size: 100 }),
    'saves to a file': node('aten::save', '', { item: value('input'), filename: file() }, []),
    'shows uninitialised memory': node('aten::empty', 'memory_format', { size: [4] }),
    'changes how a tensor is stored': node('aten::resize_', '', { self: value('input'), size: [1000] }),
    'sets the storage of a tensor': node('aten::set_', '', { self: value('input') }),
    'strides over a tensor': node('aten::as_strided', '', { self: value('input'), size: [9], stride: [9] }),
    'calls internals of libtorch': node('aten::_sparse_coo_tensor_unsafe', '', {
      ...{ indices: value('input'), values: value('input'), size: [1] },
    }),
    'calls another internal of libtorch': node('aten::_ctc_loss', '', {
      ...{ log_probs: value('input'), targets: value('input'), input_lengths: [1], target_lengths: [1] },
    }),
    'shows uninitialised memory like a tensor': node('aten::empty_like', '', { self: value('input') }),
    'shows uninitialised memory of a size': node('aten::new_empty', '', { self: value('input'), size: [9] }),
    'reads bytes as another type': node('aten::view', 'dtype', { self: value('input'), dtype: { dtype: 'bool' } }),
    'names another namespace': node('quantized::add', '', {
      qa: value('input'),
      qb: value('input'),
      scale: 1,
      zero_point: 0,
    }),
    'names a list’s operator in another namespace': node('prims::add', '', {
      self: value('input'),
      other: value('input'),
    }),
    'names an unknown operator': node('aten::no_such_operator', '', {}),
    'names a listed operator without its namespace': node('add', 'Tensor', { self: value('input'), other: 1 }),
  };
  for (const [what, bad] of Object.entries(refused)) {
    it(`that ${what} is refused before it runs`, async () => {
      const state = await createState(sequential([linear(2, 3)]));
      const model = withNodes(bad);
      const error = { code: 'ERR_INVALID_OPTION', message: /node 0 \(.*allowOperators/ };
      await assert.rejects(predict(state, inputs, { model, threads: 1 }), error);
      await assert.rejects(evaluate(state, { model, data, threads: 1 }), error);
      await assert.rejects(trainIncremental(state, { model, data, threads: 1, epochs: 1 }), error);
      const options = { dir: folder('learner'), checkpoint: state, model, transforms: [], threads: 1 };
      await assert.rejects(OnlineLearner.open(options), error);
      assert.ok(!fs.existsSync(file()));
    });
  }

  for (const [what, bad, message] of [
    [
      'writes its result into an argument',
      node('aten::add', 'out', { self: value('input'), other: value('input'), out: value('input') }),
      /writes into "out" in node 0 \(aten::add\.out\)/,
    ],
    [
      'changes a constant in place',
      node('aten::add_', 'Tensor', { self: 1, other: value('input') }),
      /"self".*a constant/,
    ],
    ['fills a constant', node('aten::fill_', 'Scalar', { self: 2, value: 1 }), /"self".*a constant/],
    [
      'gives a dtype',
      node('aten::softmax', 'int', { self: value('input'), dim: 1, dtype: 200 }),
      /"dtype".*must be a dtype/,
    ],
    [
      'gives a memory format',
      node('aten::contiguous', '', { self: value('input'), memory_format: 77 }),
      /"memory_format".*must be a dtype, a layout, a memory format/,
    ],
    ['names an unknown overload', node('aten::add', 'Nothing', { self: value('input') }), /Unknown operator in node 0/],
  ]) {
    it(`that ${what} is refused`, async () => {
      const state = await createState(sequential([linear(2, 3)]));
      const run = predict(state, inputs, { model: withNodes(bad), threads: 1 });
      await assert.rejects(run, { code: 'ERR_INVALID_OPTION', message });
    });
  }

  it('that fills memory in training only is refused', async () => {
    const state = await createState(sequential([linear(2, 3)]));
    const filled = {
      ...node('aten::fill_', 'Scalar', { self: value('made'), value: 0 }, ['filled']),
      only: 'training',
    };
    const model = withNodes(node('aten::empty', 'memory_format', { size: [4] }), filled);
    const message = /memory that nobody has written/;
    await assert.rejects(predict(state, inputs, { model, threads: 1 }), { code: 'ERR_INVALID_OPTION', message });
  });

  it('of tens of thousands of tensors that are filled at its end is checked in time in proportion', async () => {
    const state = await createState(sequential([linear(2, 3)]));
    const names = Array.from({ length: 20_000 }, (_, i) => `made${i}`);
    const model = withNodes(
      ...names.map((name) => node('aten::empty', 'memory_format', { size: [1] }, [name])),
      ...names.map((name) => node('aten::zero_', '', { self: value(name) }, [`${name} filled`])),
    );
    const started = performance.now();
    await predict(state, inputs, { model, threads: 1 });
    assert.ok(performance.now() - started < 20_000);
  });

  it('may name more if the call allows it, in this call only', async () => {
    const state = await createState(sequential([linear(2, 3)]));
    const model = withNodes(node('aten::as_strided', '', { self: value('input'), size: [1], stride: [1] }));
    const run = { model, data, threads: 1 };
    const allowOperators = ['aten::as_strided'];
    await predict(state, inputs, { model, threads: 1, allowOperators });
    await evaluate(state, { ...run, allowOperators });
    const checkpoint = { path: folder('run.ckpt') };
    await trainIncremental(state, { ...run, epochs: 1, allowOperators, checkpoint });
    const error = { code: 'ERR_INVALID_OPTION', message: /aten::as_strided.*allowOperators/ };
    await assert.rejects(predict(state, inputs, { model, threads: 1 }), error);
    await assert.rejects(predict(state, inputs, { model, threads: 1, allowOperators: ['aten::set_'] }), error);
    await assert.rejects(trainIncremental('', { ...run, resume: checkpoint.path, epochs: 2 }), error);
    await trainIncremental('', { ...run, resume: checkpoint.path, epochs: 2, allowOperators });
  });

  it('of a learner may name more while it is open', async () => {
    const state = await createState(sequential([linear(2, 3)]));
    const model = withNodes(node('aten::as_strided', '', { self: value('input'), size: [1], stride: [1] }));
    const dir = folder('allowed learner');
    const options = { dir, checkpoint: state, model, transforms: [], threads: 1, gate: { every: 1 }, maxDelayMs: 0 };
    const allowOperators = ['aten::as_strided'];
    const learner = await OnlineLearner.open({ ...options, allowOperators });
    await learner.learn({ inputs, labels: [1] });
    await learner.predict(inputs);
    await learner.close();
    await assert.rejects(OnlineLearner.open(options), { code: 'ERR_INVALID_OPTION' });
    await assert.rejects(reproduceVersion(dir, 1, { model }), { code: 'ERR_INVALID_OPTION' });
    // The folder itself is valid.
    const report = await repairLearner(dir, { model, apply: true });
    assert.deepEqual([report.damaged, report.snapshots, report.replayed], [false, [], false]);
    assert.equal((await repairLearner(dir, { model, allowOperators })).replayed, true);
    await reproduceVersion(dir, 1, { model, allowOperators });
    await (await OnlineLearner.open({ ...options, allowOperators })).close();
  });

  it('that writes in place while it evaluates does not change the state', async () => {
    const state = await createState(sequential([linear(2, 3)]), { seed: 1 });
    const before = [...state.tensor('0.weight').data];
    for (const name of ['0.weight', 'seen']) {
      const model = withNodes(
        node('aten::view', '', { self: value('0.weight'), size: [3, 2] }, ['seen']),
        node('aten::zero_', '', { self: value(name) }, ['zero']),
      );
      const { logits } = await predict(state, inputs, { model, threads: 1 });
      assert.deepEqual([...logits], [...state.tensor('0.bias').data]);
      await evaluate(state, { model, data, threads: 1 });
    }
    assert.deepEqual([...state.tensor('0.weight').data], before);
  });

  it('checks allowOperators', async () => {
    const state = await createState(sequential([linear(2, 3)]));
    const model = sequential([linear(2, 3)], { input: [2] });
    for (const allowOperators of ['aten::rand', [1], {}]) {
      await assert.rejects(predict(state, inputs, { model, allowOperators }), {
        code: 'ERR_INVALID_OPTION',
        message: /"allowOperators/,
      });
    }
  });
});
