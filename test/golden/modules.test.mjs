// Whole pickled models of a live PyTorch: read as their state_dict(), or refused by the layer whose weights the pickle does not
// show. Ones made by hand are in test/unit/checkpoint-modules.test.mjs.
import assert from 'node:assert/strict';
import path from 'node:path';
import { loadState } from 'torch-incremental';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

describe('a whole pickled model of a live PyTorch', () => {
  const at = temporaryFolder();

  it('has the tensors of its state_dict(), or is refused where the pickle does not show them', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const models = JSON.parse(runPython(path.join(root, 'test/golden/modules.py'), [at()]));
    assert.equal(Object.keys(models).length, 19);
    for (const [name, tensors] of Object.entries(models)) {
      const load = loadState(at(`${name}.pth`));
      if (tensors === null) {
        const message =
          /the (layer "\d"|model), .* (keeps quantised weights in a packed form|has a hook for state_dict)/;
        await assert.rejects(load, { code: 'ERR_STATE_FORMAT', message }, name);
        continue;
      }
      const found = (await load).tensors.map((tensor) => [tensor.name, [...tensor.shape]]);
      assert.deepEqual(found, Object.entries(tensors), name);
    }
  });
});
