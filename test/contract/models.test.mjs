import assert from 'node:assert/strict';
import { createState, identity, sequential, trainIncremental } from 'torch-incremental';
import { isModel, models } from '../../dist/models/index.js';
import { recogniseModel } from '../../dist/models/recognise.js';
import { knownModels } from '../../dist/models/zoo/index.js';
import { describeExports, describePlainValues } from './family.mjs';

describe('the models', () => {
  describePlainValues(models);
  describeExports(models);

  for (const [name, make] of Object.entries(knownModels)) {
    it(`a state of ${name}() is recognised by itself`, async () => {
      assert.deepEqual(recogniseModel(await createState(make())), make());
    });
  }

  it('accept models, and name what makes one where something else is given', async () => {
    isModel(sequential([identity()]), 'model');
    for (const other of [null, {}, 'net', sequential]) {
      await assert.rejects(trainIncremental('none.pth', { model: other }), {
        code: 'ERR_INVALID_OPTION',
        message: /a model made by net\(\), sequential\(\) or loadModel\(\) for "model"/,
      });
    }
  });
});
