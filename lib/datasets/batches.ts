// Batches to look at: exactly the numbers that training would see with the same options.
import { randomInt } from 'node:crypto';
import { checkOptions, isBoolean, isNumber, isSignal } from '../core/checks';
import { fromNative, fromNativeSync } from '../core/errors';
import type { TargetValues, Values } from '../core/sample-values';
import { native } from '../native/native';
import { isTransforms, type Transforms, trainingTransforms, transformsOf } from '../transforms/by-input';
import { type Dataset, datasets, openDataset } from './index';

/** Options of {@link batches}. */
export interface BatchesOptions {
  /** Default: the reference script's five for images of uint8, none for other inputs. */
  transforms?: Transforms;
  /** Samples a batch. Default: 64. */
  batchSize?: number;
  /** Times the whole data set is seen. Default: 1. */
  epochs?: number;
  /** A new order every epoch. Default: true. */
  shuffle?: boolean;
  /** Leave out a last batch that is not full. Default: false. */
  dropLast?: boolean;
  /**
   * Random numbers as `torch.utils.data.DataLoader(num_workers=workers)` draws them: with that many processes in turn, each of which has
   * a generator of its own. No thread or process is started for it. From 0 to 1024. Default: 0, one generator for all.
   */
  workers?: number;
  /** As `torch.manual_seed(seed)` just before the epochs. Default: a random one. */
  seed?: number;
  signal?: AbortSignal;
}

/** A number of workers whose draws are made: see src/batches/batches.h. */
export const isWorkers = isNumber({ integer: true, min: 0, max: 1024 });

/** One batch as training sees it: values after the transforms, and targets. */
export interface Batch {
  /** Samples in this batch. */
  length: number;
  /** By the names of the inputs: values, sample after sample, and their shape, [samples, …one sample's shape]. */
  inputs: Readonly<Record<string, { readonly data: Values; readonly shape: readonly number[] }>>;
  /** Labels or other targets, sample after sample, and their shape; empty where samples have none. */
  targets: { readonly data: TargetValues; readonly shape: readonly number[] };
}

/**
 * The batches of a DataLoader over `dataset`, in its order and with its random draws. Nothing is trained; the model's own
 * draws (dropout) are therefore not in the stream. Leaving the loop early frees everything.
 *
 * @example
 * ```ts
 * for await (const { inputs, targets } of batches(cifar10(), { batchSize: 64, seed: 1 })) {
 *   console.log(inputs.input?.shape, targets.data); // [64, 3, 32, 32], and 64 labels
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
    workers: isWorkers,
    seed: isNumber({ integer: true, min: 0 }),
    signal: isSignal,
  });
  const { batchSize = 64, epochs = 1, shuffle = true, dropLast = false, workers = 0, signal } = options;
  const handle = await openDataset(source, signal);
  const { inputs, target } = native().datasetInfo(handle);
  const reader = fromNativeSync(() =>
    native().makeBatches({
      dataset: handle,
      transforms: transformsOf(options.transforms, inputs, trainingTransforms),
      batchSize,
      epochs,
      shuffle,
      dropLast,
      workers,
      seed: options.seed ?? randomInt(2 ** 48 - 1),
    }),
  );
  try {
    while (true) {
      signal?.throwIfAborted();
      const batch = await fromNative(native().nextBatch(reader));
      if (!batch) return;
      const { length, shapes, targets } = batch;
      yield {
        length,
        inputs: Object.fromEntries(
          inputs.map(({ name }, i) => [name, { data: batch.inputs[i]!, shape: [length, ...shapes[i]!] }]),
        ),
        targets: { data: targets, shape: [length, ...target.shape] },
      };
    }
  } finally {
    native().disposeBatches(reader);
    native().disposeDataset(handle);
  }
}
