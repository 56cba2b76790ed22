// Predicting: a forward pass over samples in memory, which changes nothing.
import { type Check, checkOptions, invalid, isListOf, isNumber, isRecord, plain } from '../core/checks';
import { LearnError } from '../core/errors';
import {
  copyOfValues,
  type InputForm,
  type NamedValues,
  sizeOf,
  typeOf,
  type Values,
  type ValueType,
  valueArrays,
} from '../core/sample-values';
import { isOutputName, type OutputName } from '../losses/fragment';
import { outputIndex } from '../losses/plan';
import { runJob } from '../native/job';
import { native } from '../native/native';
import type { TransformsPlan } from '../native/plans';
import type { Model } from '../program/module';
import { fixedShape } from '../program/program';
import type { State } from '../state/state';
import { isTransforms, scoringTransforms, type Transforms, transformsOf } from '../transforms/by-input';
import { checkEvaluates, checkLargestBatch } from './batch-sizes';
import { inputOrder } from './inputs';
import { type RunOptions, runOptionChecks, type Subject, withSubject } from './run';

/** Options of {@link predict}. */
export interface PredictOptions extends RunOptions {
  /** Default: `[toTensor(), normalize(0.5, 0.5)]` for images of uint8, otherwise none. */
  transforms?: Transforms;
  /** Shape of one sample, or of each input of one. Default: the model's own, where it fixes one. */
  shape?: readonly number[] | Readonly<Record<string, readonly number[]>>;
  /** The model's output that is returned, by name or index. Default: 0, the first. */
  output?: OutputName;
}

/** Result of {@link predict}. */
export interface Prediction {
  /** [sample, class] for a classifier, row by row. */
  logits: Float32Array;
  /** The shape of the logits, [samples, …]. */
  shape: number[];
  /** The class of each sample's largest logit: [sample, …] without the second axis of the logits; empty if they have none. */
  labels: Int32Array;
}

const isSizes = isListOf(isNumber({ integer: true, min: 1 }));

const isShape: Check = (value, name) => {
  if (!isRecord(value)) return isSizes(value, name);
  return Object.fromEntries(Object.entries(value).map(([input, shape]) => [input, isSizes(shape, `${name}.${input}`)]));
};

/** Values of one input; without a name where the caller gives the only one. */
interface Given {
  name: string | undefined;
  data: Values;
}

/**
 * Runs samples through the model: `inputs` is [n, …shape] row by row, as uint8 pixels or as float32 that are already what
 * the model takes; for a model of several inputs, an object with one array for each. They are copied at the call.
 *
 * @example
 * ```ts
 * const state = await loadState('model.pth');
 * const { labels, logits } = await predict(state, new Uint8Array(2 * 3 * 32 * 32), { threads: 1 });
 * ```
 */
export async function predict(
  source: string | State,
  inputs: Values | NamedValues,
  given: PredictOptions = {},
): Promise<Prediction> {
  const copies = copiesOf(inputs);
  const options = checkOptions('predict', given, {
    ...runOptionChecks,
    ...{ transforms: isTransforms, shape: isShape, output: isOutputName },
  });
  return withSubject(source, options, ({ model, plan }) => {
    checkEvaluates(model, 'predict()');
    checkLargestBatch(model, plan.batchSize);
    const forms = formsOf(model, copies, options.shape);
    const transforms = transformsOf(options.transforms, forms, scoringTransforms);
    const order = inputOrder(model, forms, transforms);
    const data = copies.map((copy) => copy.data);
    const output = outputIndex(options.output ?? 0, 'predict', model);
    return run(plan, data, { form: forms, transforms, order, output }, options.signal);
  });
}

/** Samples whose fit was checked before: `form`, `transforms` and `order` as for a native plan. */
export interface CheckedForm {
  form: readonly InputForm[];
  transforms: TransformsPlan;
  order: readonly number[];
  /** The index of the model's output. */
  output: number;
}

/** As predict(), for samples of a form that fits the model, which are not copied. `inputs`: in the order of the form. */
export function predictOf(
  source: State,
  inputs: readonly Values[],
  { form, transforms, order, output, ...given }: CheckedForm & RunOptions,
): Promise<Prediction> {
  const options = plain(given);
  return withSubject(source, options, ({ plan }) =>
    run(plan, inputs, { form, transforms, order, output }, options.signal),
  );
}

async function run(
  plan: Subject['plan'],
  data: readonly Values[],
  { form, transforms, order, output }: CheckedForm,
  signal: AbortSignal | undefined,
): Promise<Prediction> {
  checkCounts(data, form);
  const inputs = form.map(({ name, shape }, i) => ({ name, shape, data: data[i]! }));
  return runJob(() => native().predict({ ...plan, inputs, transforms, order, output }), { signal });
}

/** Every input must hold as many samples, and at least one. */
function checkCounts(data: readonly Values[], form: readonly InputForm[]): void {
  const counts = form.map(({ name, shape }, i) => {
    const size = sizeOf(shape);
    const { length } = data[i]!;
    if (length > 0 && length % size === 0) return length / size;
    throw new LearnError(
      'ERR_SHAPE',
      `Expected a multiple of ${size} values, one sample being [${shape.join(', ')}], but "${form.length > 1 ? `inputs.${name}` : 'inputs'}" has ${length}`,
    );
  });
  const other = counts.findIndex((count) => count !== counts[0]);
  if (other < 0) return;
  throw new LearnError(
    'ERR_SHAPE',
    `Expected ${counts[0]} samples, as many as "inputs.${form[0]!.name}" has, but "inputs.${form[other]!.name}" has ${counts[other]}`,
  );
}

const types = Object.keys(valueArrays) as ValueType[];

function copiesOf(inputs: unknown): Given[] {
  if (!isRecord(inputs)) return [{ name: undefined, data: copyOfValues(inputs, types) }];
  const names = Object.keys(inputs);
  if (names.length === 0) throw invalid('values for each input of the model', 'inputs', inputs);
  return names.map((name) => ({ name, data: copyOfValues((inputs as NamedValues)[name], types, `inputs.${name}`) }));
}

function formsOf(model: Model, given: readonly Given[], shape: PredictOptions['shape']): InputForm[] {
  const wanted = model.program.inputs;
  return given.map(({ name, data }) => {
    const input = name === undefined && wanted.length === 1 ? wanted[0] : wanted.find((one) => one.name === name);
    if (!input) throw unknownInput(model, name);
    const found = givenShape(input.name, given.length, shape) ?? fixedShape(input);
    if (found) return { name: input.name, dtype: typeOf(data), shape: found };
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected the option "shape": ${model.name} does not fix the shape of a sample${wanted.length > 1 ? `'s "${input.name}"` : ''}`,
    );
  });
}

function givenShape(name: string, inputs: number, shape: PredictOptions['shape']): readonly number[] | undefined {
  if (isByName(shape)) return Object.hasOwn(shape, name) ? shape[name] : undefined;
  return inputs === 1 ? shape : undefined;
}

const isByName = (shape: PredictOptions['shape']): shape is Readonly<Record<string, readonly number[]>> =>
  shape !== undefined && !Array.isArray(shape);

function unknownInput(model: Model, name: string | undefined): LearnError {
  const names = model.program.inputs.map((input) => `"${input.name}"`).join(', ');
  const received = name === undefined ? 'one array' : `"${name}"`;
  return new LearnError(
    'ERR_SHAPE',
    `Expected samples with the inputs of ${model.name}, ${names}, but received ${received}`,
  );
}
