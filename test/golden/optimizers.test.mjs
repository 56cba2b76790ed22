// Checkpoints of every optimizer that PyTorch has: those that this library has are resumed, SGD in all its forms as PyTorch continues
// it, and every other one is refused by its name. optimizers.json has the keys by which they are recognised; optimizers.py makes it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  linear,
  loadState,
  sequential,
  sgd as sgdOptimizer,
  TensorValue,
  trainIncremental,
} from 'torch-incremental';
import { torchForms } from '../../dist/optimizers/index.js';
import { optimizerGroups } from '../../dist/optimizers/parameter-groups.js';
import { optimizerNames } from '../../dist/training/optimizer-names.js';
import { readOptimizer } from '../../dist/training/read-optimizer.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/golden/optimizers.py');
const golden = JSON.parse(fs.readFileSync(path.join(root, 'test/golden/optimizers.json'), 'utf8'));

/** Groups of PyTorch 1.0, and of the release that an optimizer came with. */
const old = {
  'Adam/AdamW': 'lr betas eps weight_decay amsgrad',
  SparseAdam: 'lr betas eps',
  NAdam: 'lr betas eps weight_decay momentum_decay',
  'RAdam/Adamax/another with betas': 'lr betas eps weight_decay',
  RMSprop: 'lr momentum alpha eps centered weight_decay',
  Rprop: 'lr etas step_sizes',
  ASGD: 'lr lambd alpha t0 weight_decay',
  Adadelta: 'lr rho eps weight_decay',
  Adagrad: 'lr lr_decay weight_decay initial_accumulator_value',
  LBFGS: 'lr max_iter max_eval tolerance_grad tolerance_change history_size line_search_fn',
};

const sgd = { lr: 0.1, momentum: 0.9, dampening: 0, weight_decay: 0, nesterov: false };
const map = (entries) => new Map(Object.entries(entries));
const stateDict = (groups, states = []) =>
  map({
    param_groups: groups.map((group) => map({ params: [0], ...group })),
    state: new Map([[0, map(Object.fromEntries(states.map((key) => [key, null])))]]),
  });
const group = (keys) => Object.fromEntries(keys.filter((key) => key !== 'params').map((key) => [key, 0]));

const refuses = (value, message) => assert.throws(() => readOptimizer(value), { code: 'ERR_STATE_MISMATCH', message });

describe('the optimizer of a checkpoint', () => {
  const namesOf = (groups, states = []) => optimizerNames(groups.map(map), states.map(map));

  for (const [name, { group: keys, state }] of Object.entries(golden)) {
    it(`is recognised by its keys: ${name}, also before its first step`, () => {
      const named = {
        ...group(keys),
        ...(keys.includes('decoupled_weight_decay') && { decoupled_weight_decay: name === 'AdamW' }),
      };
      assert.ok(namesOf([named], [group(state)]).includes(name));
      assert.ok(namesOf([named]).includes(name));
    });
  }

  for (const [names, keys] of Object.entries(old)) {
    it(`is recognised by the keys that it had at first: ${names}`, () =>
      assert.deepEqual(namesOf([group(keys.split(' '))]), names.split('/')));
  }

  it('is Adam or AdamW by the option of the run where the keys of an old release do not say', () => {
    const value = stateDict([{ lr: 0.1, betas: [0.9, 0.99], eps: 1e-8, weight_decay: 0.1, amsgrad: false }]);
    refuses(value, /it is torch\.optim\.Adam or AdamW, and does not say which: give the option "optimizer"/);
    for (const kind of ['adam', 'adamW'])
      assert.equal(readOptimizer(value, { optimizer: { kind } }).optimizer.kind, kind);
    refuses(value, /does not say which/);
  });

  it('is no SGD where its groups or states hold what SGD does not have', () => {
    refuses(stateDict([{ ...sgd, trust_coefficient: 0.001 }]), /whose groups do not have trust_coefficient/);
    refuses(stateDict([sgd, { ...sgd, decay_rate: 0.1 }]), /whose groups do not have decay_rate/);
    refuses(stateDict([sgd], ['momentum_buffer', 'step']), /which does not keep step/);
    refuses(stateDict([group(['lr', 'weight_decay'])]), /does not have momentum/);
  });

  it('is SGD with the keys of schedulers, labels, and every release of PyTorch', () => {
    const later = { maximize: false, foreach: null, differentiable: false, fused: true };
    const marks = { initial_lr: 0.1, max_lr: 1, min_lr: 0, base_momentum: 0.8, swa_lr: 0.1, name: 'backbone' };
    for (const more of [{}, later, marks])
      assert.equal(readOptimizer(stateDict([{ ...sgd, ...more }], ['momentum_buffer'])).optimizer.momentum, 0.9);
  });

  it('is refused where Adafactor or Muon has what PyTorch never saves', () => {
    const read = (options, states = {}) => {
      const params = { params: [0, 1], ...options };
      const value = map({
        param_groups: [map(params)],
        state: new Map([
          [0, map({})],
          [1, map(states)],
        ]),
      });
      const found = readOptimizer(value);
      const model = sequential({ fc: linear(3, 2) });
      const { parameters } = model.program;
      return found.slotsOf(model, [{ optimizer: found.optimizer, parameters: parameters.map((_, i) => i) }]);
    };
    const adafactor = { lr: 0.1, beta2_decay: -0.8, eps: [null, 0.001], d: 1, weight_decay: 0 };
    const tensor = (shape) => new TensorValue({ handle: {} }, 7, { dtype: 'float32', shape });
    assert.deepEqual(Object.keys(read(adafactor, { step: 1, variance: tensor([2]) })[1]), ['step', 'variance']);
    const refused = (message) => ({ code: 'ERR_STATE_MISMATCH', message });
    for (const [options, states, message] of [
      [{ beta2_decay: null }, {}, /its group does not have beta2_decay/],
      [{ beta2_decay: 'a' }, {}, /beta2_decay is a, not a number/],
      [{ eps: [1] }, {}, /eps is an object, not 2 numbers/],
      [{ eps: [1, 'x'] }, {}, /eps is x, not a number/],
      [{}, { step: 1 }, /keeps variance of each parameter, which is missing of fc\.bias/],
      [{}, { step: 1, variance: tensor([3]) }, /expected variance of shape \[2\] for fc\.bias/],
      [{}, { step: 1, row_var: tensor([2]) }, /fc\.bias of shape \[2\] has a row_var, which is of others/],
      [{}, { step: 1, exp_avg: tensor([2]) }, /which does not keep exp_avg/],
    ]) {
      assert.throws(() => read({ ...adafactor, ...options }, states), refused(message));
    }
    const muon = { ...group(golden.Muon.group), ns_coefficients: [1, -2, 3], adjust_lr_fn: 'match_rms_adamw' };
    assert.equal(readOptimizer(stateDict([muon])).optimizer.adjustLearningRateFn, 'match_rms_adamw');
    refuses(stateDict([{ ...muon, adjust_lr_fn: 7 }]), /adjust_lr_fn is 7, not a word/);
    refuses(stateDict([{ ...muon, ns_coefficients: [1, 2] }]), /ns_coefficients is an object, not 3 numbers/);
  });

  it('has groups of different options, where it says which parameters are in which', () => {
    const named = (lr, params, names) => ({ ...sgd, lr, params, param_names: names });
    const { parameterGroups, slotsOf } = readOptimizer(
      stateDict([named(0.1, [0], ['fc.bias']), named(0.2, [1], ['fc.weight'])]),
    );
    const rates = parameterGroups.map(({ parameters, optimizer }) => [...parameters, optimizer?.learningRate]);
    assert.deepEqual(rates, [
      ['fc.bias', 0.1],
      ['fc.weight', 0.2],
      ['*', undefined],
    ]);
    const model = sequential({ fc: linear(3, 2) });
    const groups = optimizerGroups(model.program.parameters, sgdOptimizer(), parameterGroups);
    assert.deepEqual(slotsOf(model, groups), [{}, {}]);
  });

  it('is refused with groups of which it does not say what is in them, unless the run does', () => {
    const value = stateDict([sgd, { ...sgd, lr: 0.2, params: [1] }]);
    refuses(value, /2 parameter groups, and does not say which.*give the option "parameterGroups"/);
    const known = { parameterGroups: [{ parameters: 'fc.bias', learningRate: 7 }] };
    const { optimizer, parameterGroups } = readOptimizer(value, known);
    assert.equal(optimizer.learningRate, 0.1);
    assert.deepEqual(parameterGroups, [{ parameters: 'fc.bias', learningRate: 0.2 }]);
  });

  describe('of a live PyTorch', () => {
    const at = temporaryFolder();
    const data = arrays({
      inputs: Float32Array.from({ length: 12 }, (_, i) => i / 8 - 0.75),
      labels: [0, 1, 1, 0],
      shape: [3],
      classes: 2,
    });
    const model = sequential([linear(3, 2)]);
    const resume = (name, more = {}) =>
      trainIncremental('', {
        model,
        data,
        resume: at(`made/${name}.ckpt`),
        epochs: 2,
        batchSize: 4,
        shuffle: false,
        threads: 1,
        ...more,
      });
    before(function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      assert.deepEqual(JSON.parse(runPython(script, [at('made')])), golden);
    });

    const known = torchForms.map(({ torchName }) => torchName);
    for (const name of Object.keys(golden).filter((other) => known.includes(other))) {
      it(`is resumed: ${name}`, async () => {
        const { steps } = await resume(name, name === 'Muon' ? withoutBias : {});
        assert.equal(steps, 2);
      });
    }

    for (const name of Object.keys(golden).filter((other) => !known.includes(other))) {
      it(`is refused by name: ${name}`, () =>
        assert.rejects(resume(name), {
          code: 'ERR_STATE_MISMATCH',
          message: new RegExp(`its optimizer cannot be resumed: it is torch\\.optim\\.${name}, `),
        }));
    }

    const made = (name) => torchForms.find(({ torchName }) => torchName === name).make({ learningRate: 0.013 });
    const withoutBias = { parameterGroups: [{ parameters: '*.bias', frozen: true }] };
    const assertSame = async (form, more) => {
      const { state } = await resume(form, more);
      const theirs = await loadState(at(`made/${form}.pth`));
      for (const name of theirs.names) assert.deepEqual(state.tensor(name), theirs.tensor(name), name);
    };

    for (const name of known.filter((one) => one !== 'Adafactor' && one !== 'Muon')) {
      it(`is continued with the bits of PyTorch from a dict without the keys of later releases: ${name}`, () =>
        assertSame(
          `${name} old`,
          ['Adam', 'AdamW', 'RAdam', 'Adamax'].includes(name) ? { optimizer: made(name) } : {},
        ));
    }

    // The others divide float32 by float32 on the way from such a rate to the step.
    const exact = ['SGD', 'RAdam', 'Adagrad', 'Adadelta', 'RMSprop', 'Rprop'];
    for (const name of known) {
      it(`is continued with the bits of PyTorch where its rate is a tensor: ${name}`, async () => {
        const more = name === 'Muon' ? withoutBias : {};
        for (const form of ['float64', 'of one element', ...(exact.includes(name) ? ['float32'] : [])]) {
          await assertSame(`${name} ${form}`, more);
        }
      });
    }

    for (const form of [
      'plain',
      'momentum',
      'integers',
      'nesterov',
      'foreach',
      'fused',
      'differentiable',
      'tensor',
      'names',
      'groups',
    ]) {
      it(`is continued with the bits of PyTorch: SGD, ${form}`, () => assertSame(`sgd ${form}`));
    }
  });
});
