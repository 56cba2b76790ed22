// Groups of parameters: how patterns divide them, what is refused, and what they mean for a training and a learner.
import assert from 'node:assert/strict';
import {
  adamW,
  batchNorm2d,
  conv2d,
  createState,
  flatten,
  linear,
  muon,
  OnlineLearner,
  relu,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { byKind, optimizerGroups } from '../../dist/optimizers/parameter-groups.js';
import { leaf, node, value } from '../../dist/program/module.js';
import { temporaryFolder } from '../support.mjs';
import { copy } from './journal-support.mjs';
import { data, drawing } from './resume-support.mjs';

const model = sequential(
  { conv: conv2d(1, 3, 2), norm: batchNorm2d(3), relu: relu(), flat: flatten(), fc: linear(12, 4) },
  { input: [1, 3, 3] },
);
const names = ['layer1.conv.weight', 'layer1.bn.weight', 'layer10.conv.weight', 'fc.weight', 'fc.bias'];
const divided = (groups) =>
  optimizerGroups(
    names.map((name) => ({ name, shape: [1] })),
    sgd(),
    groups,
  ).map(({ optimizer, parameters }) => [optimizer.learningRate, ...parameters.map((number) => names[number])]);

describe('parameterGroups', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let checkpoint, images;
  before(async () => {
    checkpoint = await createState(model, { seed: 3 });
    images = await createState(drawing, { seed: 3 });
  });

  it('are the rest first, then as given; a pattern has whole names and all below, and the first group wins', () => {
    assert.deepEqual(
      divided([
        { parameters: '*.bias', learningRate: 2 },
        { parameters: ['layer1', 'fc'], learningRate: 3 },
      ]),
      [
        [0.001, 'layer10.conv.weight'],
        [2, 'fc.bias'],
        [3, 'layer1.conv.weight', 'layer1.bn.weight', 'fc.weight'],
      ],
    );
    assert.deepEqual(
      divided([
        { parameters: 'fc', learningRate: 2 },
        { parameters: '*', frozen: true },
      ]),
      [[2, 'fc.weight', 'fc.bias']],
    );
    assert.deepEqual(divided([]), [[0.001, ...names]]);
  });

  it('are one state_dict() for each kind of optimizer', () => {
    assert.deepEqual(byKind(['adamW', 'muon', 'adamW', 'sgd', 'muon']), [[0, 2], [1, 4], [3]]);
  });

  /** Bad values, by the words of the error. */
  const bad = [
    [{ parameters: 'fc' }, /Expected an array for "parameterGroups"/],
    [[{ learningRate: 1 }], /for "parameterGroups\[0\]\.parameters" but received undefined/],
    [['fc'], /Expected \{ parameters, … \} for "parameterGroups\[0\]"/],
    [[{ parameters: [] }], /pattern such as 'fc' or 'layer1\.\*'/],
    [[{ parameters: 'fc', lr: 1 }], /Unknown option "lr" of parameterGroups\[0\].*did you mean "learningRate"/],
    [
      [{ parameters: 'fc', frozen: true, weightDecay: 1 }],
      /no "weightDecay" in parameterGroups\[0\], whose parameters are frozen/,
    ],
    [
      [{ parameters: 'fcc' }],
      /"parameterGroups\[0\]\.parameters", but 'fcc' matches none of its 5 names; the nearest are 'fc'/,
    ],
    [
      [{ parameters: 'fc', betas: [0.9, 0.9] }],
      /parameterGroups\[0\] has the option "betas", which sgd\(\) does not take; it takes learningRate/,
    ],
    [[{ parameters: 'fc', learningRate: -1 }], /"learningRate" but received number \(-1\) \(in parameterGroups\[0\]\)/],
    [
      [{ parameters: 'fc' }, { parameters: ['layer1', 'fc'] }],
      /Expected each parameter in one group, but 'fc' is in parameterGroups\[0\] and in parameterGroups\[1\]/,
    ],
    [
      [{ parameters: 'fc' }, { parameters: 'fc.bias' }],
      /No parameter is left for parameterGroups\[1\].*parameterGroups\[0\]/,
    ],
    [[{ parameters: '*', frozen: true }], /All 5 parameters are frozen/],
  ];
  const net = sequential({
    layer1: sequentialOf(1),
    layer10: conv2d(1, 1, 1, { bias: false }),
    ...{ flatten: flatten(), fc: linear(9, 4) },
  });
  function sequentialOf(channels) {
    return conv2d(channels, channels, 1);
  }
  for (const [groups, message] of bad) {
    it(`refuses ${JSON.stringify(groups)}, and says what to do`, async () => {
      const state = await createState(net);
      await assert.rejects(trainIncremental(state, { model: net, data, parameterGroups: groups }), (error) => {
        assert.equal(error.code, 'ERR_INVALID_OPTION');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('refuses statistics that are to be frozen and do not exist', () =>
    assert.rejects(trainIncremental(images, { model: drawing, data, frozenStatistics: 'fc' }), {
      code: 'ERR_INVALID_OPTION',
      message: /"frozenStatistics", but 'fc' matches none of its 2 names; the nearest are 'bn'/,
    }));

  it('refuses to train nothing but what has no part in the loss', async () => {
    const spare = {
      name: 'spare',
      role: 'parameter',
      dtype: 'float32',
      shape: [2],
      init: { kind: 'constant', value: 1 },
    };
    const layer = leaf('Spare', [node('relu', '', { self: value('input') })], [spare]);
    const unused = sequential({ conv: conv2d(3, 4, 1), layer, flatten: flatten(), fc: linear(4096, 10) });
    const state = await createState(unused);
    const run = (parameterGroups) =>
      trainIncremental(state, { model: unused, data, epochs: 1, batchSize: 32, parameterGroups });
    await assert.rejects(run([{ parameters: ['conv', 'fc'], frozen: true }]), {
      code: 'ERR_INVALID_OPTION',
      message: /depends on none of the parameters that are trained/,
    });
    const { state: trained } = await run([{ parameters: 'layer', optimizer: adamW({ weightDecay: 0.5 }) }]);
    assert.deepEqual(trained.tensor('layer.spare'), state.tensor('layer.spare'));
  });

  it('refuse, by its name, a parameter of another shape than muon() takes, in training and in a learner', async () => {
    const refused = (name, shape) => ({
      code: 'ERR_INVALID_OPTION',
      message: `Expected parameters of 2 axes for muon(), but ${name} has the shape [${shape}]; give it another optimizer, as in parameterGroups: [{ parameters: '${name}', optimizer: adamW() }]`,
    });
    const run = (options) => trainIncremental(images, { model: drawing, data, epochs: 1, batchSize: 32, ...options });
    await assert.rejects(run({ optimizer: muon() }), refused('conv.weight', '4, 3, 3, 3'));
    const parameterGroups = [
      { parameters: 'conv', frozen: true },
      { parameters: 'bn', optimizer: adamW() },
      { parameters: 'fc', optimizer: muon() },
    ];
    await assert.rejects(run({ parameterGroups }), refused('fc.bias', '10'));
    const dir = at('muon');
    await assert.rejects(
      OnlineLearner.open({ dir, checkpoint, model, optimizer: muon(), transforms: [], shape: [1, 3, 3] }),
      refused('conv.weight', '3, 1, 2, 2'),
    );
  });

  it('leave frozen weights, and statistics that are frozen, as they are; in both modes', async () => {
    const run = (options) =>
      trainIncremental(images, {
        ...{
          model: drawing,
          data,
          epochs: 1,
          batchSize: 16,
          seed: 1,
          threads: 1,
          optimizer: adamW({ weightDecay: 0.5 }),
        },
        ...{ parameterGroups: [{ parameters: 'conv', frozen: true }], frozenStatistics: ['bn'], ...options },
      });
    for (const options of [{}, { mode: 'fast' }]) {
      const { state } = await run(options);
      for (const name of state.names) {
        const same =
          JSON.stringify([...state.tensor(name).data].map(String)) ===
          JSON.stringify([...images.tensor(name).data].map(String));
        assert.equal(same, name.startsWith('conv') || /running|num_batches/.test(name), name);
      }
    }
  });

  describe('of a learner', () => {
    const groups = [
      { parameters: 'conv', frozen: true },
      { parameters: 'fc.weight', learningRate: 0.05 },
      { parameters: 'norm', optimizer: sgd({ learningRate: 0.01 }) },
    ];
    const batch = (round, count = 6) => ({
      inputs: Float32Array.from({ length: count * 9 }, (_, i) => ((i * 7 + round * 5) % 13) / 6 - 1),
      labels: Int32Array.from({ length: count }, (_, i) => (i + round) % 4),
    });
    const open = (dir, options = {}) =>
      OnlineLearner.open({
        ...{ dir: at(dir), checkpoint, model, transforms: [], shape: [1, 3, 3], batchSize: 6, maxDelayMs: 0 },
        ...{ seed: 5, threads: 1, replay: { capacity: 30, perUpdate: 4 }, gate: { every: 7 }, ...options },
      });
    const grouped = { optimizer: adamW({ learningRate: 0.01 }), parameterGroups: groups, frozenStatistics: 'norm' };
    const learn = async (learner, from, to) => {
      for (let round = from; round < to; round++) await learner.learn(batch(round));
    };

    it('resume from a snapshot and from the journal to the bits of a learner that never stopped', async () => {
      const whole = await open('whole', grouped);
      await learn(whole, 0, 30);
      const fingerprint = await whole.fingerprint();
      const killed = await open('killed', grouped);
      await learn(killed, 0, 11);
      copy(at('killed'), at('copy'));
      await killed.close();
      const first = await open('copy');
      await learn(first, 11, 19);
      await first.close();
      const second = await open('copy');
      await learn(second, 19, 30);
      assert.equal(await second.fingerprint(), fingerprint);
      await Promise.all([whole.close(), second.close()]);
    });

    it('change their options when it is opened again, but not what is in them', async () => {
      const learner = await open('changed', grouped);
      await learn(learner, 0, 3);
      await learner.close();
      for (const other of [[], groups.slice(1), [{ ...groups[0], frozen: false }, ...groups.slice(1)]]) {
        await assert.rejects(open('changed', { parameterGroups: other }), {
          code: 'ERR_INVALID_OPTION',
          message: /Expected the "parameterGroups" that the learner began with/,
        });
      }
      const again = await open('changed', {
        parameterGroups: [groups[0], { ...groups[1], learningRate: 0.5 }, groups[2]],
      });
      await learn(again, 3, 5);
      await again.close();
    });
  });

  it('are those of the file in a run that is resumed; others are refused, other options are taken', async () => {
    const parameterGroups = [
      { parameters: 'fc', learningRate: 0.02 },
      { parameters: 'bn', frozen: true },
    ];
    const given = { model: drawing, data, batchSize: 16, seed: 1, threads: 1 };
    const file = at('run.ckpt');
    await trainIncremental(images, { ...given, epochs: 1, parameterGroups, checkpoint: { path: file } });
    const resume = (options) => trainIncremental('', { model: drawing, data, resume: file, epochs: 2, ...options });
    const { state } = await resume({});
    const { state: same } = await resume({ parameterGroups });
    const { state: other } = await resume({
      parameterGroups: [{ ...parameterGroups[0], learningRate: 0.1 }, parameterGroups[1]],
    });
    assert.ok(state.equals(same));
    assert.ok(!state.equals(other));
    for (const groups of [[], [parameterGroups[1], parameterGroups[0]], [parameterGroups[0]]]) {
      await assert.rejects(resume({ parameterGroups: groups }), {
        code: 'ERR_INVALID_OPTION',
        message: /was begun with other "parameterGroups"/,
      });
    }
  });
});
