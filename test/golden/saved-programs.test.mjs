// Programs of PyTorch that are saved here with new weights are what torch.export.load reads: the same program, byte for byte, that computes
// with the new weights what PyTorch computes with them, from each form of archive.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  loadModel,
  loadState,
  mseLoss,
  predict,
  State,
  saveModel,
  saveState,
  trainIncremental,
} from 'torch-incremental';
import { writeProgram } from '../../dist/pt2/save-model.js';
import { originAt } from '../pt2/saved.mjs';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/golden/saved_programs.py');
const models = ['mlp', 'cnn', 'lstm', 'tied_autoencoder', 'transformer_encoder', 'non_persistent_buffer'];
models.push('no_grad_block', 'autocast_block', 'condition', 'dict_output', 'graph_conv', 'keywords', 'layouts');
const endings = { 'torch 2.9 and newer': '.pt2', 'torch 2.8': '.pickled.pt2', 'torch 2.6': '.flat.pt2' };

/** Shapes of a sample and of what the model returns for it. */
const trained = { mlp: [[20], 10], tied_autoencoder: [[64], 64], layouts: [[3, 8, 8], 10], both: [[1, 12, 12], 10] };

describe('programs saved with new weights', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  const answers = new Map();

  /** Saves the file of PyTorch with these weights into `folder`. */
  async function save(file, state, folder = 'saved') {
    fs.mkdirSync(at(folder), { recursive: true });
    await writeProgram(at(`${folder}/${file}`), await originAt(at(file)), state);
  }

  /** Trains a model of PyTorch, and saves it beside what it predicts. */
  async function train(name, [shape, size]) {
    const { model, state } = await loadModel(at(`${name}.pt2`));
    const random = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * i + 1));
    const x = random(8 * shape.reduce((product, length) => product * length));
    const input = { [model.program.inputs[0].name]: { data: x, shape } };
    const data = arrays({ inputs: input, targets: { data: random(8 * size), shape: [size] } });
    const options = { model, threads: 1 };
    const run = { data, loss: mseLoss(), epochs: 2, batchSize: 4, seed: 1 };
    const result = await trainIncremental(state, { ...options, ...run });
    assert.ok(!result.state.equals(state));
    await saveModel(at(`saved/${name}.trained.pt2`), { model, state: result.state });
    const { logits } = await predict(result.state, x, { ...options, shape });
    const float = (sizes, values) => ({ dtype: 'float32', shape: [8, ...sizes], data: values });
    await saveState(State.from({ x: float(shape, x), logits: float([size], logits) }), at(`${name}.trained.pth`));
  }

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    assert.deepEqual(runPython(script, ['export', at()]).trim().split('\n'), models);
    for (const name of models)
      for (const ending of Object.values(endings)) await save(name + ending, await loadState(at(`${name}.pth`)));
    fs.copyFileSync(at('cnn.pth'), at('both.pth'));
    for (const name of ['both', 'turned']) await save(`${name}.pt2`, await loadState(at(`${name}.pth`)));
    for (const [name, form] of Object.entries(trained)) await train(name, form);
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

  for (const name of Object.keys(trained))
    it(`${name}, trained here, computes in PyTorch what it predicts here`, () =>
      assert.deepEqual(answers.get(`${name}.trained.pt2`), []));

  it('are the same files where the state has each tensor in memory of its own', async () => {
    for (const name of ['tied_autoencoder', 'layouts']) {
      const loaded = await loadState(at(`${name}.pth`));
      const copies = State.from(Object.fromEntries(loaded.names.map((each) => [each, loaded.tensor(each)])));
      await save(`${name}.pt2`, copies, 'copies');
      assert.deepEqual(fs.readFileSync(at(`copies/${name}.pt2`)), fs.readFileSync(at(`saved/${name}.pt2`)));
    }
  });
});
