// The family of data sets: samples as plain values, and how they become native ones. A new kind is a file here and a line in the
// list; `subset` is here, since it is of any of them.
import { checkNumbers, invalid, ownOptions } from '../core/checks';
import { LearnError } from '../core/errors';
import { family, member } from '../core/family';
import type { DatasetHandle } from '../native/handles';
import { native } from '../native/native';
import { type Arrays, samplesInMemory } from './arrays';
import { type Cifar10, imagesOnDisk } from './cifar10/cifar10';
import { type DatasetEntry, makeDataset, type Opening } from './opening';

/** Labelled samples. */
export type Dataset = Cifar10 | Arrays | Subset;

export interface Subset {
  readonly kind: 'subset';
  readonly of: Dataset;
  readonly start: number;
  readonly end: number;
}

/** Labelled samples. Made by {@link cifar10}, {@link arrays} and {@link subset}. */
export type Dataset = Cifar10 | Arrays | Subset;

/**
 * CIFAR-10 as people have it on disk: the binary version (`cifar-10-batches-bin`) or the one that torchvision unpacks
 * (`cifar-10-batches-py`), in the folder `root` or being it. The files may hold any whole number of images.
 *
 * @example
 * ```ts
 * const test = cifar10({ root: './data', train: false });
 * const { accuracy } = await evaluate('model.pth', { data: test });
 * ```
 */
export function cifar10(
  options: {
    /** Default: './data'. */
    root?: string;
    /** The training images, or else the test images. Default: true. */
    train?: boolean;
    /** Fetch the official archive (170 MB) where the folder holds none yet. Default: false. */
    download?: boolean;
  } = {},
): Cifar10 {
  const checks = { root: isPath, train: isBoolean, download: isBoolean };
  const { root = './data', train = true, download = false } = checkOptions('cifar10', options, checks);
  return Object.freeze({ kind: 'cifar10', root, train, download });
}

/**
 * Samples that are already in memory. uint8 images go through transforms; float32 reaches the model as it is, but for
 * `normalize`. The arrays are copied when a run begins (a few tenths of a millisecond a megabyte).
 *
 * @example
 * ```ts
 * // Four images of 3 x 32 x 32 bytes, of two classes.
 * const data = arrays({ inputs: new Uint8Array(4 * 3072), labels: [0, 1, 0, 1], shape: [3, 32, 32] });
 * ```
 */
export function arrays(options: {
  inputs: Uint8Array | Float32Array;
  /** One a sample, from 0. */
  labels: Int32Array | readonly number[];
  /** Of one sample: [channels, height, width] for images. */
  shape: readonly number[];
  /** Default: the highest label and one. */
  classes?: number;
}): Arrays {
  const given = checkOptions('arrays', options, {
    inputs: isInputs,
    labels: isLabels,
    shape: isIntegers,
    classes: isNumber({ integer: true, min: 1, max: mostLabels }),
  });
  for (const required of ['inputs', 'labels', 'shape'] as const) {
    if (given[required] === undefined) throw invalid('a value', required, undefined);
  }
  const { inputs, shape } = given;
  const labels = given.labels as Int32Array;
  const size = sizeOf(shape);
  if (shape.length === 0 || shape.some((length) => length < 1)) throw invalid('positive sizes', 'shape', shape);
  if (inputs.length !== labels.length * size) {
    throw new LearnError(
      'ERR_DATA_FORMAT',
      `Expected ${labels.length} samples of shape [${shape.join(', ')}], one for each label, which is ` +
        `${labels.length * size} values, but inputs has ${inputs.length}`,
    );
  }
  const classes = given.classes ?? labels.reduce((highest, label) => Math.max(highest, label), 0) + 1;
  return Object.freeze({ kind: 'arrays', inputs, labels, shape, classes });
}

/** Labels are kept as int32. */
const mostLabels = 2 ** 31;

const isInputs: Check = (value, name) => {
  const fits = (value instanceof Uint8Array && !(value instanceof Uint8ClampedArray)) || value instanceof Float32Array;
  if (!fits) throw invalid('a Uint8Array or a Float32Array', name, value);
};

/** A copy. */
const isIntegers: Check = (value, name) => {
  const copy = Array.isArray(value) ? Array.from(value) : undefined;
  if (!copy?.every(Number.isSafeInteger)) throw invalid('an array of integers', name, value);
  return Object.freeze(copy);
};

/** A copy: an Int32Array, in which a number that does not fit would become another. */
const isLabels: Check = (value, name) => {
  if (value instanceof Int32Array) return Int32Array.from(value);
  const copy = Array.isArray(value) ? Array.from(value) : undefined;
  if (!copy?.every(Number.isSafeInteger)) throw invalid('an Int32Array or an array of integers', name, value);
  const labels = Int32Array.from(copy);
  const wrong = copy.findIndex((label, i) => label !== labels[i]);
  if (wrong < 0) return labels;
  throw new LearnError(
    'ERR_DATA_FORMAT',
    `Expected labels from 0 to ${mostLabels - 1} but labels[${wrong}] is ${copy[wrong]}`,
  );
};

/**
 * Samples `start` to `end` - 1 of another data set. It takes no memory beside that set's. Default: from 0 to its end.
 *
 * @example
 * ```ts
 * const data = cifar10({ root: './data' });
 * const [first, others] = [subset(data, { end: 500 }), subset(data, { start: 500 })];
 * ```
 */
export function subset(of: Dataset, options: { start?: number; end?: number } = {}): Subset {
  const whole = datasets.check(of, 'subset: of');
  const { start = 0, end = Number.MAX_SAFE_INTEGER } = ownOptions('subset', options, ['start', 'end']);
  checkNumbers('subset', { start, end }, { integer: true, min: 0 });
  if (start > end) throw invalid(`a start up to end (${end})`, 'subset: start', start);
  return member({ kind: 'subset', of: whole, start, end });
}

export const datasets = family('a data set', {
  cifar10: imagesOnDisk,
  arrays: samplesInMemory,
  subset: {
    ...{ make: subset, positional: ['of'], begin: beginSubset },
    classNames: ({ of }: Subset) => datasetClasses(of),
  },
});

const entryOf = (dataset: Dataset) => datasets.entryOf(dataset) as DatasetEntry<Dataset>;

/** Begins to read a data set. What its arrays are changed to after the call makes no difference. */
export function beginDataset(dataset: Dataset, signal?: AbortSignal): Opening {
  return entryOf(dataset).begin(dataset, signal);
}

/** Reads a data set into native memory. Each call reads it again; the garbage collector frees what nobody holds. */
export async function openDataset(dataset: Dataset, signal?: AbortSignal): Promise<DatasetHandle> {
  signal?.throwIfAborted();
  return beginDataset(dataset, signal).finish();
}

/** Names of the classes, by label; undefined where the data set has none. */
export async function datasetClasses(dataset: Dataset): Promise<readonly string[] | undefined> {
  return entryOf(dataset).classNames?.(dataset);
}

function beginSubset({ of, start, end }: Subset, signal: AbortSignal | undefined): Opening {
  const opening = beginDataset(of, signal);
  return { finish: async () => part(await opening.finish(), start, end), abandon: () => opening.abandon() };
}

/** Takes `whole` over. */
async function part(whole: DatasetHandle, start: number, end: number): Promise<DatasetHandle> {
  try {
    const { length } = native().datasetInfo(whole);
    if (start <= length) return await makeDataset({ kind: 'subset', of: whole, start, end: Math.min(end, length) });
    throw new LearnError('ERR_INVALID_OPTION', `A subset cannot start at sample ${start}: the data set has ${length}`);
  } finally {
    native().disposeDataset(whole);
  }
}
