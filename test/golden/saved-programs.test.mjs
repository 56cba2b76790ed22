// Programs of PyTorch that are saved here with new weights are what torch.export.load reads: the same program, byte for byte, that computes
// with the new weights what PyTorch computes with them, from each form of archive.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { loadState, State } from 'torch-incremental';
import { writeProgram } from '../../dist/pt2/save-model.js';
import { originAt } from '../pt2/saved.mjs';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/golden/saved_programs.py');
const models = ['mlp', 'cnn', 'lstm', 'tied_autoencoder', 'transformer_encoder', 'non_persistent_buffer'];
models.push('no_grad_block', 'autocast_block', 'condition', 'dict_output', 'graph_conv', 'keywords', 'layouts');
const endings = { 'torch 2.9 and newer': '.pt2', 'torch 2.8': '.pickled.pt2', 'torch 2.6': '.flat.pt2' };

describe('programs saved with new weights', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  const answers = new Map();

  /** Saves the file of PyTorch with these weights into `folder`. */
  async function save(file, state, folder = 'saved') {
    fs.mkdirSync(at(folder), { recursive: true });
    await writeProgram(at(`${folder}/${file}`), await originAt(at(file)), state);
  }

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    assert.deepEqual(runPython(script, ['export', at()]).trim().split('\n'), models);
    for (const name of models)
      for (const ending of Object.values(endings)) await save(name + ending, await loadState(at(`${name}.pth`)));
    fs.copyFileSync(at('cnn.pth'), at('both.pth'));
    for (const name of ['both', 'turned']) await save(`${name}.pt2`, await loadState(at(`${name}.pth`)));
    for (const line of runPython(script, ['check', at()]).trim().split('\n')) {
      const { file, problems } = JSON.parse(line);
      answers.set(file, problems);
    }
  });

  for (const name of models)
    for (const [form, ending] of Object.entries(endings))
      it(`${name}, as ${form} stored it, computes in PyTorch what PyTorch computes with them`, () =>
        assert.deepEqual(answers.get(name + ending), []));

  it('both programs of a package compute with the weights of one state', () =>
    assert.deepEqual(answers.get('both.pt2'), []));

  it('parameters that shared memory compute with values that do not agree', () =>
    assert.deepEqual(answers.get('turned.pt2'), []));

  it('are the same files where the state has each tensor in memory of its own', async () => {
    for (const name of ['tied_autoencoder', 'layouts']) {
      const loaded = await loadState(at(`${name}.pth`));
      const copies = State.from(Object.fromEntries(loaded.names.map((each) => [each, loaded.tensor(each)])));
      await save(`${name}.pt2`, copies, 'copies');
      assert.deepEqual(fs.readFileSync(at(`copies/${name}.pt2`)), fs.readFileSync(at(`saved/${name}.pt2`)));
    }
  });
});
