// Groups of parameters, frozen ones among them, against torch.optim: 39 steps of a CNN whose batch norm keeps its statistics and of an
// MLP, by every optimizer, have the same losses, weights and states to the bit, also where the other language continued on the way.
import assert from 'node:assert/strict';
import { adamW } from 'torch-incremental';
import { optimizers } from '../../dist/optimizers/index.js';
import { needs, temporaryFolder } from '../support.mjs';
import { recorded } from '../unit/resume-support.mjs';
import { assertAgreement, cases, common, lossesOf, models, nameOfCase, trainedByBoth } from './optimizer-cases.mjs';

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

/** Those of Muon, whose other parameters are of AdamW. */
const adamWGroup = (parameters) => ({ parameters, optimizer: adamW({ learningRate: 0.01 }) });
const rest = (params) => ({ rest: { optimizer: 'AdamW', options: { lr: 0.01 }, params } });
const mixed = {
  cnn: {
    ours: {
      parameterGroups: [
        { parameters: 'conv', frozen: true },
        { parameters: 'fc.weight', learningRate: 0.02 },
        adamWGroup(['bn', 'fc.bias']),
      ],
      frozenStatistics: 'bn',
    },
    theirs: {
      ...rest(['bn.weight', 'bn.bias', 'fc.bias']),
      ...{ groups: [{ params: ['fc.weight'], lr: 0.02 }], frozen: ['conv.weight', 'conv.bias'], eval: ['bn'] },
    },
  },
  mlp: {
    ours: {
      parameterGroups: [
        { parameters: 'fc2.weight', learningRate: 0.02, weightDecay: 0.3 },
        { parameters: 'fc1.bias', frozen: true },
        adamWGroup('fc2.bias'),
      ],
    },
    theirs: {
      ...rest(['fc2.bias']),
      groups: [{ params: ['fc1.weight'] }, { params: ['fc2.weight'], lr: 0.02, weight_decay: 0.3 }],
      frozen: ['fc1.bias'],
    },
  },
};
const layoutOf = ({ kind, model }) => (kind === 'muon' ? mixed : layouts)[model];

describe('groups of parameters beside those of torch.optim', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  let answers, runs;
  const optionsOf = ({ kind, given, model }) => ({
    ...{ ...common, model: models[model], epochs: 3, optimizer: optimizers.makers[kind](given) },
    ...layoutOf({ kind, model }).ours,
  });

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    ({ runs, answers } = await trainedByBoth(at, optionsOf, (each) => layoutOf(each).theirs));
  });

  for (const [i, each] of cases.entries()) {
    const name = nameOfCase(each);
    it(`${name}: losses, weights, groups and state are PyTorch's, and its own after a checkpoint of ours`, () =>
      assertAgreement(runs[i], answers[i], at(`out-${i}.pth`)));

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
