// Inputs of a learner, good and bad, for machine.mjs.
import assert from 'node:assert/strict';
import { arrays, createState, LearnError, linear, sequential } from 'torch-incremental';

export const size = 3;
export const classes = 2;
export const model = sequential({ out: linear(size, classes) }, { input: [size] });
const checkpoint = await createState(model, { seed: 1 });
export const given = { checkpoint, model, transforms: [], maxDelayMs: 0, seed: 1, threads: 1 };
const inputOf = (number) => [Math.sin(number), Math.cos(number), number % 3];
export const dataset = arrays({
  inputs: Float32Array.from([1, 2, 3, 4, 5].flatMap(inputOf)),
  labels: [1, 0, 1, 0, 1],
  ...{ shape: [size], classes },
});

/** What cannot be learned of a sample; its id is used up all the same. */
const spoiled = {
  good: (sample) => sample,
  nan: ({ label, input }) => ({ label, input: input.with(0, Number.NaN) }),
  infinite: ({ label, input }) => ({ label, input: input.with(2, Number.POSITIVE_INFINITY) }),
  'label too large': ({ input }) => ({ label: 99, input }),
  'label negative': ({ input }) => ({ label: -1, input }),
  'label broken': ({ input }) => ({ label: 0.5, input }),
  'label NaN': ({ input }) => ({ label: Number.NaN, input }),
};
export const spoils = Object.keys(spoiled);
spoiled.outlier = ({ label }) => ({ label, input: [3e38, -3e38, 3e38] });

/** Ids in the forms that they may have: those that print alike are one. */
const idForms = {
  number: (id) => id,
  string: String,
  bigint: BigInt,
  strange: (id) => strangeIds[id % strangeIds.length],
  none: () => undefined,
  null: () => null,
};
const strangeIds = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'null',
  'undefined',
  'NaN',
  '\0',
  '\u{1f600}',
  '-0',
  '1e3',
  'x'.repeat(1024),
  2n ** 70n,
];
/** What a sample is known by; undefined: by nothing. */
export function idOf({ id, form }) {
  const given = idForms[form](id);
  return given === undefined || given === null ? undefined : String(given);
}
export const idForm = Object.keys(idForms);

export function samplesOf(specs) {
  const samples = specs.map(({ id, kind }) => spoiled[kind]({ label: id % classes, input: inputOf(id) }));
  return {
    inputs: Float32Array.from(samples.flatMap(({ input }) => input)),
    labels: samples.map(({ label }) => label),
    ids: specs.map(({ id, form }) => idForms[form](id)),
  };
}

const circular = {};
circular.self = circular;

/** Calls with mistakes of the caller: they are refused, and change nothing. */
export const mistakes = {
  'inputs of another type': (learner) => learner.learn({ inputs: new Uint8Array(3), labels: [0] }),
  'inputs missing': (learner) => learner.learn({ labels: [0] }),
  'no samples': (learner) => learner.learn({ inputs: new Float32Array(), labels: [] }),
  'nothing at all': (learner) => learner.learn(),
  'null for samples': (learner) => learner.learn(null),
  'a getter that throws': (learner) =>
    learner.learn({
      get inputs() {
        return assert.fail('it was read');
      },
      labels: [0],
    }),
  'labels with a hole': (learner) => learner.learn({ inputs: new Float32Array(6), labels: new Array(2) }),
  'labels that are no array': (learner) => learner.learn({ inputs: new Float32Array(3), labels: { 0: 1, length: 1 } }),
  'a stream that brings none': async (learner) => {
    for await (const result of learner.stream([{ inputs: [1, 2, 3], labels: [0] }])) void result;
  },
  'a stream that brings null': async (learner) => {
    for await (const result of learner.stream([null], { overflow: 'dropOldest' })) void result;
  },
  'too few ids': (learner) => learner.learn({ inputs: new Float32Array(6), labels: [0, 1], ids: [1] }),
  ...Object.fromEntries(
    Object.entries({
      bigint: 1n,
      string: '1',
      object: {},
      circular,
      null: null,
      'throwing toJSON': { toJSON: () => assert.fail('it was asked') },
    }).flatMap(([name, label]) => [
      [`a label that is ${name}`, (learner) => learner.learn({ inputs: Float32Array.of(1, 2, 3), labels: [label] })],
      [`late label that is ${name}`, (learner) => learner.feedback(['0123456789abcdef-0'], [label])],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({
      NaN: Number.NaN,
      'no integer': 1.5,
      object: {},
      boolean: true,
      symbol: Symbol('id'),
      long: 'x'.repeat(1025),
      'half of a pair': '\ud800',
    }).map(([name, id]) => [
      `an id that is ${name}`,
      (learner) => learner.learn({ inputs: Float32Array.of(1, 2, 3), labels: [0], ids: [id] }),
    ]),
  ),
  'late labels without ids': (learner) => learner.feedback([], []),
  'late labels for one id': (learner) => learner.feedback('a', [1]),
  'ids of late labels that are numbers': (learner) => learner.feedback([1], [1]),
  'prediction of another type': (learner) => learner.predict(new Float64Array(3)),
  'prediction of another size': (learner) => learner.predict(new Float32Array(4)),
  'rollback to a string': (learner) => learner.rollback('1'),
  'rollback to a version that never was': (learner) => learner.rollback(1000),
  'rollback to NaN': (learner) => learner.rollback(Number.NaN),
  'save without a path': (learner) => learner.save(''),
  'save to a folder': (learner) => learner.save('/'),
  'save into no folder': (learner) => learner.save('/no/such/folder/state.pth'),
  'learnFrom nothing': (learner) => learner.learnFrom({}),
  'learnFrom no rounds': (learner) => learner.learnFrom(dataset, { rounds: 0 }),
  'learnFrom with a word too much': (learner) => learner.learnFrom(dataset, { round: 1 }),
  'stream nothing': async (learner) => learner.stream(undefined),
  'stream with another overflow': async (learner) => learner.stream([], { overflow: 'drop' }),
};

/** Settings with which no learner opens; the folder stays as it was. */
export const wrongSettings = {
  'learningRate below 0': { optimizer: { kind: 'sgd', learningRate: -1 } },
  'batchSize 0': { batchSize: 0 },
  'a word too much': { batchsize: 1 },
  'shape of another size': { shape: [7] },
  'a buffer too large for any memory': { replay: { capacity: 2 ** 50 } },
  'nesterov without momentum': { optimizer: { kind: 'sgd', nesterov: true, momentum: 0 } },
  'bf16 in exact mode': { precision: 'bf16' },
};

/** Makes sure that a call rejects, with an error of ours and not with one of JavaScript's. */
export async function refused(call, what, codes) {
  let error;
  try {
    await call();
  } catch (cause) {
    error = cause;
  }
  assert.ok(error, `${what} was taken`);
  assert.ok(error instanceof LearnError, `${what}: ${error.stack}`);
  if (codes) assert.ok(codes.includes(error.code), `${what}: ${error.code} ${error.message}`);
}
