// Training: the native plan, its run, and events as callbacks or as a stream.

import { checkOptions } from '../core/checks';
import { beginDataset } from '../datasets';
import { cifar10 } from '../datasets/cifar10/cifar10';
import type { Opening } from '../datasets/opening';
import { checkWritable } from '../files/atomic-write';
import type { EpochSummary, TrainEvent } from '../loggers/events';
import { afterTraining, type DeviceInfo } from '../native/device';
import type { DatasetHandle } from '../native/handles';
import { runJob } from '../native/job';
import { type NativeEvent, type NativeSnapshot, native } from '../native/native';
import { optimizerOptions } from '../optimizers';
import { optimizerGroups } from '../optimizers/parameter-groups';
import { withFrozenStatistics } from '../program/statistics';
import { modulesOf } from '../state/create';
import { holding, makeState, State, sharedState } from '../state/state';
import { trainingTransforms, transformsOf } from '../transforms/by-input';
import {
  checkSameSamples,
  readTrainingCheckpoint,
  resumedOptions,
  startOf,
  type TrainingCheckpoint,
  type TrainingFacts,
  writeTrainingCheckpoint,
} from './checkpoint';
import { CheckpointWriter } from './checkpoint-writer';
import { EventQueue } from './event-queue';
import { summary, toTrainEvent } from './events';
import { inputOrder } from './inputs';
import { type CheckpointOptions, settingsOf, type TrainOptions, trainOptionChecks } from './options';
import type { ResumeOptions } from './resume-options';
import { prepareRun, programHandle, type Subject } from './run';

/** What {@link trainIncremental} resolves with. */
export interface TrainResult {
  /** The trained state; the one that training began with is unchanged. */
  state: State;
  history: EpochSummary[];
  /** Optimizer steps made, with those before `resume`. */
  steps: number;
  /** Of this call. */
  seconds: number;
  device: DeviceInfo;
  /** Names of the weights that were trained in contracted form; see `contractLinear`. */
  contracted: readonly string[];
}

/**
 * Trains on new data and returns a new state. Nothing given is changed, so that a run that
 * fails or is aborted loses nothing.
 *
 * @example
 * ```ts
 * const { state, history } = await trainIncremental('pretrained_model.pth');
 * await saveState(state, 'updated_model.pth');
 * ```
 */
export async function trainIncremental(source: string | State, given: TrainOptions = {}): Promise<TrainResult> {
  const options = checkOptions('trainIncremental', given, trainOptionChecks, optimizerOptions);
  const { data = cifar10({ root: './data', download: true }), checkpoint, resume, signal } = options;
  // From the call on: what happens to the state or the arrays meanwhile changes nothing.
  const opening = beginDataset(data, signal);
  const run = async () => {
    if (checkpoint) await checkWritable(checkpoint.path);
    return resume === undefined ? begin(source, opening, options) : goOn(resume, opening, options);
  };
  return holding(resume === undefined ? source : undefined, run).finally(() => opening.abandon());
}

function begin(
  source: string | State,
  opening: Opening,
  options: TrainOptions,
  resumed?: TrainingCheckpoint,
): Promise<TrainResult> {
  return prepareRun(source, opening, options, (subject, dataset) => train(subject, dataset, options, resumed));
}

async function goOn(resume: string | ResumeOptions, opening: Opening, options: TrainOptions): Promise<TrainResult> {
  options.signal?.throwIfAborted();
  const resumed = await readTrainingCheckpoint(resume, options, options.signal);
  try {
    return await begin(resumed.state, opening, resumedOptions(resumed, options), resumed);
  } finally {
    resumed.state.dispose();
  }
}

async function train(
  { model, device, plan }: Subject,
  dataset: DatasetHandle,
  options: TrainOptions,
  resumed: TrainingCheckpoint | undefined,
): Promise<TrainResult> {
  const { checkpoint, onProgress } = options;
  const { length, inputs } = native().datasetInfo(dataset);
  const transforms = transformsOf(options.transforms, inputs, trainingTransforms);
  const order = inputOrder(model, inputs, transforms);
  if (resumed) checkSameSamples(resumed, length);
  const settings = settingsOf(options, plan);
  const { epochs, optimizer, parameterGroups, frozenStatistics, ...planned } = settings;
  const names = model.program.parameters.map(({ name }) => name);
  const groups = optimizerGroups(names, optimizer, parameterGroups);
  const program = withFrozenStatistics(model.program, frozenStatistics);

  const fill = settings.dropLast ? Math.floor : Math.ceil;
  const steps = fill(length / plan.batchSize);
  const samples = settings.dropLast ? steps * plan.batchSize : length;
  const done = resumed ? resumed.position.epoch * samples + resumed.position.step * plan.batchSize : 0;
  const run = { epochs, steps, total: epochs * samples - done };
  const history: EpochSummary[] = [...(resumed?.history ?? [])];
  const keeper = checkpoint && keep(checkpoint, { model, options: settings, groups, samples: length, history });
  const start = resumed && (await startOf(resumed, model, groups));
  const signal = anyOf(options.signal, keeper?.failed);
  try {
    const { state, seconds, contracted, notCaptured } = await runJob(
      (onEvents: (events: (NativeEvent | NativeSnapshot)[]) => void) =>
        native().train(
          {
            ...plan,
            ...planned,
            ...{ program: programHandle(program, options.allowOperators), groups, epochs, dataset },
            ...{ transforms, order },
            names: model.tensors.map(({ name }) => name),
            niceness: options.niceness ?? 0,
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
          if (!onProgress) return undefined;
          const shown = events.filter((event) => event.type !== 'snapshot');
          return Promise.all(shown.map((event) => onProgress(toTrainEvent(event, run))));
        },
      },
    );
    const result = { history, steps: epochs * steps, seconds, device: afterTraining(device, notCaptured), contracted };
    return { state: makeState(state, modulesOf(model)), ...result };
  } finally {
    // Also when the run was stopped; that the last checkpoint could not be written is then the greater news.
    await keeper?.writer.close();
  }
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

/**
 * The same run as a stream of its events, returning the result. It begins when the first one is asked for; leaving the loop
 * early stops it. A State is held from the call on.
 *
 * @example
 * ```ts
 * for await (const event of trainEvents('model.pth', { epochs: 3 })) {
 *   if (event.type === 'epoch') console.log(event.epoch, event.loss);
 * }
 * ```
 */
export function trainEvents(
  source: string | State,
  options: Omit<TrainOptions, 'onProgress'> = {},
): AsyncGenerator<TrainEvent, TrainResult> {
  return eventsOf(source instanceof State ? sharedState(source) : source, options);
}

/** Disposes the source, where it is a State. */
async function* eventsOf(
  source: string | State,
  given: Omit<TrainOptions, 'onProgress'>,
): AsyncGenerator<TrainEvent, TrainResult> {
  const leave = new AbortController();
  let over: Promise<void> | undefined;
  try {
    const options = checkOptions('trainEvents', given, trainOptionChecks, optimizerOptions);
    const queue = new EventQueue();
    const signal = options.signal ? AbortSignal.any([options.signal, leave.signal]) : leave.signal;
    const run = trainIncremental(source, { ...options, signal, onProgress: (event) => queue.push(event) });
    over = run.then(
      () => queue.close(),
      () => queue.close(),
    );
    for (let event = await queue.next(); event; event = await queue.next()) yield event;
    return await run;
  } finally {
    leave.abort();
    await over;
    if (source instanceof State) source.dispose();
  }
}
