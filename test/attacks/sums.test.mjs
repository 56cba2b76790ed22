// Tests the addon with sums of metrics that lib/ would never ask for.
import assert from 'node:assert/strict';
import { arrays, createState, crossEntropyLoss, identity, sequential } from 'torch-incremental';
import { openDataset } from '../../dist/datasets/index.js';
import { lossPlan } from '../../dist/losses/plan.js';
import native from '../../dist/native/native.js';
import { programHandle } from '../../dist/native/programs.js';
import { stateHandle } from '../../dist/state/state.js';

/** By error: sums, and a part of the message. */
const wrong = {
  'no list': [undefined, /"sums"/],
  'a number in the list': [[7], /a member of a family/],
  'no kind': [[{}], /"kind"/],
  'an unknown kind': [[{ kind: 'nonsense' }], /no sums of the kind "nonsense"/],
  'an option that is missing': [[{ kind: 'topHits' }], /"k" of topHits/],
  'an option of another type': [[{ kind: 'topHits', k: true }], /"k" of topHits/],
  'more bins than memory': [[{ kind: 'calibrationBins', bins: 1e15 }], /1 to 1000 bins/],
  'a part of a bin': [[{ kind: 'calibrationBins', bins: 0.5 }], /1 to 1000 bins/],
  'no number of bins': [[{ kind: 'calibrationBins', bins: Number.NaN }], /1 to 1000 bins/],
};

describe('the addon, asked for sums', () => {
  let plan;

  before(async () => {
    const model = sequential({ same: identity() }, { input: [2] });
    const state = await createState(model);
    plan = {
      ...{ program: await programHandle(model.program), state: stateHandle(state), order: [0], transforms: [[]] },
      dataset: await openDataset(arrays({ inputs: Float32Array.of(1, 2), labels: [1], shape: [2] })),
      ...{ batchSize: 1, threads: 1, device: 'cpu', loss: lossPlan(crossEntropyLoss(), model) },
    };
  });

  for (const [what, [sums, message]] of Object.entries(wrong)) {
    it(`refuses ${what}`, async () => {
      const evaluated = async () => native.native().evaluate({ ...plan, sums }).done;
      await assert.rejects(evaluated, (error) => error.code === 'ERR_INVALID_OPTION' && message.test(error.message));
    });
  }

  it('gives those that exist', async () => {
    const { sums } = await native.native().evaluate({ ...plan, sums: [{ kind: 'topHits', k: 1 }] }).done;
    assert.deepEqual(sums, [Float64Array.of(1, 1)]);
  });
});
