// The options of OnlineLearner.open(): what they mean, how they are checked, and their defaults.
import { randomInt } from 'node:crypto';
import { type Check, checkOptions, defined, invalid, isNumber, isOneOf, isPath, plain } from '../core/checks';
import { type Dataset, datasets } from '../datasets';
import { type Detector, detectors } from '../detectors';
import type { Threads } from '../native/device';
import type { LearnerPlan } from '../native/plans';
import type { State } from '../state/state';
import { recordedChecks } from '../training/checkpoint';
import type { SgdOptions } from '../training/optimizer-state';
import { checkMomentum, checkNumerics, type TrainOptions } from '../training/options';
import { type RunOptions, runOptionChecks } from '../training/run';
import { defaultTransforms, isTransforms, type Transform, takePixels } from '../transforms';

type Shared =
  | 'learningRate'
  | 'momentum'
  | 'weightDecay'
  | 'nesterov'
  | 'mode'
  | 'precision'
  | 'contractLinear'
  | 'seed';

export interface LearnerOptions
  extends Pick<TrainOptions, Shared | 'niceness'>,
    Omit<RunOptions, 'device' | 'threads'> {
  /** The folder of everything durable. If it holds a learner, that goes on; else one begins there. */
  dir: string;
  /** What a new learner begins with. Not read where `dir` holds one. */
  checkpoint?: string | State;
  /**
   * What samples go through to be learned, drawn anew each time; to be scored, without the random ones, and with the middle of the
   * image where a part of it is drawn. Default: those of the reference script for images, none for other samples and for float32.
   */
  transforms?: readonly Transform[];
  /** Type of a sample's values. Default: 'uint8' where the transforms have toTensor(), else 'float32'. */
  inputs?: 'uint8' | 'float32';
  /** Of one sample. Default: what the model takes. */
  shape?: readonly number[];
  /**
   * Threads that learn. Default: 'leave-one', since one core is for predictions and for JavaScript: a thread that waits for
   * another one's core makes both wait.
   */
  threads?: Threads;
  /** New samples of one update; each waits at most `maxDelayMs` for others. Default: 64. */
  batchSize?: number;
  /** Default: 50. */
  maxDelayMs?: number;
  /** Gradients of a larger norm are scaled down to it, as torch.nn.utils.clip_grad_norm_ does. Default: none are. */
  maxGradientNorm?: number;
  /** Default: none is kept. */
  replay?: ReplayOptions;
  /** Default: a version every 50 updates, which serves at once. */
  gate?: GateOptions;
  /** Default: none is looked for. */
  drift?: DriftOptions;
  journal?: JournalOptions;
  /** How long predict() remembers samples for feedback(); false: not at all, and it gives no ids. Default: {}, an hour. */
  feedback?: FeedbackOptions | false;
  /** Versions that rollback() can go back to, the one that serves among them. Default: 5. */
  keepVersions?: number;
  /** Ids of this many samples are remembered at least, so that none of them is learned twice. Default: 250,000. */
  rememberIds?: number;
}

export interface ReplayOptions {
  /** Samples. */
  capacity: number;
  /**
   * `'reservoir'`: every sample ever learned is in it with the same probability (Vitter 1985, Algorithm R).
   * `'classBalanced'`: rare classes are kept first (Chrysakis & Moens 2020). Default: 'reservoir'.
   */
  policy?: 'reservoir' | 'classBalanced';
  /** How many are learned again in each update. Default: as many as `batchSize`. */
  perUpdate?: number;
}

export interface GateOptions {
  /** Updates between two versions. Default: 50. */
  every?: number;
  /** Samples that decide whether a version may serve. They are never learned. Default: every version may. */
  heldOut?: Dataset;
  /** How far its accuracy may be below the best that ever served, 0 to 1. Default: 0.01. */
  maxDrop?: number;
  /** The same for each class. Default: 0.05. */
  perClassMaxDrop?: number;
  /** Whether a learner goes on from the version that serves when another was refused, or as it is. Default: 'rollback'. */
  onRefused?: 'rollback' | 'continue';
}

export interface DriftOptions {
  /** Fed 1 for every sample that was predicted wrongly, else 0. */
  detector: Detector;
  /**
   * `'report'`: only tells. `'boostReplay'`: the next 100 updates learn twice as many samples again. `'rollback'`: goes on from
   * the version that serves. Default: 'report'.
   */
  onDrift?: 'report' | 'boostReplay' | 'rollback';
}

/** When the journal is synced: before anything is acknowledged, or so many milliseconds later at most. */
export type Sync = 'always' | { readonly everyMs: number };

export interface JournalOptions {
  /**
   * When the disk has what learn() acknowledges. `'always'`: before it resolves, so that it survives a loss of power too.
   * `{ everyMs }`: so much later at most; it then survives whatever happens to the process. Default: { everyMs: 100 }.
   */
  sync?: Sync;
  /**
   * Bytes of journal and snapshots, about: with more, what only older versions need goes. The two newest snapshots always stay.
   * Default: 256 MiB.
   */
  maxBytes?: number;
}

export interface FeedbackOptions {
  /** Milliseconds for which a prediction waits for its label. Default: 3,600,000, an hour. */
  ttlMs?: number;
  /** Bytes of disk, about: with more, the predictions that waited longest expire. At least 1 MiB. Default: 1 GiB. */
  maxBytes?: number;
  /**
   * Bytes of memory in which the newest predictions are kept beside their place on the disk. If so many wait to be written,
   * predict() waits too. At least 1 MiB. Default: 64 MiB.
   */
  memoryBytes?: number;
}

const isCount = isNumber({ integer: true, min: 1 });
const isShare = isNumber({ min: 0, max: 1 });

const isSync: Check = (value, name) => {
  if (value === 'always') return;
  if (typeof value !== 'object' || value === null) throw invalid("'always' or { everyMs }", name, value);
  return checkOptions(name, value, { everyMs: isNumber({ min: 0, max: 2 ** 31 - 1 }) });
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

const { learningRate, momentum, weightDecay, nesterov, mode, precision, contractLinear, seed } = recordedChecks;
const { model, batchSize, threads, allowOperators, signal } = runOptionChecks;

const checks = {
  ...{ learningRate, momentum, weightDecay, nesterov, mode, precision, contractLinear, seed },
  ...{ model, batchSize, threads, allowOperators, signal },
  niceness: isNumber({ integer: true, min: 0, max: 19 }),
  dir: isPath,
  checkpoint: () => {},
  transforms: isTransforms,
  inputs: isOneOf(['uint8', 'float32']),
  shape: isSizes,
  maxDelayMs: isNumber({ min: 0, max: 2 ** 31 - 1 }),
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
  drift: isGroup({ detector: detectors.check, onDrift: isOneOf(['report', 'boostReplay', 'rollback']) }),
  feedback: (value, name) => (value === false ? value : isFeedback(value, name)),
  journal: isGroup({ sync: isSync, maxBytes: isNumber({ integer: true, min: 2 ** 20 }) }),
  keepVersions: isCount,
  rememberIds: isCount,
} satisfies Record<keyof LearnerOptions, Check>;

/** Returns a copy. */
export function checkLearnerOptions(options: LearnerOptions): LearnerOptions {
  const copy = checkOptions('OnlineLearner.open', options, checks);
  isPath(copy.dir, 'dir');
  return copy;
}

/** What decides what a learner computes: options in which nothing is missing, as snapshots record them. */
export interface Settings extends Pick<LearnerPlan & SgdOptions, PlannedName> {
  inputs: LearnerPlan['dtype'];
  batchSize: number;
  gate: Required<Omit<GateOptions, 'heldOut'>>;
  /** SHA-256 of the samples that decide whether a version may serve; empty: there are none. */
  heldOut: string;
  /** null: none is looked for. */
  drift: Required<DriftOptions> | null;
  keepVersions: number;
  rememberIds: number;
}

/** Of these, `shape` may be empty: what the model takes. */
type PlannedName = Shared | 'transforms' | 'shape' | 'maxGradientNorm' | 'replay' | 'threads';

const gateDefaults = { every: 50, maxDrop: 0.01, perClassMaxDrop: 0.05, onRefused: 'rollback' } as const;

function defaults(
  { shape, model, inputs }: Pick<LearnerOptions, 'shape' | 'model' | 'inputs'>,
  threads: number,
): Omit<Settings, 'inputs' | 'heldOut'> {
  return {
    ...{ transforms: defaultTransforms(shape ?? model?.input, inputs), shape: [], batchSize: 64 },
    ...{ learningRate: 0.001, momentum: 0.9, weightDecay: 0, nesterov: false, maxGradientNorm: 0 },
    ...{ mode: 'exact', precision: 'fp32', contractLinear: true },
    replay: { policy: 'reservoir', capacity: 0, perUpdate: 0 },
    gate: gateDefaults,
    ...{ drift: null, keepVersions: 5, rememberIds: 250_000 },
    ...{ seed: randomInt(2 ** 48 - 1), threads },
  };
}

/**
 * Every default filled in: what was recorded comes before defaults, and what is given before both, also within a group of options
 * such as `gate`.
 */
export function settingsOf(options: LearnerOptions, heldOut: string, threads: number, recorded?: Settings): Settings {
  const before = recorded ?? defaults(options, threads);
  const { transforms, inputs, shape, batchSize, learningRate, momentum, weightDecay, nesterov } = options;
  const { maxGradientNorm, mode, precision, contractLinear, keepVersions, rememberIds, seed } = options;
  const { replay, gate, drift } = options;
  // Where nothing was replayed before, as many as a batch has.
  const perUpdate = before.replay.capacity > 0 ? before.replay.perUpdate : (batchSize ?? before.batchSize);
  const replayBefore = { ...before.replay, perUpdate };
  const settings = {
    ...before,
    ...defined({
      ...{ transforms, inputs, shape, batchSize, learningRate, momentum, weightDecay, nesterov, maxGradientNorm },
      ...{ mode, precision, contractLinear },
      replay: replay && { ...replayBefore, ...defined(replay) },
      gate: gate && { ...before.gate, ...defined({ ...gate, heldOut: undefined }) },
      drift: drift && { onDrift: 'report', ...before.drift, ...defined(drift) },
      ...{ heldOut, keepVersions, rememberIds, seed },
      threads: options.threads === undefined ? undefined : threads,
    }),
  } as Settings;
  if (!Object.hasOwn(settings, 'inputs')) {
    settings.inputs = takePixels(settings.transforms) ? 'uint8' : 'float32';
  }
  if (settings.drift && !settings.drift.detector) throw invalid('a value', 'drift.detector', undefined);
  checkNumerics(settings);
  // A learner that began with both goes on with them.
  if (!recorded || nesterov !== undefined || momentum !== undefined) checkMomentum(settings);
  return settings;
}

/** The options by which two settings differ. */
export function changedOptions(old: Settings, settings: Settings): string[] {
  const names = Object.keys(settings) as (keyof Settings)[];
  return names.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(settings[name]));
}

export function feedbackLimits(options: FeedbackOptions = {}): Required<FeedbackOptions> {
  const { ttlMs, maxBytes, memoryBytes } = plain(options);
  return { ttlMs: ttlMs ?? 3_600_000, maxBytes: maxBytes ?? 2 ** 30, memoryBytes: memoryBytes ?? 64 * 2 ** 20 };
}
