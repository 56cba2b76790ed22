// Every layer against its module in torch.nn: how it is initialised, trained and evaluated, and the file that is saved, to the bit. The lists in
// test/models/layers/ have the layers of test/models/layers_*.py by the same names.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { layers } from '../../dist/layers/index.js';
import { builtDifferences } from '../models/compare.mjs';
import { ownLayers } from '../models/layers/own.mjs';
import { plainLayers } from '../models/layers/plain.mjs';
import { poolingLayers } from '../models/layers/pooling.mjs';
import { sequenceLayers } from '../models/layers/sequences.mjs';
import { pythonForTests } from '../models/worker.mjs';
import { root, temporaryFolder } from '../support.mjs';

const models = { ...ownLayers, ...plainLayers, ...poolingLayers, ...sequenceLayers };

describe('layers of torch.nn', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  const worker = pythonForTests();

  for (const [name, make] of Object.entries(models))
    it(`${name} is PyTorch's`, async () => {
      assert.deepEqual(await builtDifferences(worker, `layer_${name}`, make(), at(name)), []);
    });

  it('are all compared', () => {
    const folder = path.join(root, 'test/models/layers');
    const texts = fs.readdirSync(folder).map((file) => fs.readFileSync(path.join(folder, file), 'utf8'));
    // Of one name for each number of axes.
    const used = texts.join('\n').replace(/t\[`(\w+)\$\{n\}d`\]/g, 't.$11d( t.$12d( t.$13d');
    const missing = Object.keys(layers).filter((name) => !new RegExp(`\\b${name}\\(`).test(used));
    assert.deepEqual(missing, []);
  });

  it('are all those that Python has', async () => {
    const { result } = await worker.ask({ do: 'list', group: 'layers' });
    assert.deepEqual(
      result.layers.models.sort(),
      Object.keys(models)
        .map((name) => `layer_${name}`)
        .sort(),
    );
  });
});
