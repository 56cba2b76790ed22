// Weights for classes that have few samples, from the targets of a data set. src/datasets/target_counts.cc counts them.
import { checkOptions, isNumber, isSignal, largestFloat, plain } from '../core/checks';
import { fromNative, LearnError } from '../core/errors';
import { ignoredToken } from '../core/sample-values';
import type { DataWeights } from '../losses/balanced';
import type { DatasetHandle } from '../native/handles';
import { native } from '../native/native';
import { type Dataset, datasetClasses, datasets, openDataset } from './index';

/** Options of {@link posWeights}. */
export interface PosWeightsOptions {
  /** The weight of a class without samples, or of a label whose targets are all 0 or all 1. Default: such data are refused. */
  missing?: number;
  signal?: AbortSignal;
}

/** Options of {@link classWeights}. */
export interface ClassWeightsOptions extends PosWeightsOptions {
  /** The number of weights. Default: the number of classes that the data set has. */
  numClasses?: number;
  /** The index that counts as no class, as that of crossEntropyLoss(); its weight is 0. Default: -100. */
  ignoreIndex?: number;
}

type Names = () => Promise<readonly string[] | undefined>;

/** The options of numbers that both have. */
const common = { missing: isNumber({ min: 0, max: largestFloat }), signal: isSignal };

/**
 * A weight for each class: the number of samples / (the number of classes that have any × those of the class), which is what
 * `sklearn.utils.class_weight.compute_class_weight('balanced', …)` computes, with its bits. For the option `weight` of crossEntropyLoss()
 * and nllLoss(), whose mean is the same for any multiple of the weights. Targets are classes, or tokens, of which each counts.
 *
 * Throws ERR_DATA_FORMAT, naming it, where a class has no samples, unless `missing` is given.
 *
 * @example
 * ```ts
 * const data = arrays({ inputs: Float32Array.of(0.1, 0.3, 0.2, 0.9), labels: [0, 0, 0, 1], shape: [1] });
 * const weight = await classWeights(data); // [0.6666666666666666, 2]
 * await trainIncremental('model.pth', { data, loss: crossEntropyLoss({ weight }) });
 * ```
 */
export async function classWeights(data: Dataset, given: ClassWeightsOptions = {}): Promise<number[]> {
  const source = datasets.check(data, 'data');
  const options = checkOptions('classWeights', given, {
    ...common,
    numClasses: isNumber({ integer: true, min: 1 }),
    ignoreIndex: isNumber({ integer: true }),
  });
  return opened(source, options.signal, (dataset, names) => weightsOfClasses(dataset, options, names));
}

/**
 * A weight of positive targets for each label: its zeros / its ones. For the option `posWeight` of bceWithLogitsLoss(). Targets are
 * `classes`, or `values` of 0 and 1; those with more axes than one, such as masks of pixels, have one weight.
 *
 * Throws ERR_DATA_FORMAT, naming it, where the targets of a label are all 0 or all 1, unless `missing` is given.
 *
 * @example
 * ```ts
 * const inputs = { input: { data: Float32Array.of(0.1, 0.3, 0.2, 0.9), shape: [1] } };
 * const data = arrays({ inputs, targets: { data: Float32Array.of(0, 0, 0, 1) } });
 * const posWeight = await posWeights(data); // [3]
 * await trainIncremental('model.pth', { data, loss: bceWithLogitsLoss({ posWeight }) });
 * ```
 */
export async function posWeights(data: Dataset, given: PosWeightsOptions = {}): Promise<number[]> {
  const source = datasets.check(data, 'data');
  const options = checkOptions('posWeights', given, common);
  return opened(source, options.signal, (dataset, names) => weightsOfPositives(dataset, options, names));
}

/** The weights of open data, for losses that take them from there. */
export function dataWeights(dataset: DatasetHandle): DataWeights {
  return {
    ofClasses: (ignoreIndex) => weightsOfClasses(dataset, plain({ ignoreIndex })),
    ofPositives: () => weightsOfPositives(dataset, plain({})),
  };
}

async function opened(
  source: Dataset,
  signal: AbortSignal | undefined,
  use: (dataset: DatasetHandle, names: Names) => Promise<number[]>,
): Promise<number[]> {
  const dataset = await openDataset(source, signal);
  try {
    signal?.throwIfAborted();
    return await use(dataset, () => datasetClasses(source));
  } finally {
    native().disposeDataset(dataset);
  }
}

async function weightsOfClasses(
  dataset: DatasetHandle,
  { numClasses, ignoreIndex = ignoredToken, missing }: ClassWeightsOptions,
  names?: Names,
): Promise<number[]> {
  const classes = numClasses ?? native().datasetInfo(dataset).classes;
  const counts = await fromNative(() => native().countClasses(dataset, classes, ignoreIndex));
  const present = counts.reduce((classes, count) => classes + (count > 0 ? 1 : 0), 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const isMissing = (count: number, index: number) => count === 0 && index !== ignoreIndex;
  if (missing === undefined) await refuseMissing('class', 'samples', counts, isMissing, names);
  return Array.from(counts, (count, index) => {
    if (index === ignoreIndex) return 0;
    return count > 0 ? total / (present * count) : missing!;
  });
}

async function weightsOfPositives(
  dataset: DatasetHandle,
  { missing }: PosWeightsOptions,
  names?: Names,
): Promise<number[]> {
  const { counts, each } = await fromNative(() => native().countPositives(dataset));
  const isMissing = (count: number) => count === 0 || count === each;
  if (missing === undefined) await refuseMissing('label', 'zeros and ones', counts, isMissing, names);
  return Array.from(counts, (count) => (isMissing(count) ? missing! : (each - count) / count));
}

/** Throws, naming the first, where some have no weight of their own. */
async function refuseMissing(
  noun: 'class' | 'label',
  what: string,
  counts: Float64Array,
  isMissing: (count: number, index: number) => boolean,
  names: Names | undefined,
): Promise<void> {
  const first = counts.findIndex(isMissing);
  if (first < 0) return;
  const others = counts.filter(isMissing).length - 1;
  const name = (await names?.())?.[first];
  const [nouns, advice] =
    noun === 'class'
      ? ['classes', 'classWeights(data, { missing: 1 }), or the number of classes, numClasses']
      : ['labels', 'posWeights(data, { missing: 1 })'];
  throw new LearnError(
    'ERR_DATA_FORMAT',
    `Expected ${what} of each ${noun} but ${noun} ${first}${name === undefined ? '' : ` (${name})`}` +
      `${others > 0 ? `, as ${others} other ${others > 1 ? nouns : noun},` : ''} does not have them; give such data, or a weight for ` +
      `such ${nouns}: ${advice}`,
  );
}
