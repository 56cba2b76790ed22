// The form of a learner's samples follows from options and model; what a caller gives is checked, and errors name what was expected.
import assert from 'node:assert/strict';
import { cifar10Transforms, linear, normalize, sequential, toTensor } from 'torch-incremental';
import { formText, indicesOf, inputsOf, isInputs, isTargetForm } from '../../dist/online/sample-form.js';
import { learnerSettings } from '../../dist/online/settings.js';

const modelOf = (...inputs) => ({ name: 'Made', program: { inputs } });
const ids = { name: 'ids', dtype: 'int64', shape: [8] };
const dense = { name: 'dense', dtype: 'float32', shape: [4] };
const image = { name: 'image', dtype: 'float32', shape: [3, 8, 8] };
const two = modelOf(ids, dense);

const resolved = ({ inputs = {}, shape = [], transforms = {} }, model) =>
  inputsOf({ inputs, shape, transforms }, model);

describe('the inputs of samples', () => {
  it("are the model's own, where options say nothing", () => {
    const { inputs, transforms } = resolved({}, two);
    assert.deepEqual(inputs, [ids, dense]);
    assert.deepEqual(transforms, [[], []]);
  });

  it('are images of bytes where the model takes images, since those go through the usual transforms', () => {
    const { inputs, transforms } = resolved({}, modelOf(ids, image));
    assert.deepEqual(inputs[1], { ...image, dtype: 'uint8' });
    assert.deepEqual(transforms, [[], cifar10Transforms]);
  });

  it('are float32 where an image has no transform that takes bytes, or where options say so', () => {
    const scaled = [normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])];
    const one = resolved({ transforms: { image: scaled } }, modelOf(ids, image));
    assert.deepEqual([one.inputs[1].dtype, one.transforms[1]], ['float32', scaled]);
    const other = resolved({ inputs: { ids: {}, image: { dtype: 'float32' } } }, modelOf(ids, image));
    assert.deepEqual([other.inputs[1].dtype, other.transforms[1]], ['float32', []]);
  });

  it("are in the model's order, whatever the order of the options, and have the types and shapes given", () => {
    const inputs = isInputs({ ids: 'int32', dense: { shape: [9] } }, 'inputs');
    assert.deepEqual(
      JSON.stringify(inputs),
      JSON.stringify(isInputs({ dense: { shape: [9] }, ids: 'int32' }, 'inputs')),
    );
    assert.deepEqual(resolved({ inputs }, two).inputs, [
      { ...ids, dtype: 'int32' },
      { ...dense, shape: [9] },
    ]);
  });

  it('have the name of the model, or one of their own, where there is only one', () => {
    assert.deepEqual(resolved({ inputs: 'int64' }, modelOf(ids)).inputs, [ids]);
    assert.deepEqual(resolved({ inputs: { words: {} } }, modelOf(ids)).inputs, [{ ...ids, name: 'words' }]);
  });

  it('are bytes of a model of float32 where that is said by name', () => {
    assert.equal(resolved({ inputs: { dense: { dtype: 'uint8' } } }, modelOf(dense)).inputs[0].dtype, 'uint8');
  });

  const open = { name: 'open', dtype: 'int64' };
  for (const [what, options, model, message] of [
    [
      'one is missing',
      { inputs: { ids: {} } },
      two,
      /inputs of Made, which are ids, dense, for "inputs" but "dense" is missing/,
    ],
    ['one is unknown', { inputs: { ids: {}, dense: {}, x: {} } }, two, /for "inputs" but it has "x"/],
    ['one type is for several', { inputs: 'int64' }, two, /the type of each input of Made, which are ids, dense,/],
    ['one shape is for several', { shape: [8] }, two, /Expected the shape of each input as "inputs"/],
    [
      'one list of transforms is for several',
      { transforms: [] },
      two,
      /a list for each input .* among ids, dense, for "transforms"/,
    ],
    [
      'transforms are for an unknown one',
      { transforms: { x: [] } },
      two,
      /only inputs of the samples, which are ids, dense,/,
    ],
    [
      'bytes would reach a model of float32 as they are, though no one said so by name',
      { inputs: 'uint8' },
      modelOf(dense),
      /^toTensor is missing among the transforms: .* inputs: \{ dense: 'uint8' \} if the model takes numbers from 0 to 255$/,
    ],
    ['a shape is missing', {}, modelOf(open), /Expected the option "shape": Made does not fix the shape of a sample/],
    ['one of two shapes is missing', {}, modelOf(ids, open), /Expected a shape for "inputs.open": Made does not fix/],
  ]) {
    it(`are refused if ${what}`, () => {
      assert.throws(() => resolved(options, model), { code: 'ERR_INVALID_OPTION', message });
    });
  }

  for (const [given, message] of [
    ['float64', /one of 'uint8', 'int32', 'int64', 'float32', or an object of them by input for "inputs"/],
    [{}, /by input for "inputs"/],
    [[], /by input for "inputs"/],
    [{ ids: 'float64' }, /'float32' for "inputs.ids.dtype"/],
    [{ ids: 7 }, /an object with dtype and shape for "inputs.ids"/],
    [{ ids: { type: 'int64' } }, /only dtype and shape for "inputs.ids" but received string \('type'\)/],
    [{ ids: { shape: [8, 0] } }, /an integer of at least 1 for "inputs.ids.shape\[1\]"/],
  ]) {
    it(`are refused as ${JSON.stringify(given)}`, () => {
      assert.throws(() => isInputs(given, 'inputs'), { code: 'ERR_INVALID_OPTION', message });
    });
  }

  it('of other samples are found by their names, and the only one of both whatever its name', () => {
    assert.deepEqual(indicesOf([ids, dense], [dense, ids]), [1, 0]);
    assert.deepEqual(indicesOf([ids], [dense]), [0]);
    assert.equal(indicesOf([ids, dense], [ids, image]), undefined);
    assert.equal(indicesOf([ids, dense], [ids]), undefined);
  });

  it('are described as before where there is one, with classes', () => {
    const target = { kind: 'class', shape: [] };
    assert.equal(formText({ inputs: [dense], target, classes: 3 }), 'float32 samples of shape [4] and 3 classes');
    assert.equal(
      formText({ inputs: [ids, dense], target: { kind: 'tokens', shape: [8] }, classes: 5 }),
      'samples with ids (int64 [8]), dense (float32 [4]) and tokens of shape [8] from 5 classes',
    );
  });
});

describe('the target of samples', () => {
  it('is a number where no shape is given', () => {
    assert.deepEqual(isTargetForm({ kind: 'values' }, 'target'), { kind: 'values', shape: [] });
  });

  for (const [given, message] of [
    [
      { kind: 'none' },
      /one of 'class', 'classes', 'values', 'tokens', since without targets there is nothing to learn from,/,
    ],
    [{ kind: 'labels' }, /one of 'class', 'classes', 'values', 'tokens' for "target.kind"/],
    [{ shape: [3] }, /for "target.kind" but received undefined/],
    [{ kind: 'class', shape: [3] }, /no shape for targets of the kind 'class' \(use 'tokens' for several indices\)/],
    ['class', /an object with kind and shape for "target"/],
    [{ kind: 'tokens', shape: 8 }, /an array for "target.shape"/],
    [{ kind: 'tokens', classes: 8 }, /only kind and shape for "target" but received string \('classes'\)/],
  ]) {
    it(`is refused as ${JSON.stringify(given)}`, () => {
      assert.throws(() => isTargetForm(given, 'target'), { code: 'ERR_INVALID_OPTION', message });
    });
  }
});

describe('the settings of a learner', () => {
  const target = { kind: 'values', shape: [2] };

  for (const [name, options, heldOut, message] of [
    ['replay.policy', { replay: { capacity: 3, policy: 'classBalanced' } }, '', /use the policy 'reservoir'/],
    ['gate.heldOut', {}, 'a digest', /leave it out/],
    ['drift', { drift: { detector: { kind: 'ddm' } } }, '', /leave it out/],
  ]) {
    it(`refuse ${name} where targets are not classes`, () => {
      assert.throws(
        () => learnerSettings({ ...options, target }, heldOut, 1),
        (error) => {
          assert.equal(error.code, 'ERR_INVALID_OPTION');
          assert.ok(error.message.startsWith(`Expected targets of the kind 'class' with "${name}", `), error.message);
          assert.match(error.message, /"target" is \{ kind: 'values' \}/);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('are recorded in the form of earlier versions where there is one input without a name', () => {
    const model = sequential({ out: linear(4, 3) }, { input: [4] });
    const { inputs, shape, transforms } = learnerSettings({ model }, '', 1);
    assert.deepEqual({ inputs, shape, transforms }, { inputs: 'float32', shape: [], transforms: [] });
    const images = learnerSettings({}, '', 1);
    assert.deepEqual([images.inputs, images.shape, images.transforms], ['uint8', [], cifar10Transforms]);
    const tensors = learnerSettings({ transforms: [toTensor()] }, '', 1);
    assert.equal(tensors.inputs, 'uint8');
  });

  it('have the transforms of each input by name where there are several', () => {
    const { inputs, transforms } = learnerSettings({ model: modelOf(ids, image) }, '', 1);
    assert.deepEqual({ inputs, transforms }, { inputs: {}, transforms: { ids: [], image: cifar10Transforms } });
  });
});
