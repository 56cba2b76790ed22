// One model, exported by PyTorch or made of layers here, and trained here as PyTorch trained it: losses, every tensor of the state, the outputs,
// and the saved file are the same bits. Used by `npm run check:models` and by the tests in test/golden/.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
  arrays,
  createState,
  crossEntropyLoss,
  LearnError,
  loadModel,
  mseLoss,
  predict,
  saveModel,
  saveState,
  sgd,
  trainIncremental,
} from 'torch-incremental';

const valueArrays = { float32: Float32Array, int64: BigInt64Array };

const losses = {
  cross_entropy: (output) => crossEntropyLoss({ output }),
  mse: (output) => mseLoss({ output }),
  tokens: (output) => crossEntropyLoss({ output, classesLast: true }),
};

/**
 * Has Python export and train the model `name` in `folder`, and does the same here. The result is { name, verdict, reasons, seconds }:
 * `equal`; `differs`, in what `reasons` name, or by an error that is no LearnError; `refused`, by one that is; or `not exported`, by
 * torch.export.
 */
export async function compareModel(python, name, folder) {
  const begun = performance.now();
  const result = (verdict, reasons) => ({
    ...{ name, verdict, reasons, seconds: (performance.now() - begun) / 1000 },
  });
  const exported = await python.ask({ do: 'export', model: name, folder });
  if (exported.error === 'NotExported') return result('not exported', [exported.message]);
  if (!exported.ok) return result('differs', [`in Python: ${exported.error}: ${exported.message}`]);
  try {
    const wrong = await differences(python, exported.result, folder);
    return result(wrong.length === 0 ? 'equal' : 'differs', wrong);
  } catch (error) {
    if (error instanceof LearnError) return result('refused', [`${error.code}: ${error.message}`]);
    return result('differs', [`${error.name}: ${error.message}`]);
  }
}

/**
 * What differs, in words, between a model that is made here and the one of that name in Python: how it is initialised, trained, evaluated and
 * saved.
 */
export async function builtDifferences(python, name, model, folder) {
  const answer = await python.ask({ do: 'train', model: name, folder });
  if (!answer.ok) throw new Error(`in Python: ${answer.error}: ${answer.message}`);
  const expected = answer.result;
  const at = (file) => path.join(folder, file);
  const state = await createState(model, { seed: modelSeed });
  const before = expected.state.map((tensor) => ({ ...tensor, sha256: expected.before[tensor.name] }));
  const initial = tensorsThatDiffer(state, before).map((tensor) => `${tensor} before the training`);
  const named = inputsOf(expected, at);
  // forward() has its own names for what the model's inputs are, in their order.
  const values = Object.values(named);
  const inputs = Object.fromEntries(model.program.inputs.map((input, i) => [input.name, values[i]]));
  const trained = await train({ model, state }, inputs, expected, at);
  await saveState(trained.state, at('saved.pth'));
  const files = { file: at('saved.pth'), checkpoint: at('saved.ckpt') };
  const saved = await python.ask({ do: 'state', model: name, folder, ...files });
  return [
    ...initial,
    ...lossesThatDiffer(trained.losses, expected.losses),
    ...tensorsThatDiffer(trained.state, expected.state),
    ...(expected.eval ? await outputsThatDiffer(model, trained.state, inputs, expected) : []),
    ...(saved.ok ? saved.result.wrong : [`the saved state in Python: ${saved.error}: ${saved.message}`]),
  ];
}

/** SEED of catalogue.py. */
const modelSeed = 7;

/** What differs, in words. */
async function differences(python, expected, folder) {
  const at = (file) => path.join(folder, file);
  const inputs = inputsOf(expected, at);
  const loaded = await loadModel(at(expected.archive));
  const trained = await train(loaded, inputs, expected, at);
  const wrong = [
    ...lossesThatDiffer(trained.losses, expected.losses),
    ...tensorsThatDiffer(trained.state, expected.state),
    ...(expected.eval ? await outputsThatDiffer(loaded.model, trained.state, inputs, expected) : []),
  ];
  await saveState(trained.state, at('saved.pth'));
  await saveModel(at('saved.pt2'), { model: loaded.model, state: trained.state });
  const check = async (what, files) => {
    const answer = await python.ask({ do: what, model: expected.model, folder, ...files });
    return answer.ok ? answer.result.wrong : [`the saved ${what} in Python: ${answer.error}: ${answer.message}`];
  };
  wrong.push(...(await check('state', { file: at('saved.pth'), checkpoint: at('saved.ckpt') })));
  wrong.push(...(await check('program', { file: at('saved.pt2') })));
  return wrong;
}

/** Samples of each input, one after the other. */
function inputsOf({ inputs }, at) {
  return Object.fromEntries(
    inputs.map(({ name, file, dtype, shape }) => [name, { data: valuesOf(at(file), dtype), shape: shape.slice(1) }]),
  );
}

function valuesOf(file, dtype) {
  const bytes = fs.readFileSync(file);
  return new valueArrays[dtype](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

async function train({ model, state }, inputs, expected, at) {
  const { kind, file, dtype, shape } = expected.target;
  const { lr: learningRate, momentum, weight_decay: weightDecay } = expected.optimizer;
  const found = [];
  const { state: trained } = await trainIncremental(state, {
    ...{ model, epochs: 1, shuffle: false, batchSize: expected.batchSize, seed: expected.seed, threads: 1 },
    data: arrays({ inputs, targets: { kind, data: valuesOf(at(file), dtype), shape: shape.slice(1) } }),
    optimizer: sgd({ learningRate, momentum, weightDecay }),
    loss: losses[expected.loss](expected.output ?? 0),
    ...{ device: 'cpu', mode: 'exact', logEvery: 1, checkpoint: { path: at('saved.ckpt') } },
    onProgress: (event) => {
      if (event.type === 'log') found.push(event.loss);
    },
  });
  return { state: trained, losses: found };
}

function lossesThatDiffer(ours, theirs) {
  const isEqual = ours.length === theirs.length && ours.every((loss, step) => Object.is(loss, theirs[step]));
  return isEqual ? [] : [`losses: ${ours.join(', ')} instead of ${theirs.join(', ')}`];
}

const sha256 = (data) =>
  createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');

function tensorsThatDiffer(state, theirs) {
  const names = theirs.map(({ name }) => name);
  const extra = state.names
    .filter((name) => !names.includes(name))
    .map((name) => `${name}, which Python does not have`);
  const missing = names.filter((name) => !state.names.includes(name));
  const wrong = theirs.filter(({ name, dtype, shape, sha256: digest }) => {
    if (missing.includes(name)) return true;
    const tensor = state.tensor(name);
    return tensor.dtype !== dtype || tensor.shape.join() !== shape.join() || sha256(tensor.data) !== digest;
  });
  return [...extra, ...wrong.map(({ name }) => name)];
}

/** The first batch, as `predict` sees it. */
async function outputsThatDiffer(model, state, inputs, { batchSize, output, eval: theirs }) {
  const batch = Object.entries(inputs).map(([name, { data, shape }]) => [
    name,
    { shape, data: data.subarray(0, batchSize * shape.reduce((product, size) => product * size, 1)) },
  ]);
  const each = (field) => Object.fromEntries(batch.map(([name, input]) => [name, input[field]]));
  const { logits, shape } = await predict(state, each('data'), {
    ...{ model, shape: each('shape'), output: output ?? 0, threads: 1, device: 'cpu' },
  });
  const isEqual = shape.join() === theirs.shape.join() && sha256(logits) === theirs.sha256;
  return isEqual ? [] : ['outputs while evaluating'];
}
