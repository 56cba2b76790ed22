// CIFAR-10 on disk: finds either layout, counts its images, and makes the plan from which the addon reads them.

import fs from 'node:fs/promises';
import path from 'node:path';
import { checkOptions, isBoolean, isPath } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { member } from '../../core/family';
import { onlyInput } from '../../core/sample-values';
import { downloadArchive } from '../../download/archive';
import type { DownloadProgress } from '../../download/fetch-file';
import { OpenFile } from '../../files/open-file';
import type { DatasetPlan } from '../../native/plans';
import { makeDataset } from '../opening';
import { readPickledBatch, readPickledStrings } from './pickled-batch';

export interface Cifar10 {
  readonly kind: 'cifar10';
  readonly root: string;
  readonly train: boolean;
  readonly download: boolean;
}

/**
 * CIFAR-10 from the disk: the binary version (`cifar-10-batches-bin`) or the one that torchvision unpacks
 * (`cifar-10-batches-py`), in the folder `root`, or `root` itself. The files may hold any whole number of images.
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
    /** true: the training images; false: the test images. Default: true. */
    train?: boolean;
    /** Download the official archive (170 MB) if the folder does not hold the images. Default: false. */
    download?: boolean;
  } = {},
): Cifar10 {
  const checks = { root: isPath, train: isBoolean, download: isBoolean };
  const { root = './data', train = true, download = false } = checkOptions('cifar10', options, checks);
  return member({ kind: 'cifar10', root, train, download });
}

type RecordFile = Extract<DatasetPlan, { kind: 'records' }>['files'][number];

/** One of the two published forms of the data set. */
interface Layout {
  readonly folder: string;
  readonly suffix: string;
  records(file: OpenFile): Promise<Omit<RecordFile, 'path' | 'descriptor'>>;
  classNames(folder: string): Promise<string[] | undefined>;
}

const shape = [3, 32, 32];
const imageBytes = 3 * 32 * 32;
const recordBytes = 1 + imageBytes;
const classNames = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
const trainingBatches = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5'];
const testBatches = ['test_batch'];

export const archive = {
  name: 'CIFAR-10',
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
  folder: 'cifar-10-batches-bin',
};

const layouts: readonly Layout[] = [
  {
    folder: 'cifar-10-batches-bin',
    suffix: '.bin',
    records: binaryRecords,
    classNames: (folder) => readingNames(path.join(folder, 'batches.meta.txt'), readWords),
  },
  {
    folder: 'cifar-10-batches-py',
    suffix: '',
    records: (file) => readPickledBatch(file, imageBytes),
    classNames: (folder) =>
      readingNames(path.join(folder, 'batches.meta'), (file) => readPickledStrings(file, 'label_names')),
  },
];

/**
 * Calls `use` with the places of the images while their files are open; downloads them first if that is allowed and needed.
 * Throws if a file changed in the meantime.
 */
export async function cifar10Plan<T>(
  dataset: Cifar10,
  signal: AbortSignal | undefined,
  use: (plan: DatasetPlan) => Promise<T>,
): Promise<T> {
  if (dataset.download && !(await locate(dataset))) await downloadCifar10({ root: dataset.root, signal });
  const found = await locate(dataset);
  if (!found) throw missing(dataset);
  const { folder, layout } = found;
  const openNext = async ([batch, ...rest]: readonly string[], files: RecordFile[]): Promise<T> => {
    if (batch === undefined) return use({ kind: 'records', name: onlyInput, files, shape, classes: classNames.length });
    signal?.throwIfAborted();
    return OpenFile.with(
      path.join(folder, batch + layout.suffix),
      'a file of CIFAR-10, of which all are needed,',
      async (file) => {
        const { path, descriptor } = file;
        return openNext(rest, [...files, { path, descriptor, ...(await layout.records(file)) }]);
      },
    );
  };
  return openNext(batchesOf(dataset), []);
}

/** Class names: those in the folder, otherwise the published ones. */
export async function cifar10Classes(dataset: Cifar10): Promise<readonly string[]> {
  const found = await locate(dataset);
  const names = await found?.layout.classNames(found.folder).catch(() => undefined);
  return names?.length === classNames.length ? names : classNames;
}

/**
 * Downloads the official archive (binary version, 170 MB) and unpacks it in `root`; does nothing if the images already
 * exist. After an abort or a failure, the next call continues the download.
 *
 * @example
 * ```ts
 * await downloadCifar10({ root: './data', onProgress: ({ received, total }) => console.log(received, total) });
 * ```
 */
export async function downloadCifar10(
  options: {
    /** Default: './data'. */
    root?: string | undefined;
    signal?: AbortSignal | undefined;
    onProgress?: ((progress: DownloadProgress) => void) | undefined;
  } = {},
): Promise<void> {
  const { root = './data', signal, onProgress } = options;
  if (await locate({ root, train: true })) return;
  const url = process.env.TORCH_INCREMENTAL_CIFAR10_URL ?? archive.url;
  await downloadArchive({ ...archive, url, root, signal, onProgress });
}

function batchesOf({ train }: { train: boolean }): string[] {
  return train ? trainingBatches : testBatches;
}

/** The folder that holds the first of the files, and its layout. */
async function locate({ root, train }: { root: string; train: boolean }) {
  for (const layout of layouts) {
    for (const folder of [path.join(root, layout.folder), root]) {
      const first = path.join(folder, batchesOf({ train })[0] + layout.suffix);
      if (await exists(first)) return { folder, layout };
    }
  }
  return undefined;
}

async function exists(file: string): Promise<boolean> {
  return fs.stat(file).then(
    () => true,
    () => false,
  );
}

async function binaryRecords({ path, size }: OpenFile) {
  if (size === 0 || size % recordBytes !== 0) {
    throw new LearnError(
      'ERR_DATA_FORMAT',
      `${path} has ${size} bytes, which is not a whole number of records of ${recordBytes} bytes (a label and an image ` +
        `of 3x32x32): it is ${size === 0 ? 'empty' : 'cut or damaged'}. Fetch it again`,
    );
  }
  return { bytes: size, offset: 0, count: size / recordBytes };
}

function readingNames<T>(file: string, read: (file: OpenFile) => Promise<T>): Promise<T> {
  return OpenFile.with(file, 'a file of names', read);
}

/** Larger than any such file. */
const maxNamesBytes = 2 ** 16;

async function readWords(file: OpenFile): Promise<string[]> {
  const bytes = Buffer.alloc(Math.min(file.size, maxNamesBytes));
  const count = await file.read(bytes, 0, bytes.length, 0);
  return bytes.toString('utf8', 0, count).trim().split(/\s+/);
}

function missing({ root, train }: Cifar10): LearnError {
  const wanted = layouts.map(({ folder, suffix }) => path.join(root, folder, batchesOf({ train })[0] + suffix));
  return new LearnError(
    'ERR_FILE',
    `No CIFAR-10 in ${path.resolve(root)}: found neither ${wanted.join(' nor ')}. Pass download: true, or unpack ` +
      `${archive.url} there`,
  );
}

export const imagesOnDisk = {
  make: cifar10,
  begin: (dataset: Cifar10, signal: AbortSignal | undefined) => ({
    finish: () => cifar10Plan(dataset, signal, makeDataset),
    abandon() {},
  }),
  classNames: cifar10Classes,
} as const;
