// Options of OnlineLearner.open(): their meaning and their checks. settings.ts has the defaults of those that are recorded.
import { type Average, isOverSteps } from '../averages';
import { type Check, checkOptions, invalid, isNumber, isOneOf, isPath } from '../core/checks';
import { LearnError } from '../core/errors';
import type { ValueType } from '../core/sample-values';
import { type Dataset, datasets } from '../datasets';
import { type Detector, detectors } from '../detectors';
import { isMetrics, type Metric } from '../metrics';
import type { Threads } from '../native/device';
import { optimizerOptions } from '../optimizers';
import type { State } from '../state/state';
import type { TrainOptions } from '../training/options';
import { recordedChecks } from '../training/recorded-options';
import { type RunOptions, runOptionChecks } from '../training/run';
import type { Transforms } from '../transforms/by-input';
import { type DriftAnswer, driftAnswers } from './drift-answers';
import type { DriftEvent } from './events';
import { type InputOptions, isInputs, isSampleTransforms, isTargetForm, type TargetOptions } from './sample-form';

type Shared =
  | 'optimizer'
  | 'parameterGroups'
  | 'frozenStatistics'
  | 'loss'
  | 'average'
  | 'mode'
  | 'precision'
  | 'contractLinear'
  | 'seed';

/**
 * Options of {@link OnlineLearner.open}. Where the folder holds a learner, all but `dir` may be left out.
 *
 * @example
 * ```ts
 * // A model with two inputs, which labels each of 128 tokens.
 * const learner = await OnlineLearner.open({
 *   ...{ dir: './tagger', model, checkpoint: 'tagger.pth' },
 *   inputs: {
 *     input_ids: { dtype: 'int64', shape: [128] },
 *     attention_mask: { dtype: 'int64', shape: [128] },
 *   },
 *   target: { kind: 'tokens', shape: [128] },
 * });
 * await learner.learn({ inputs: { input_ids, attention_mask }, targets });
 * ```
 */
export interface LearnerOptions
  extends Pick<TrainOptions, Shared | 'niceness'>,
    Omit<RunOptions, 'device' | 'threads'> {
  /** The folder of everything durable. A learner in it is resumed; otherwise one begins there. */
  dir: string;
  /** The weights of a new learner. Not read if `dir` holds one. */
  checkpoint?: string | State;
  /**
   * Transforms of a sample each time it is learned, a list or one by the name of each input; to be scored it goes through those that
   * draw nothing, and a random crop becomes a crop of the centre. Default: those of the reference script for images that the model
   * takes as float32, none for other inputs and for float32.
   */
  transforms?: Transforms;
  /**
   * Type of a sample's values; of several inputs, the type of each by its name, or `{ dtype, shape }`. Default: 'uint8' if
   * toTensor() is among an input's transforms, else the model's own, such as 'float32'.
   */
  inputs?: ValueType | Readonly<Record<string, ValueType | InputOptions>>;
  /** Of one sample, if it has one input. Default: the model's own. */
  shape?: readonly number[];
  /**
   * The target of a sample: `'class'`, `'classes'`, `'values'` or `'tokens'`, and its shape. A learner keeps it. Default:
   * `{ kind: 'class' }`.
   */
  target?: TargetOptions;
  /**
   * Threads that learn. Default: 'leave-one', since predictions and JavaScript need a core too: threads that wait for each other's
   * core delay both.
   */
  threads?: Threads;
  /** Milliseconds to wait while another process has the folder, before ERR_BUSY. Default: 0. */
  waitForLock?: number;
  /** New samples of one update; each waits at most `maxDelayMs` for others. Default: 64, or as many as an exported model takes at most. */
  batchSize?: number;
  /** Default: 50. */
  maxDelayMs?: number;
  /** Gradients of a larger norm are scaled down to it, as torch.nn.utils.clip_grad_norm_ does. Default: no limit. */
  maxGradientNorm?: number;
  /** Default: no sample is kept. */
  replay?: ReplayOptions;
  /** Default: the weights serve after every update, and are a version every 50 updates. */
  gate?: GateOptions;
  /**
   * The weights that predict new samples for the prequential metrics, and for the detector of drift: `'live'`, those that learn them
   * next, as in test-then-train; `'served'`, the version that serves. Default: 'live', or 'served' if the learner begins
   * with held-out samples.
   */
  score?: 'live' | 'served';
  /** Default: drift is not looked for. */
  drift?: DriftOptions;
  /**
   * Measures of predictions besides accuracy and loss, in `prequential.metrics` of metrics(), where targets are not tokens. One that is
   * added later begins then. Default: none.
   */
  metrics?: readonly Metric[];
  journal?: JournalOptions;
  /** How long predict() remembers samples for feedback(); false: not at all, and predictions have no ids. Default: {}, an hour. */
  feedback?: FeedbackOptions | false;
  /** Versions that are kept for rollback(), the one that serves among them. Default: 5. */
  keepVersions?: number;
  /** The least number of ids that are remembered, so that no sample is learned twice. Default: 250,000. */
  rememberIds?: number;
}

/** Replay: earlier samples that are learned again with new ones. */
export interface ReplayOptions {
  /** Samples. */
  capacity: number;
  /**
   * `'reservoir'`: every sample ever learned is in the buffer with the same probability (Vitter 1985, Algorithm R).
   * `'classBalanced'`: rare classes are kept first, where targets are classes (Chrysakis & Moens 2020). Default: 'reservoir'.
   */
  policy?: 'reservoir' | 'classBalanced';
  /** Samples that each update replays. Default: as many as `batchSize`. */
  perUpdate?: number;
}

/** Versions of a learner: when they are made, and which of them may serve. */
export interface GateOptions {
  /** Updates between two versions. Default: 50. */
  every?: number;
  /** Samples with classes, which decide whether a version may serve and are never learned. Default: every version may serve. */
  heldOut?: Dataset;
  /** How far its accuracy may be below the best that ever served, 0 to 1. Default: 0.01. */
  maxDrop?: number;
  /** The same for each class. Default: 0.05. */
  perClassMaxDrop?: number;
  /** After a refused version: resume from the version that serves, or continue with the current weights. Default: 'rollback'. */
  onRefused?: 'rollback' | 'continue';
}

/** Detection of drift in the errors of a learner whose targets are classes, and the reaction to it. */
export interface DriftOptions {
  /** Is fed 1 for every sample that was predicted wrongly, 0 for every other. */
  detector: Detector;
  /** An answer; or a listener to the event `drift`, where it is only reported. Default: 'report'. */
  onDrift?: DriftAnswer | ((event: DriftEvent) => void);
  /** New samples after a drift, in which the detector's signals belong to the same drift. Default: 1000. */
  cooldown?: number;
}

const isDriftAnswer: Check = (value, name) => {
  if (typeof value !== 'function') isOneOf(driftAnswers)(value, name);
};

/** When the journal is synced: before anything is acknowledged, or at most that many milliseconds later. */
export type Sync = 'always' | { readonly everyMs: number };

/** Durability of a learner, and the room that its journal may take. */
export interface JournalOptions {
  /**
   * When acknowledged samples are on the disk. `'always'`: before learn() resolves, so that they survive a loss of power too.
   * `{ everyMs }`: that much later at most; they always survive the end of the process. Default: { everyMs: 100 }.
   */
  sync?: Sync;
  /**
   * Approximate bytes of journal and snapshots: beyond it, files that only older versions need are removed. The two newest snapshots
   * always stay. Default: 256 MiB, or five times the bytes of the newest snapshot if these are more.
   */
  maxBytes?: number;
}

/** Limits of the predictions that wait for their labels. */
export interface FeedbackOptions {
  /** Milliseconds for which a prediction waits for its label. Default: 3,600,000, an hour. */
  ttlMs?: number;
  /** Approximate bytes on the disk: beyond it, the oldest predictions expire. At least 1 MiB. Default: 1 GiB. */
  maxBytes?: number;
  /**
   * Bytes of memory that cache the newest predictions. When this many bytes wait to be written, predict() waits too. At least
   * 1 MiB. Default: 64 MiB.
   */
  memoryBytes?: number;
}

const isCount = isNumber({ integer: true, min: 1 });
const isDelay = isNumber({ min: 0, max: 2 ** 31 - 1 });
const isShare = isNumber({ min: 0, max: 1 });

const isSync: Check = (value, name) => {
  if (value === 'always') return;
  if (typeof value !== 'object' || value === null) throw invalid("'always' or { everyMs }", name, value);
  return checkOptions(name, value, { everyMs: isDelay });
};

const isSizes: Check = (value, name) => {
  const fits =
    Array.isArray(value) && value.length > 0 && value.every((size) => Number.isSafeInteger(size) && size > 0);
  if (!fits) throw invalid('a list of sizes', name, value);
};

/** A group of options. */
function isGroup(checks: Record<string, Check>, required: readonly string[] = []): Check {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('an object', name, value);
    const copy = checkOptions(name, value as Record<string, unknown>, checks);
    for (const key of required) {
      if (copy[key] === undefined) throw invalid('a value', `${name}.${key}`, undefined);
    }
    return copy;
  };
}

const isFeedback = isGroup({
  ttlMs: isNumber({ above: 0 }),
  maxBytes: isNumber({ integer: true, min: 2 ** 20 }),
  memoryBytes: isNumber({ integer: true, min: 2 ** 20 }),
});

const { optimizer, parameterGroups, frozenStatistics, loss, mode, precision, contractLinear, seed } = recordedChecks;

const isOnlineAverage: Check = (value, name) => {
  recordedChecks.average(value, name);
  if (isOverSteps(value as Average)) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected an average over updates, such as ema(), for "${name}" but received ${(value as Average).kind}(), which averages epochs: a ` +
      'stream has none',
  );
};

const { model, batchSize, threads, allowOperators, signal } = runOptionChecks;

const checks = {
  ...{ optimizer, parameterGroups, frozenStatistics, loss, mode, precision, contractLinear, seed },
  average: isOnlineAverage,
  ...{ model, batchSize, threads, allowOperators, signal },
  niceness: isNumber({ integer: true, min: 0, max: 19 }),
  dir: isPath,
  checkpoint: () => {},
  transforms: isSampleTransforms,
  inputs: isInputs,
  shape: isSizes,
  target: isTargetForm,
  maxDelayMs: isDelay,
  waitForLock: isDelay,
  maxGradientNorm: isNumber({ above: 0 }),
  replay: isGroup(
    {
      capacity: isNumber({ integer: true, min: 0 }),
      policy: isOneOf(['reservoir', 'classBalanced']),
      perUpdate: isNumber({ integer: true, min: 0 }),
    },
    ['capacity'],
  ),
  gate: isGroup({
    every: isCount,
    heldOut: datasets.check,
    maxDrop: isShare,
    perClassMaxDrop: isShare,
    onRefused: isOneOf(['rollback', 'continue']),
  }),
  drift: isGroup({ detector: detectors.check, onDrift: isDriftAnswer, cooldown: isNumber({ integer: true, min: 0 }) }),
  score: isOneOf(['live', 'served']),
  metrics: isMetrics,
  feedback: (value, name) => (value === false ? value : isFeedback(value, name)),
  journal: isGroup({ sync: isSync, maxBytes: isNumber({ integer: true, min: 2 ** 20 }) }),
  keepVersions: isCount,
  rememberIds: isCount,
} satisfies Record<keyof LearnerOptions, Check>;

/** Returns a copy. */
export function checkLearnerOptions(options: LearnerOptions): LearnerOptions {
  const copy = checkOptions('OnlineLearner.open', options, checks, optimizerOptions);
  isPath(copy.dir, 'dir');
  return copy;
}
