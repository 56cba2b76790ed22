// Data sets as plain values, and how they become native ones. A new kind is a member of the union and of `sources`, and
// a file in lib/data/ that makes its plan.
import { type Cifar10, cifar10Classes, cifar10Plan } from './data/cifar10';
import { fromNative, LearnError } from './errors';
import { type DatasetHandle, native } from './native';
import { type Check, checkNumbers, checkOptions, invalid, isBoolean, isNumber, isPath } from './options';
import type { DatasetPlan } from './plans';
import { sizeOf } from './values';

export interface Arrays {
  readonly kind: 'arrays';
  /** All samples, one after the other. Read when a run begins, not before. */
  readonly inputs: Uint8Array | Float32Array;
  readonly labels: Int32Array;
  /** One sample: [channels, height, width] for images. */
  readonly shape: readonly number[];
  readonly classes: number;
}

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
  checkOptions('cifar10', options, { root: isPath, train: isBoolean, download: isBoolean });
  const { root = './data', train = true, download = false } = options;
  return Object.freeze({ kind: 'cifar10', root, train, download });
}

/**
 * Samples that are already in memory. uint8 images go through transforms; float32 reaches the model as it is, but for
 * `normalize`. The arrays are copied when a run begins (a few tenths of a millisecond a megabyte).
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
  const isInputs: Check = (value, name) => {
    const fits =
      (value instanceof Uint8Array && !(value instanceof Uint8ClampedArray)) || value instanceof Float32Array;
    if (!fits) throw invalid('a Uint8Array or a Float32Array', name, value);
  };
  const isIntegers: Check = (value, name) => {
    const fits = value instanceof Int32Array || (Array.isArray(value) && value.every(Number.isSafeInteger));
    if (!fits) throw invalid('an Int32Array or an array of integers', name, value);
  };
  checkOptions('arrays', options, {
    inputs: isInputs,
    labels: isIntegers,
    shape: isIntegers,
    classes: isNumber({ integer: true, min: 1 }),
  });
  for (const required of ['inputs', 'labels', 'shape'] as const) {
    if (options[required] === undefined) throw invalid('a value', required, undefined);
  }
  const shape = Object.freeze([...options.shape]);
  const labels = Int32Array.from(options.labels);
  const size = sizeOf(shape);
  if (shape.length === 0 || shape.some((length) => length < 1)) throw invalid('positive sizes', 'shape', options.shape);
  if (options.inputs.length !== labels.length * size) {
    throw new LearnError(
      'ERR_DATA_FORMAT',
      `Expected ${labels.length} samples of shape [${shape.join(', ')}], one for each label, which is ` +
        `${labels.length * size} values, but inputs has ${options.inputs.length}`,
    );
  }
  const classes = options.classes ?? labels.reduce((highest, label) => Math.max(highest, label), 0) + 1;
  return Object.freeze({ kind: 'arrays', inputs: options.inputs, labels, shape, classes });
}

/** Samples `start` to `end` - 1 of another data set. It takes no memory beside that set's. Default: from 0 to its end. */
export function subset(
  of: Dataset,
  { start = 0, end = Number.MAX_SAFE_INTEGER }: { start?: number; end?: number } = {},
): Subset {
  isDataset(of, 'subset: of');
  checkNumbers('subset', { start, end }, { integer: true, min: 0 });
  if (start > end) throw invalid(`a start up to end (${end})`, 'subset: start', start);
  return Object.freeze({ kind: 'subset', of, start, end });
}

interface Source<D extends Dataset> {
  /** Calls `use` with the plan while what it refers to is there. */
  plan<T>(dataset: D, signal: AbortSignal | undefined, use: (plan: DatasetPlan) => Promise<T>): Promise<T>;
  classNames(dataset: D): Promise<readonly string[] | undefined>;
}

const sources: { readonly [Kind in Dataset['kind']]: Source<Extract<Dataset, { kind: Kind }>> } = {
  cifar10: { plan: cifar10Plan, classNames: cifar10Classes },
  arrays: {
    plan: ({ inputs, labels, shape, classes }, _, use) =>
      use({ kind: 'arrays', inputs, labels, shape: [...shape], classes }),
    classNames: async () => undefined,
  },
  subset: { plan: subsetPlan, classNames: ({ of }) => datasetClasses(of) },
};

function sourceOf(dataset: Dataset): Source<Dataset> {
  return sources[dataset.kind] as Source<Dataset>;
}

export const isDataset: Check = (value, name) => {
  const kind = (value as Dataset | null | undefined)?.kind;
  if (typeof value !== 'object' || typeof kind !== 'string' || !Object.hasOwn(sources, kind)) {
    throw invalid('a data set made by cifar10(), arrays() or subset()', name, value);
  }
};

/** Reads a data set into native memory. Each call reads anew; the garbage collector frees what nobody holds. */
export async function openDataset(dataset: Dataset, signal?: AbortSignal): Promise<DatasetHandle> {
  signal?.throwIfAborted();
  return sourceOf(dataset).plan(dataset, signal, (plan) => fromNative(() => native().makeDataset(plan)));
}

/** Names of the classes, by label; undefined where the data set has none. */
export async function datasetClasses(dataset: Dataset): Promise<readonly string[] | undefined> {
  return sourceOf(dataset).classNames(dataset);
}

async function subsetPlan<T>(
  { of, start, end }: Subset,
  signal: AbortSignal | undefined,
  use: (plan: DatasetPlan) => Promise<T>,
): Promise<T> {
  const whole = await openDataset(of, signal);
  try {
    const { length } = native().datasetInfo(whole);
    if (start > length) {
      throw new LearnError(
        'ERR_INVALID_OPTION',
        `A subset cannot start at sample ${start}: the data set has ${length}`,
      );
    }
    return await use({ kind: 'subset', of: whole, start, end: Math.min(end, length) });
  } finally {
    native().disposeDataset(whole);
  }
}
