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
