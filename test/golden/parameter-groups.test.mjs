// Groups of parameters, frozen ones among them, against torch.optim: 39 steps of a CNN whose batch norm keeps its statistics and of an
// MLP, by every optimizer, have the same losses, weights and states to the bit, also where the other language continued on the way.
import assert from 'node:assert/strict';
import path from 'node:path';
import { createState, loadState, saveState } from 'torch-incremental';
import { optimizers } from '../../dist/optimizers/index.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { recorded } from '../unit/resume-support.mjs';
import { common, forPython, inputs, labels, lossesOf, models, options } from './optimizer-cases.mjs';

/** The layouts as they are given here, and what they are in PyTorch. */
const layouts = {
  cnn: {
    ours: {
      parameterGroups: [
        { parameters: 'conv', frozen: true },
        { parameters: ['fc.*'], learningRate: 0.02 },
      ],
      frozenStatistics: 'bn',
    },
    theirs: {
      groups: [{ params: ['bn.weight', 'bn.bias'] }, { params: ['fc.weight', 'fc.bias'], lr: 0.02 }],
      ...{ frozen: ['conv.weight', 'conv.bias'], eval: ['bn'] },
    },
  },
  mlp: {
    ours: {
      parameterGroups: [
        { parameters: 'fc2.weight', learningRate: 0.2 },
        { parameters: 'fc1.bias', frozen: true },
        { parameters: ['fc1.*', 'fc2'], learningRate: 0.01 },
      ],
    },
    theirs: {
      groups: [
        { params: ['fc2.weight'], lr: 0.2 },
        { params: ['fc1.weight', 'fc2.bias'], lr: 0.01 },
      ],
      frozen: ['fc1.bias'],
    },
  },
};

const cases = Object.entries(options).flatMap(([kind, list]) =>
  list.flatMap((given) =>
    Object.keys(models).map((model) => ({ kind, given: { learningRate: 0.05, ...given }, model })),
  ),
);

describe('groups of parameters beside those of torch.optim', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  let answers;
  const runs = [];
  const optionsOf = ({ kind, given, model }) => ({
    ...{ ...common, model: models[model], epochs: 3, optimizer: optimizers.makers[kind](given) },
    ...layouts[model].ours,
  });

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    for (const [name, model] of Object.entries(models)) {
      await saveState(await createState(model, { seed: 1 }), at(`${name}.pth`));
    }
    for (const [i, each] of cases.entries()) {
      const init = at(`${each.model}.pth`);
      await recorded(init, { ...optionsOf(each), epochs: 1, checkpoint: { path: at(`ours-${i}.ckpt`) } });
      runs.push(await recorded(init, { ...optionsOf(each), checkpoint: { path: at(`end-${i}.ckpt`) } }));
    }
    const jobs = cases.map(({ kind, given, model }, i) => ({
      ...{ model, optimizer: optimizers.entryOf({ kind }).torchName, options: forPython(given) },
      ...{ inputs: [...inputs], labels: [...labels], init: at(`${model}.pth`), out: at(`out-${i}.pth`) },
      ...{ ours: at(`ours-${i}.ckpt`), end: at(`end-${i}.ckpt`), theirs: at(`theirs-${i}.ckpt`) },
      ...layouts[model].theirs,
    }));
    const script = path.join(root, 'test/golden/optimizer_steps.py');
    answers = JSON.parse(runPython(script, [], { input: JSON.stringify(jobs) }));
  });

  for (const [i, each] of cases.entries()) {
    const name = `${each.kind}(${JSON.stringify(each.given)}) on the ${each.model}`;
    it(`${name}: losses, weights, groups and state are PyTorch's, and its own after a checkpoint of ours`, async () => {
      const { losses, continued, done, same } = answers[i];
      assert.deepEqual(lossesOf(runs[i]), losses);
      assert.ok(runs[i].state.equals(await loadState(at(`out-${i}.pth`))), 'the weights differ');
      assert.equal(done, 13);
      assert.deepEqual(continued, losses.slice(13));
      for (const [what, isSame] of Object.entries(same)) assert.ok(isSame, what);
    });

    it(`${name}: continues checkpoints of both, with the groups given or as recorded`, async () => {
      const { model, data, batchSize, shuffle, epochs, parameterGroups, frozenStatistics } = optionsOf(each);
      const given = { model, data, batchSize, shuffle, epochs, threads: 1 };
      const statistics = { ...(frozenStatistics && { frozenStatistics }) };
      for (const [file, layout] of [
        ['theirs', { parameterGroups, ...statistics }],
        ['ours', {}],
      ]) {
        const resumed = await recorded('', { ...given, ...layout, resume: at(`${file}-${i}.ckpt`) });
        assert.deepEqual(lossesOf(resumed), answers[i].losses.slice(13));
        assert.ok(resumed.state.equals(runs[i].state), 'the weights differ');
      }
    });
  }
});
