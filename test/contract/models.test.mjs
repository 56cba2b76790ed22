import assert from 'node:assert/strict';
import { createState, getModel, identity, listModels, sequential, trainIncremental } from 'torch-incremental';
import { isModel, models } from '../../dist/models/index.js';
import { recogniseModel } from '../../dist/models/recognise.js';
import { fingerprints } from '../../dist/models/zoo/fingerprints.js';
import { headOf } from '../../dist/models/zoo/get-model.js';
import { knownModels } from '../../dist/models/zoo/index.js';
import { fingerprintOf, firstOf } from '../../dist/models/zoo/recognise-zoo.js';
import { describeExports, describePlainValues } from './family.mjs';

describe('the models', () => {
  describePlainValues(models);
  describeExports(models);

  for (const [name, make] of Object.entries(knownModels)) {
    it(`a state of ${name}() is recognised by itself`, async () => {
      assert.deepEqual(recogniseModel(await createState(make())), make());
    });
  }

  it('of the zoo are told apart by what scripts/fingerprints.mjs writes', () => {
    for (const name of listModels()) {
      const { tensors } = getModel(name);
      assert.ok(tensors.at(-1).name.startsWith(`${headOf(name)}.`), name);
      const shapes = new Map(tensors.map((tensor) => [tensor.name, tensor.shape]));
      assert.deepEqual(fingerprints[name], [fingerprintOf(shapes), shapes.size, firstOf(shapes)], name);
    }
    const digests = Object.values(fingerprints).map(([digest]) => digest);
    assert.equal(new Set(digests).size, digests.length);
    assert.equal(digests.length, listModels().length);
  });

  it('accept models, and name what makes one where something else is given', async () => {
    isModel(sequential([identity()]), 'model');
    for (const other of [null, {}, 'net', sequential]) {
      await assert.rejects(trainIncremental('none.pth', { model: other }), {
        code: 'ERR_INVALID_OPTION',
        message: /a model made by net\(\), getModel\(\), .*, sequential\(\) or loadModel\(\) for "model"/,
      });
    }
  });
});
