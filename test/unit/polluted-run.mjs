// The main paths of the library in a process whose Object.prototype and Array.prototype got properties from somebody else. Run
// by polluted.test.mjs, with what is to be polluted how; prints what is different from a clean process.
import fs from 'node:fs';
import {
  arrays,
  batches,
  batchNorm2d,
  classWeights,
  conv2d,
  createState,
  crossEntropyLoss,
  dropout,
  evaluate,
  flatten,
  linear,
  loadState,
  maxPool2d,
  OnlineLearner,
  predict,
  randomCrop,
  relu,
  residual,
  saveState,
  sequential,
  sgd,
  subset,
  toTensor,
  trainEvents,
  trainIncremental,
} from 'torch-incremental';
import { text } from '../golden/input-models.mjs';

const [folder, how] = process.argv.slice(2);
let place = 0;

const inputs = Uint8Array.from({ length: 20 * 48 }, (_, i) => (i * 7919) % 251);
const labels = Array.from({ length: 20 }, (_, i) => i % 3);

/** Samples of two inputs, whose shapes the model does not fix. */
async function namedPaths(run) {
  const model = structuredClone(text);
  for (const input of model.program.inputs) delete input.shape;
  const ids = { data: BigInt64Array.from({ length: 40 }, (_, i) => BigInt(i)), shape: [5] };
  const dense = { data: Float32Array.from({ length: 24 }, (_, i) => i / 24), shape: [3] };
  const results = [];
  for (const targets of [
    { data: Int32Array.from(labels.slice(0, 8)) },
    { data: new Float32Array(32).fill(0.25), shape: [4] },
    { kind: 'classes', data: new Uint8Array(32).fill(1), shape: [4] },
  ]) {
    const data = structuredClone(arrays({ inputs: { ids, dense }, targets }));
    const options = { ...run, model, transforms: { dense: [] } };
    const { state, history } = await trainIncremental(await createState(model, { seed: 1 }), {
      ...{ ...options, data, epochs: 2, seed: 3 },
    });
    const { labels: found } = await predict(
      state,
      { ids: ids.data, dense: dense.data },
      { ...options, shape: { ids: [5], dense: [3] } },
    );
    results.push(
      history.map(({ loss }) => loss),
      found,
      await evaluate(state, { ...options, data }),
    );
    for await (const { inputs: made } of batches(data, { batchSize: 3, seed: 2 })) results.push([...made.dense.data]);
  }
  return results;
}

/** Everything that a user would call, and what it comes to. */
async function paths() {
  const dir = `${folder}/${place++}`;
  fs.mkdirSync(dir);
  const model = sequential({
    conv: conv2d(3, 4, 3, { padding: 1 }),
    bn: batchNorm2d(4),
    block: residual({ relu: relu(), drop: dropout(0.25) }),
    pool: maxPool2d(2),
    flat: flatten(),
    fc: linear(16, 3),
  });
  const data = subset(arrays({ inputs, labels, shape: [3, 4, 4] }), { end: 18 });
  const transforms = [randomCrop(4, { padding: 1 }), toTensor()];
  const run = { model, threads: 1, batchSize: 6 };
  const state = await createState(model, { seed: 1 });
  const training = { ...run, transforms, data, epochs: 2, seed: 3, optimizer: sgd({ learningRate: 0.05 }) };
  const checkpoint = { path: `${dir}/run.ckpt` };
  const seen = [];
  const { state: trained, history } = await trainIncremental(state, {
    ...{ ...training, epochs: 1, checkpoint },
    onProgress: ({ type }) => type === 'epoch' && seen.push(type),
  });
  const resumed = await trainIncremental('not read', { model, data, transforms, resume: checkpoint.path, epochs: 2 });
  const events = trainEvents(state, { ...training, loss: crossEntropyLoss({ weight: 'balanced' }) });
  for (let step = await events.next(); !step.done; step = await events.next()) {
    if (step.value.type === 'epoch') seen.push(step.value.epoch);
  }
  const score = await evaluate(trained, { ...run, data, transforms: [toTensor()] });
  const answer = await predict(trained, inputs.subarray(0, 96), { ...run, shape: [3, 4, 4], transforms: [toTensor()] });
  const made = [await namedPaths({ threads: 1, batchSize: 3 }), await classWeights(data)];
  for await (const batch of batches(data, { transforms, batchSize: 7, seed: 2 }))
    made.push(batch.inputs.input.shape, batch.targets.data);
  await saveState(trained, `${dir}/state.pth`);
  await saveState(trained, `${dir}/state.safetensors`);
  const loaded = await loadState(`${dir}/state.pth`);
  const open = () =>
    OnlineLearner.open({
      ...{ dir: `${dir}/learner`, checkpoint: state, model, shape: [3, 4, 4], transforms: [toTensor()], threads: 1 },
      ...{ seed: 5, batchSize: 4, maxDelayMs: 0, gate: { every: 2 }, replay: { capacity: 8, perUpdate: 2 } },
    });
  let learner = await open();
  for (let i = 0; i < 3; i++) {
    const from = i * 4 * 48;
    await learner.learn({ inputs: inputs.slice(from, from + 4 * 48), labels: labels.slice(i * 4, i * 4 + 4) });
  }
  await learner.close();
  learner = await open();
  const { version, learned } = learner.metrics();
  const fingerprint = await learner.fingerprint();
  await learner.close();
  const values = (of) => of.names.map((name) => [name, [...of.tensor(name).data].map(String)]);
  return {
    ...{ seen, made, version, learned, fingerprint, loss: history.map(({ loss }) => loss) },
    ...{ trained: values(trained), resumed: values(resumed.state), loaded: values(loaded) },
    ...{ score, logits: [...answer.logits] },
  };
}

const serialized = (result) => JSON.stringify(result, (_, value) => (Object.is(value, Number.NaN) ? 'NaN' : value));
const expected = serialized(await paths());

/** Options of all functions, fields of native plans, and words that objects of the library have or miss. */
const names = [
  ...['model', 'batchSize', 'device', 'threads', 'signal', 'allowOperators', 'data', 'transforms', 'epochs', 'shuffle'],
  ...[
    'dropLast',
    'workers',
    'numClasses',
    'ignoreIndex',
    'missing',
    'settled',
    'learningRate',
    'momentum',
    'weightDecay',
    'nesterov',
    'optimizer',
    'loss',
    'kind',
    'mode',
    'precision',
    'contractLinear',
  ],
  ...[
    'niceness',
    'seed',
    'logEvery',
    'checkpoint',
    'resume',
    'onProgress',
    'path',
    'every',
    'shape',
    'dtype',
    'target',
    'targets',
    'predicted',
    'inputs',
    'labels',
  ],
  ...['classes', 'start', 'end', 'root', 'train', 'download', 'kind', 'p', 'degrees', 'size', 'padding', 'mean', 'std'],
  ...['stride', 'dilation', 'groups', 'bias', 'eps', 'shortcut', 'input', 'program', 'nodes', 'only', 'op', 'args'],
  ...['outputs', 'overload', 'parameters', 'buffers', 'module', 'children', 'loop', 'channelsLast', 'snapshotEvery'],
  ...['random', 'epochRandom', 'unpacked', 'state', 'format', 'key', 'stripPrefix', 'maxDelayMs', 'maxGradientNorm'],
  ...['replay', 'capacity', 'policy', 'perUpdate', 'gate', 'heldOut', 'maxDrop', 'perClassMaxDrop', 'onRefused'],
  ...['drift', 'detector', 'onDrift', 'feedback', 'ttlMs', 'maxBytes', 'memoryBytes', 'journal', 'sync', 'everyMs'],
  ...[
    'keepVersions',
    'rememberIds',
    'rules',
    'notFinite',
    'stripped',
    'prefix',
    'leftOut',
    'optimizer',
    'loss',
    'anything',
    ...['name', 'dtype', 'target', 'targets', 'order', 'ids', 'dense', 'kind', 'scoring'],
  ],
];

const problems = new Set();
async function compare(what) {
  try {
    if (serialized(await paths()) !== expected) problems.add(`${what}: other results`);
  } catch (error) {
    problems.add(`${what}: ${error.stack.split('\n').slice(0, 4).join(' ')}`);
  }
}

if (how === 'traps') {
  // Who reads a property that only the prototype has?
  for (const name of names) {
    Object.defineProperty(Object.prototype, name, {
      configurable: true,
      get() {
        const reader = new Error().stack.split('\n')[2];
        if (/\/dist\//.test(reader)) problems.add(`${name} is read ${reader.trim()}`);
        return undefined;
      },
      // An assignment makes an own property, as it does without the trap.
      set(value) {
        Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
      },
    });
  }
  await compare('traps');
  for (const name of names) delete Object.prototype[name];
} else {
  for (const prototype of [Object.prototype, Array.prototype]) {
    // Node's own functions take inherited ones of these.
    const left =
      prototype === Object.prototype ? ['signal', 'mode', 'path', 'start', 'end', 'encoding', 'size'] : ['every'];
    const added = names.filter((name) => !left.includes(name));
    for (const name of added) {
      Object.defineProperty(prototype, name, {
        ...{ value: 5, configurable: true, writable: true, enumerable: how === 'enumerable' },
      });
    }
    await compare(prototype === Array.prototype ? 'Array.prototype' : 'Object.prototype');
    for (const name of added) delete prototype[name];
  }
}
console.log([...problems].join('\n') || 'nothing is different');
