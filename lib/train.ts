// Training: options and defaults, the native plan, and events as callbacks or as a stream.
import { randomInt } from 'node:crypto';
import { checkWritable } from './checkpoint/replace-file';
import { CheckpointWriter } from './checkpoint-writer';
import { modulesOf } from './create-state';
import { cifar10, type Dataset, isDataset } from './datasets';
import { afterTraining, type DeviceInfo } from './device';
import { EventQueue } from './event-queue';
import { runJob } from './job';
import { type DatasetHandle, type NativeEvent, type NativeSnapshot, native } from './native';
import { type Check, checkOptions, invalid, isFunction, isNumber, isOneOf, isPath } from './options';
import { checkSamples, isTransforms, type RunOptions, runOptionChecks, type Subject, withRun } from './run';
import { makeState, type State } from './state';
import {
  checkSameSamples,
  type EpochSummary,
  type RecordedOptions,
  readTrainingCheckpoint,
  recordedChecks,
  resumedOptions,
  startOf,
  type TrainingCheckpoint,
  type TrainingFacts,
  writeTrainingCheckpoint,
} from './training-checkpoint';
import { seedTransforms, type Transform } from './transforms';

export type { EpochSummary } from './training-checkpoint';

export interface TrainOptions extends RunOptions {
  /** Default: `cifar10({ root: './data', download: true })`. */
  data?: Dataset;
  /** Default: the seed job's five for images, none for float32 data. */
  transforms?: readonly Transform[];
  /** Times the whole data set is seen. Default: 10. */
  epochs?: number;
  /** A new order every epoch. Default: true. */
  shuffle?: boolean;
  /** Leave out a last batch that is not full. Default: false. */
  dropLast?: boolean;
  /** Default: 0.001. */
  learningRate?: number;
  /** Share of the last update that goes into the next. Default: 0.9. */
  momentum?: number;
  /** Times the weights, added to the gradients. Default: 0. */
  weightDecay?: number;
  /** Look-ahead momentum (Sutskever et al. 2013). Default: false. */
  nesterov?: boolean;
  /** `'exact'`: bit for bit as PyTorch does it. Default: 'exact', the only one so far. */
  mode?: 'exact';
  /** As `torch.manual_seed(seed)` just before the epochs: equal seeds give equal results. Default: a random one. */
  seed?: number;
  /** Steps between two 'log' events; 0 for none. Default: 100. */
  logEvery?: number;
  /** Where to keep the training itself, so that it can go on after a crash or an abort. Default: nowhere. */
  checkpoint?: CheckpointOptions;
  /**
   * A checkpoint to go on from, as if there had been no interruption. Weights and all options that are not given come
   * from it; `source` is not read.
   */
  resume?: string;
  /** Called on the JavaScript thread. If it throws, training stops and the promise rejects with what it threw. */
  onProgress?: (event: TrainEvent) => void;
}

export interface CheckpointOptions {
  /** A file that is replaced all at once, by one that Python loads too. */
  path: string;
  /** The steps between two checkpoints. At the end, and at an abort, there is always one. Default: 'epoch'. */
  every?: 'epoch' | number;
}

/** A step or a log line. Only the newest waiting 'step' is delivered; every 'log' is. */
export interface StepEvent {
  type: 'step' | 'log';
  /** From 1. */
  epoch: number;
  epochs: number;
  /** Within the epoch, from 1. */
  step: number;
  steps: number;
  /** Mean cross-entropy of this step's batch. */
  loss: number;
  /** Since training began. */
  samplesPerSecond: number;
  etaSeconds: number;
}

/** The end of an epoch; every one is delivered. */
export interface EpochEvent extends EpochSummary {
  type: 'epoch';
  epochs: number;
}

export type TrainEvent = StepEvent | EpochEvent;

export interface TrainResult {
  /** The trained state; the one that training began with is unchanged. */
  state: State;
  history: EpochSummary[];
  /** Optimizer steps made, with those before `resume`. */
  steps: number;
  /** Of this call. */
  seconds: number;
  device: DeviceInfo;
}

const isCheckpoint: Check = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('{ path, every }', name, value);
  checkOptions(name, value, { path: isPath, every: isEvery });
  isPath((value as CheckpointOptions).path, `${name}.path`);
};

const isEvery: Check = (value, name) => {
  if (value !== 'epoch' && !(Number.isSafeInteger(value) && (value as number) >= 1))
    throw invalid("'epoch' or a number of steps of at least 1", name, value);
};

/** Also of the command line, which has the same options. */
export const trainOptionChecks = {
  ...runOptionChecks,
  ...recordedChecks,
  data: isDataset,
  transforms: isTransforms,
  mode: isOneOf(['exact']),
  logEvery: isNumber({ integer: true, min: 0 }),
  checkpoint: isCheckpoint,
  resume: isPath,
  onProgress: isFunction,
} satisfies Record<keyof TrainOptions, unknown>;

/**
 * Trains on new data with SGD and cross-entropy, and returns a new state. Nothing given is changed, so that a run that
 * fails or is aborted loses nothing.
 */
export async function trainIncremental(source: string | State, options: TrainOptions = {}): Promise<TrainResult> {
  checkOptions('trainIncremental', options, trainOptionChecks);
  if (options.checkpoint) await checkWritable(options.checkpoint.path);
  if (options.resume === undefined) return begin(source, options);
  options.signal?.throwIfAborted();
  const resumed = await readTrainingCheckpoint(options.resume, options.signal);
  try {
    return await begin(resumed.state, resumedOptions(resumed, options), resumed);
  } finally {
    resumed.state.dispose();
  }
}

function begin(source: string | State, options: TrainOptions, resumed?: TrainingCheckpoint): Promise<TrainResult> {
  const { data = cifar10({ root: './data', download: true }) } = options;
  return withRun(source, data, options, (subject, dataset) => train(subject, dataset, options, resumed));
}

async function train(
  { model, device, plan }: Subject,
  dataset: DatasetHandle,
  options: TrainOptions,
  resumed: TrainingCheckpoint | undefined,
): Promise<TrainResult> {
  const { checkpoint, onProgress } = options;
  const { length, dtype } = native().datasetInfo(dataset);
  const transforms = options.transforms ?? (dtype === 'uint8' ? seedTransforms : []);
  checkSamples(model, dataset, transforms);
  if (resumed) checkSameSamples(resumed, length);
  const settings = settingsOf(options, plan);
  const { epochs } = settings;

  const fill = settings.dropLast ? Math.floor : Math.ceil;
  const steps = fill(length / plan.batchSize);
  const samples = settings.dropLast ? steps * plan.batchSize : length;
  const done = resumed ? resumed.position.epoch * samples + resumed.position.step * plan.batchSize : 0;
  const run = { epochs, steps, total: epochs * samples - done };
  const history: EpochSummary[] = [...(resumed?.history ?? [])];
  const keeper = checkpoint && keep(checkpoint, { model, options: settings, samples: length, history });
  const start = resumed && (await startOf(resumed, model));
  const signal = anyOf(options.signal, keeper?.failed);
  try {
    const { state, seconds, notCaptured } = await runJob(
      (onEvents: (events: (NativeEvent | NativeSnapshot)[]) => void) =>
        native().train(
          {
            ...plan,
            ...settings,
            dataset,
            transforms,
            names: model.tensors.map(({ name }) => name),
            logEvery: options.logEvery ?? 100,
            ...(start && { start }),
            snapshotEvery: keeper ? keeper.every : -1,
          },
          onEvents,
        ),
      {
        signal,
        onEveryEvent: (events) => {
          for (const event of events) {
            if (event.type === 'epoch') history.push(summary(event));
            if (event.type === 'snapshot') keeper?.writer.offer(event);
          }
        },
        onEvents: (events) => {
          for (const event of events) if (event.type !== 'snapshot') onProgress?.(toTrainEvent(event, run));
        },
      },
    );
    const result = { history, steps: epochs * steps, seconds, device: afterTraining(device, notCaptured) };
    return { state: makeState(state, modulesOf(model)), ...result };
  } finally {
    // Also when the run was stopped; that the last checkpoint could not be written is then the greater news.
    await keeper?.writer.close();
  }
}

function settingsOf(options: TrainOptions, { batchSize, threads }: Subject['plan']): RecordedOptions {
  return {
    epochs: options.epochs ?? 10,
    batchSize,
    shuffle: options.shuffle ?? true,
    dropLast: options.dropLast ?? false,
    learningRate: options.learningRate ?? 0.001,
    momentum: options.momentum ?? 0.9,
    weightDecay: options.weightDecay ?? 0,
    nesterov: options.nesterov ?? false,
    seed: options.seed ?? randomInt(2 ** 48 - 1),
    threads,
  };
}

function keep({ path, every = 'epoch' }: CheckpointOptions, facts: TrainingFacts) {
  const failure = new AbortController();
  const write = (snapshot: NativeSnapshot) => writeTrainingCheckpoint(path, snapshot, facts);
  return {
    writer: new CheckpointWriter(write, (cause) => failure.abort(cause)),
    failed: failure.signal,
    every: every === 'epoch' ? 0 : every,
  };
}

function anyOf(...signals: (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined);
  return given.length > 1 ? AbortSignal.any(given) : given[0];
}

/** The same run as a stream of its events, returning the result. Leaving the loop early stops the training. */
export async function* trainEvents(
  source: string | State,
  options: Omit<TrainOptions, 'onProgress'> = {},
): AsyncGenerator<TrainEvent, TrainResult> {
  const leave = new AbortController();
  const queue = new EventQueue();
  const signal = options?.signal ? AbortSignal.any([options.signal, leave.signal]) : leave.signal;
  const run = trainIncremental(source, { ...options, signal, onProgress: (event) => queue.push(event) });
  const over = run.then(
    () => queue.close(),
    () => queue.close(),
  );
  try {
    for (let event = await queue.next(); event; event = await queue.next()) yield event;
    return await run;
  } finally {
    leave.abort();
    await over;
  }
}

function summary({ epoch, step, samples, loss, seconds }: NativeEvent): EpochSummary {
  return { epoch, steps: step, samples, loss, seconds };
}

function toTrainEvent(event: NativeEvent, run: { epochs: number; steps: number; total: number }): TrainEvent {
  if (event.type === 'epoch') return { type: 'epoch', epochs: run.epochs, ...summary(event) };
  const { type, epoch, step, loss, seconds, samples } = event;
  const samplesPerSecond = samples / seconds;
  const etaSeconds = (run.total - samples) / samplesPerSecond;
  return { type, epoch, epochs: run.epochs, step, steps: run.steps, loss, samplesPerSecond, etaSeconds };
}
