// The form of a learner's samples, and the copies that it takes of them.
import assert from 'node:assert/strict';
import { createState, net, OnlineLearner } from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';

describe('samples of a learner', () => {
  const at = temporaryFolder();
  let state;

  before(async () => {
    state = await createState(net(), { seed: 0 });
  });

  const open = (name, options = {}) =>
    OnlineLearner.open({ dir: at(name), checkpoint: state, seed: 1, threads: 1, ...options });

  it('have the form that it reports, also when its folder is opened again', async () => {
    const options = [{ batchSize: 8 }, { batchSize: 32, inputs: 'float32', transforms: [] }];
    for (const given of options) {
      for (const again of [given, {}]) {
        const learner = await open(`form ${given.batchSize}`, again);
        assert.deepEqual(learner.sample, {
          inputs: [{ name: 'input', dtype: given.inputs ?? 'uint8', shape: [3, 32, 32] }],
          ...{ target: { kind: 'class', shape: [] }, classes: 10 },
        });
        assert.equal(learner.batchSize, given.batchSize);
        await learner.close();
      }
    }
  });

  it('are copied, a Buffer too, so that later changes to it have no effect', async () => {
    const { inputs, labels } = madeUpImages(8);
    const prints = [];
    for (const [name, wipe] of Object.entries({ kept: false, wiped: true })) {
      // They wait for others, for a while.
      const learner = await open(name, { batchSize: 32 });
      const buffer = Buffer.from(inputs);
      const learning = learner.learn({ inputs: buffer, labels });
      if (wipe) buffer.fill(0);
      await learning;
      prints.push(await learner.fingerprint());
      await learner.close();
    }
    assert.equal(prints[0], prints[1]);
  });
});
