// Runs a model that the fuzzers made: predict, evaluate, and a step of training. Each ends with a result or a LearnError.
import { arrays, evaluate, LearnError, loadModel, predict, State, sgd, trainIncremental } from 'torch-incremental';

/** Errors of programs that do not fit; more than any checkpoint has. */
const accepted =
  /^ERR_(INVALID_OPTION|SHAPE|TORCH|OUT_OF_MEMORY|NOT_FINITE|DIVERGED|STATE_MISMATCH|STATE_FORMAT|STATE_UNSAFE|FILE)$/;

/** Returns the result, or { code, message } of an expected error; throws any other. */
export async function outcomeOf(work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LearnError && accepted.test(error.code)) return { code: error.code, message: error.message };
    throw error;
  }
}

const samplesIn = (model) => {
  const inputs = {};
  const least = model.program.batch?.min ?? 1;
  const count = least <= 16 ? Math.max(2, least) : 2;
  for (const { name, dtype, shape = [] } of model.program.inputs) {
    const own = shape.map((size) =>
      typeof size === 'number' ? size : Math.max(2, Math.min(4, model.program.sizes?.[size]?.min ?? 2)),
    );
    const elements = count * own.reduce((product, size) => product * size, 1);
    if (elements > 2 ** 20) return undefined;
    const Type = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array, uint8: Uint8Array }[dtype];
    inputs[name] = { data: new Type(elements).fill(dtype === 'int64' ? 1n : 1), shape: own };
  }
  return { inputs, count };
};

/** Returns { logits, steps }, or the error of either. */
export async function runModel(state, model) {
  const samples = samplesIn(model);
  if (!samples) return { code: 'ERR_SHAPE', message: 'its samples are too large' };
  const { inputs, count } = samples;
  const data = arrays({ inputs, labels: Array.from({ length: count }, () => 0) });
  const options = { model, threads: 1 };
  const rows = Object.fromEntries(Object.entries(inputs).map(([name, { data: elements }]) => [name, elements]));
  const given = Object.keys(rows).length === 1 ? Object.values(rows)[0] : rows;
  const predicted = await outcomeOf(async () => ({ logits: [...(await predict(state, given, options)).logits] }));
  const before = await outcomeOf(() => evaluate(state, { ...options, data, batchSize: count }));
  const trained = await outcomeOf(async () => {
    const run = { ...options, data, batchSize: count, epochs: 1, seed: 1, optimizer: sgd({ learningRate: 0.01 }) };
    const { state: after } = await trainIncremental(state, run);
    after.dispose();
    return {};
  });
  return { ...trained, predicted, evaluated: before.code };
}

/** The JSON of a program: numbers that JSON does not have are words. */
export const textOf = (program) =>
  JSON.stringify(program, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value));

const special = new Map(['NaN', 'Infinity', '-Infinity'].map((word) => [word, Number(word)]));

/** Runs a program of programs.mjs, given as JSON. */
export async function runProgram(text) {
  const { model, state: tensors } = JSON.parse(text, (_, value) => special.get(value) ?? value);
  const state = State.from(
    Object.fromEntries(tensors.map(({ name, data, ...form }) => [name, { ...form, data: floatsOf(data) }])),
  );
  try {
    return await runModel(state, model);
  } finally {
    state.dispose();
  }
}

function floatsOf(base64) {
  return new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

/** Loads an archive, and runs its model. */
export async function runArchive(file) {
  const loaded = await outcomeOf(() => loadModel(file));
  return loaded.code ? loaded : runModel(loaded.state, loaded.model);
}
