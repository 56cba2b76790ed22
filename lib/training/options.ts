// Options of trainIncremental(): their meaning, checks and defaults.
import { randomInt } from 'node:crypto';
import type { Average } from '../averages';
import { type Check, checkOptions, invalid, isFunction, isNumber, isPath } from '../core/checks';
import { LearnError } from '../core/errors';
import type { Patterns } from '../core/patterns';
import { type Dataset, datasets } from '../datasets';
import type { TrainEvent } from '../loggers/events';
import { type LossOption, lossFrom } from '../losses';
import { isThreads } from '../native/device';
import type { Optimizer } from '../optimizers';
import type { ParameterGroup } from '../optimizers/parameter-groups';
import { sgd } from '../optimizers/sgd';
import type { Scheduler } from '../schedulers';
import { isTransforms, type Transforms } from '../transforms/by-input';
import { type RecordedOptions, recordedChecks } from './recorded-options';
import { isResume, type ResumeOptions } from './resume-options';
import { type RunOptions, runOptionChecks, type Subject } from './run';
import { isValidation, type ValidationOptions } from './validation';

/** Options of {@link trainIncremental}. Each has a default; together the defaults are the reference script's job. */
export interface TrainOptions extends RunOptions {
  /** Default: `cifar10({ root: './data', download: true })`. */
  data?: Dataset;
  /**
   * A list, or for samples of several inputs one by the name of each that has any. Default: the reference script's five for images
   * of uint8, none for other inputs.
   */
  transforms?: Transforms;
  /** Times the whole data set is seen. Default: 10. */
  epochs?: number;
  /** A new order every epoch. Default: true. */
  shuffle?: boolean;
  /** Leave out a last batch that is not full. Default: false. */
  dropLast?: boolean;
  /**
   * Random numbers as `torch.utils.data.DataLoader(num_workers=workers)` draws them, from 0 to 1024: the draws of a script that has
   * workers, not a number of threads, which is `threads`. Default: 0.
   */
  workers?: number;
  /** Computes the weights from their gradients. Default: `sgd()`. */
  optimizer?: Optimizer;
  /**
   * Parameters that are trained in another way than the rest: with other options of the optimizer, with another optimizer, or not at
   * all, as `[{ parameters: 'layer1', frozen: true }, { parameters: 'fc', learningRate: 0.01 }]`. Default: none.
   */
  parameterGroups?: readonly ParameterGroup[];
  /**
   * Batch norms whose running statistics stay as they are, and normalise as in evaluation: names of their modules, or patterns as
   * those of `parameterGroups`, such as 'layer1'. Default: none.
   */
  frozenStatistics?: Patterns;
  /**
   * Moves the learning rates after each epoch or each step, such as `cosineAnnealingLR({ tMax: 10 })`. Default: none, they stay as the
   * optimizer has them.
   */
  scheduler?: Scheduler;
  /** Batches of one step of the optimizer: their gradients are averaged. A rest is a step at the epoch's end. Default: 1. */
  accumulate?: number;
  /** Gradients whose norm is larger are scaled down to it, as `torch.nn.utils.clip_grad_norm_` does. Default: none are. */
  maxGradientNorm?: number;
  /** Numbers of gradients beyond ± this are cut to it, as `torch.nn.utils.clip_grad_value_` does, after that. Default: none are. */
  maxGradientValue?: number;
  /** Average of the weights that the training goes through, which is then the returned state: `ema()` or `swa()`. Default: none. */
  average?: Average;
  /** Other data that are scored after epochs. Draws nothing from the run's generator: losses and weights are those without it. */
  validation?: ValidationOptions;
  /** Steps after which the training ends, with those before it was resumed. Default: as many as the epochs have. */
  maxSteps?: number;
  /** Seconds after which this call ends, after the current step. Default: it takes as long as its epochs. */
  maxSeconds?: number;
  /** Computes the number that training minimises; `'model'`: the model itself, as modelLoss() has it. Default: `crossEntropyLoss()`. */
  loss?: LossOption;
  /**
   * `'exact'`: bit for bit as PyTorch does it. `'fast'`: the same training by whatever kernels, memory layouts and fusions
   * are fastest; results differ by rounding, and are equal from run to run. Default: 'exact'.
   */
  mode?: 'exact' | 'fast';
  /**
   * `'bf16'`, in fast mode: convolutions and matrix products in bfloat16 as `torch.autocast` chooses them; weights, momentum
   * and loss stay float32. Pays on processors with AMX or AVX512_BF16. Default: 'fp32'.
   */
  precision?: 'fp32' | 'bf16';
  /**
   * In fast mode with 'fp32': chains of convolutions and linear layers with nothing non-linear between, such as the whole of
   * `net()`, are trained as the one affine map they are, on batches of more samples than the chain has outputs. The
   * gradients are the same but for rounding. Default: true.
   */
  contractLinear?: boolean;
  /**
   * Niceness of the threads that compute, as of nice(1): from 0 to 19, which is `os.constants.priority.PRIORITY_LOW`. With 19, JavaScript and predictions hardly notice a training on every core. Other
   * programs come first too, where no container sets them apart. On Linux only. Default: the process's own.
   */
  niceness?: number;
  /** As `torch.manual_seed(seed)` just before the epochs: equal seeds give equal results. Default: a random one. */
  seed?: number;
  /** Steps between two 'log' events; 0 for none. Default: 100. */
  logEvery?: number;
  /** Checkpoint of the training itself, from which it can resume after a crash or an abort. Default: none is written. */
  checkpoint?: CheckpointOptions;
  /**
   * A checkpoint to resume, as if there had been no interruption: its path, or `{ path, key, stripPrefix }` where the model is
   * under another key or its names have a prefix, as for loadState(). Weights and all options that are not given come from
   * it; `source` is not read.
   */
  resume?: string | ResumeOptions;
  /**
   * Called on the JavaScript thread. If it throws, or returns a promise that rejects, training stops and the promise of the run
   * rejects with that. The run is over when these promises are.
   */
  onProgress?: (event: TrainEvent) => void | Promise<void>;
}

/** The file and the interval of a training's checkpoints. */
export interface CheckpointOptions {
  /** Path of the checkpoint. Each one replaces the last at once, and Python loads it too. */
  path: string;
  /** The steps between two checkpoints. At the end, and at an abort, there is always one. Default: 'epoch'. */
  every?: 'epoch' | number;
}

const isCheckpoint: Check = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('{ path, every }', name, value);
  const copy = checkOptions(name, value as CheckpointOptions, { path: isPath, every: isEvery });
  isPath(copy.path, `${name}.path`);
  return copy;
};

const isEvery: Check = (value, name) => {
  if (value !== 'epoch' && !(Number.isSafeInteger(value) && (value as number) >= 1))
    throw invalid("'epoch' or a number of steps of at least 1", name, value);
};

/** Also of the command line, which has the same options. */
export const trainOptionChecks = {
  ...runOptionChecks,
  ...recordedChecks,
  threads: isThreads,
  niceness: isNumber({ integer: true, min: 0, max: 19 }),
  data: datasets.check,
  transforms: isTransforms,
  validation: isValidation,
  maxSteps: isNumber({ integer: true, min: 1 }),
  maxSeconds: isNumber({ above: 0 }),
  logEvery: isNumber({ integer: true, min: 0 }),
  checkpoint: isCheckpoint,
  resume: isResume,
  onProgress: isFunction,
} satisfies Record<keyof TrainOptions, unknown>;

/** Throws if the two do not fit together. */
export function checkNumerics({ mode, precision }: Pick<RecordedOptions, 'mode' | 'precision'>): void {
  if (precision !== 'bf16' || mode === 'fast') return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    "precision: 'bf16' rounds otherwise than PyTorch's float32: it needs mode: 'fast'",
  );
}

/** Every option that a checkpoint of the training records, defaults included. */
export function settingsOf(options: TrainOptions, { batchSize, threads }: Subject['plan']): RecordedOptions {
  const settings: RecordedOptions = {
    epochs: options.epochs ?? 10,
    batchSize,
    shuffle: options.shuffle ?? true,
    dropLast: options.dropLast ?? false,
    workers: options.workers ?? 0,
    optimizer: options.optimizer ?? sgd(),
    parameterGroups: options.parameterGroups ?? [],
    frozenStatistics: [options.frozenStatistics ?? []].flat(),
    ...(options.scheduler && { scheduler: options.scheduler }),
    loss: lossFrom(options.loss),
    accumulate: options.accumulate ?? 1,
    maxGradientNorm: options.maxGradientNorm ?? 0,
    maxGradientValue: options.maxGradientValue ?? 0,
    ...(options.average && { average: options.average }),
    mode: options.mode ?? 'exact',
    precision: options.precision ?? 'fp32',
    contractLinear: options.contractLinear ?? true,
    seed: options.seed ?? randomInt(2 ** 48 - 1),
    threads,
  };
  checkNumerics(settings);
  return settings;
}
