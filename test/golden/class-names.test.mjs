// Names of classes in Python: an attribute of the state dict, which load_state_dict(strict=True) takes as before.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  createState,
  extendClasses,
  linear,
  loadState,
  relu,
  saveState,
  sequential,
  trainIncremental,
} from 'torch-incremental';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const model = sequential({ body: linear(4, 6), relu: relu(), fc: linear(6, 3) }, { input: [4] });

describe('names of classes, in Python', function () {
  this.timeout(60_000);
  const at = temporaryFolder();

  it('are read there strictly, saved with the same bytes, and read here from an entry beside the state dict', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const named = await extendClasses(await createState(model, { seed: 1 }), {
      ...{ model, names: ['fox', 'owl'], oldNames: ['cat', 'dog', 'émeu'] },
    });
    const data = arrays({ inputs: new Float32Array(40), labels: new Int32Array(10), shape: [4], classes: 5 });
    await saveState(named.state, at('names.pth'));
    await trainIncremental(named.state, { model: named.model, data, epochs: 1, checkpoint: { path: at('run.ckpt') } });
    fs.mkdirSync(at('again'));
    const answer = JSON.parse(runPython(path.join(root, 'test/golden/class_names.py'), [at('.')]));
    assert.deepEqual(answer, { state: named.classNames, checkpoint: named.classNames });
    assert.ok(fs.readFileSync(at('again/names.pth')).equals(fs.readFileSync(at('names.pth'))));
    const { classNames } = await extendClasses(await loadState(at('python.ckpt')), {
      ...{ model: named.model, names: ['ape'] },
    });
    assert.deepEqual(classNames, [...named.classNames, 'ape']);
  });
});
