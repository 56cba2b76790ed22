// Batches to look at: exactly the numbers that training would see with the same options.
import { randomInt } from 'node:crypto';
import { checkOptions, isBoolean, isNumber, isSignal } from '../core/checks';
import { fromNative, fromNativeSync } from '../core/errors';
import { native } from '../native/native';
import { cifar10Transforms, isTransforms, type Transform } from '../transforms';
import { type Dataset, datasets, openDataset } from './index';

/** Options of {@link batches}. */
export interface BatchesOptions {
  /** Default: the reference script's five for images, none for float32 data. */
  transforms?: readonly Transform[];
  /** Samples a batch. Default: 64. */
  batchSize?: number;
  /** Times the whole data set is seen. Default: 1. */
  epochs?: number;
  /** A new order every epoch. Default: true. */
  shuffle?: boolean;
  /** Leave out a last batch that is not full. Default: false. */
  dropLast?: boolean;
  /** As `torch.manual_seed(seed)` just before the epochs. Default: a random one. */
  seed?: number;
  signal?: AbortSignal;
}

/** One batch as training sees it: values after the transforms, and labels. */
export interface Batch {
  /** float32, sample after sample. */
  inputs: Float32Array;
  /** One a sample. */
  labels: Int32Array;
  /** [samples, …one sample's shape]. */
  shape: number[];
}

/**
 * The batches of a DataLoader over `dataset`, in its order and with its random draws. Nothing is trained; the model's own
 * draws (dropout) are therefore not in the stream. Leaving the loop early frees everything.
 *
 * @example
 * ```ts
 * for await (const { inputs, labels } of batches(cifar10(), { batchSize: 64, seed: 1 })) {
 *   console.log(inputs.length, labels.length);
 * }
 * ```
 */
export async function* batches(dataset: Dataset, given: BatchesOptions = {}): AsyncGenerator<Batch, void> {
  const source = datasets.check(dataset, 'dataset');
  const options = checkOptions('batches', given, {
    transforms: isTransforms,
    batchSize: isNumber({ integer: true, min: 1 }),
    epochs: isNumber({ integer: true, min: 1 }),
    shuffle: isBoolean,
    dropLast: isBoolean,
    seed: isNumber({ integer: true, min: 0 }),
    signal: isSignal,
  });
  const { batchSize = 64, epochs = 1, shuffle = true, dropLast = false, signal } = options;
  const handle = await openDataset(source, signal);
  const images = native().datasetInfo(handle).dtype === 'uint8';
  const reader = fromNativeSync(() =>
    native().makeBatches({
      dataset: handle,
      transforms: options.transforms ?? (images ? cifar10Transforms : []),
      batchSize,
      epochs,
      shuffle,
      dropLast,
      seed: options.seed ?? randomInt(2 ** 48 - 1),
    }),
  );
  try {
    while (true) {
      signal?.throwIfAborted();
      const batch = await fromNative(native().nextBatch(reader));
      if (!batch) return;
      yield batch;
    }
  } finally {
    native().disposeBatches(reader);
    native().disposeDataset(handle);
  }
}
