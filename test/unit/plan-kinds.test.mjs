// The optimizer and the loss of a native plan: the addon knows the kinds of optimizers, runs any loss, and has no defaults.
import assert from 'node:assert/strict';
import { arrays, createState, crossEntropyLoss, linear, sequential, trainIncremental } from 'torch-incremental';
import { lossPlan } from '../../dist/losses/plan.js';
import native from '../../dist/native/native.js';

const addon = native.native();
const model = sequential({ out: linear(1, 2) }, { input: [1] });
const sgd = {
  ...{ kind: 'sgd', learningRate: 0.1, momentum: 0, dampening: 0, weightDecay: 0 },
  ...{ nesterov: false, maximize: false },
};
const groupOf = (optimizer) => [{ optimizer, parameters: [0, 1] }];
const loss = lossPlan(crossEntropyLoss({ weight: [1, 2] }), model);
const data = arrays({ inputs: new Float32Array(4), labels: new Int32Array(4), shape: [1] });

/** Trains with a plan in which `changes` replace what lib/ made. */
async function trainWith(changes) {
  const { train } = addon;
  addon.train = (plan, ...rest) => train({ ...plan, ...changes }, ...rest);
  try {
    const state = await createState(model, { seed: 0 });
    return await trainIncremental(state, { model, data, transforms: [], epochs: 1, device: 'cpu', seed: 0 });
  } finally {
    addon.train = train;
  }
}

describe('the optimizer and the loss of a plan', () => {
  const refused = (changes, message) => assert.rejects(trainWith(changes), { code: 'ERR_INVALID_OPTION', message });

  it('are accepted as lib/ makes them', async () => {
    await trainWith({});
    await trainWith({ groups: groupOf(sgd), loss });
  });

  for (const loop of [undefined, 'device']) {
    it(`are refused where the addon does not know the kind${loop ? ', also on a device' : ''}`, async () => {
      await refused({ loop, groups: groupOf({ ...sgd, kind: 'guess' }) }, /no optimizer of the kind "guess"/);
    });
  }

  for (const option of Object.keys(sgd)) {
    it(`are refused where "${option}" of sgd is missing`, async () => {
      const { [option]: _, ...rest } = sgd;
      await refused({ groups: groupOf(rest) }, new RegExp(option));
    });
  }

  for (const field of Object.keys(loss).filter((name) => !['ignoredIndex', 'each', 'divisor'].includes(name))) {
    it(`are refused where "${field}" of a loss is missing`, async () => {
      const { [field]: _, ...rest } = loss;
      await refused({ loss: rest }, new RegExp(field));
    });
  }

  it('are refused where a loss names what does not exist', async () => {
    const { outputs, whole } = loss;
    await refused({ loss: { ...loss, outputs: [] } }, /at least one output/);
    await refused({ loss: { ...loss, outputs: [{ ...outputs[0], index: 1 }] } }, /more than 1 outputs but it has 1/);
    await refused({ loss: { ...loss, constants: [] } }, /No constant named "weight"/);
    await refused({ loss: { ...loss, whole: { ...whole, outputs: ['regret'] } } }, /No value named "regret"/);
    await refused({ loss: { ...loss, whole: { ...whole, outputs: [] } } }, /one output and no parameters/);
  });

  it('are refused where an option has another type', async () => {
    await refused({ groups: groupOf({ ...sgd, nesterov: 1 }) }, /Expected a boolean for "nesterov" of sgd/);
    await refused({ groups: groupOf({ ...sgd, momentum: '0.9' }) }, /Expected a number for "momentum" of sgd/);
  });

  it('are refused where a parameter does not exist, or is in two groups', async () => {
    for (const parameters of [[2], [-1], [0, 0]])
      await refused({ groups: [{ optimizer: sgd, parameters }] }, /does not exist or is in two/);
    await refused({ groups: [...groupOf(sgd), ...groupOf(sgd)] }, /does not exist or is in two/);
  });
});
