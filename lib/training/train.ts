// Training: the native plan, its run, and events as callbacks or as a stream.

import { checkOptions, plain } from '../core/checks';
import { beginDataset } from '../datasets';
import { cifar10 } from '../datasets/cifar10/cifar10';
import { dataWeights } from '../datasets/class-weights';
import type { Opening } from '../datasets/opening';
import { checkWritable } from '../files/atomic-write';
import type { EpochSummary, TrainEvent } from '../loggers/events';
import { lossFrom, settledLoss } from '../losses';
import { lossPlan } from '../losses/plan';
import { afterTraining, type DeviceInfo } from '../native/device';
import type { DatasetHandle } from '../native/handles';
import { runJob } from '../native/job';
import { type NativeEvent, type NativeSnapshot, native } from '../native/native';
import { programHandle } from '../native/programs';
import { optimizerOptions } from '../optimizers';
import { checkOneOptimizer, optimizerGroups } from '../optimizers/parameter-groups';
import { withFrozenStatistics } from '../program/statistics';
import { checkMonitored, settledScheduler } from '../schedulers';
import { classNamesOf, named } from '../state/class-names';
import { modulesOf } from '../state/create';
import { holding, makeState, State, sharedState } from '../state/state';
import { trainingTransforms, transformsOf } from '../transforms/by-input';
import { checkTrainingBatches } from './batch-sizes';
import {
  readTrainingCheckpoint,
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
import { checkSameSamples, resumedOptions } from './resumed-options';
import { prepareRun, type Subject } from './run';
import { type OpenValidation, openValidation, type Validator } from './validation';

/** What {@link trainIncremental} resolves with. */
export interface TrainResult {
  /** The trained state, or with `average` the average, or the best one by validation; the one that training began with is unchanged. */
  state: State;
  /** As the last step left it, where `state` is another one. */
  lastState?: State;
  /** The option that ended the training before its epochs did. */
  stopped?: 'patience' | 'maxSteps' | 'maxSeconds';
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
  const openings = {
    data: beginDataset(data, signal),
    validation: options.validation && beginDataset(options.validation.data, signal),
  };
  const run = async () => {
    if (checkpoint) await checkWritable(checkpoint.path);
    return resume === undefined ? begin(source, openings, options) : goOn(resume, openings, options);
  };
  return holding(resume === undefined ? source : undefined, run).finally(() => {
    openings.data.abandon();
    openings.validation?.abandon();
  });
}

interface Openings {
  data: Opening;
  validation: Opening | undefined;
}

function begin(
  source: string | State,
  { data, validation }: Openings,
  begun: TrainOptions,
  resumed?: TrainingCheckpoint,
): Promise<TrainResult> {
  return prepareRun(source, data, begun, async (subject, dataset) => {
    const options = plain({ ...begun, loss: await settledLoss(lossFrom(begun.loss), dataWeights(dataset)) });
    const { validation: given } = options;
    const opened =
      given && validation ? await openValidation(given, validation, subject, options, resumed?.validation) : undefined;
    try {
      return await train(subject, dataset, opened, options, resumed);
    } finally {
      opened?.dispose();
    }
  });
}

async function goOn(resume: string | ResumeOptions, openings: Openings, options: TrainOptions): Promise<TrainResult> {
  options.signal?.throwIfAborted();
  const resumed = await readTrainingCheckpoint(resume, options, options.signal);
  try {
    return await begin(resumed.state, openings, resumedOptions(resumed, options), resumed);
  } finally {
    resumed.state.dispose();
  }
}

async function train(
  { state: before, model, device, plan }: Subject,
  dataset: DatasetHandle,
  validation: OpenValidation | undefined,
  options: TrainOptions,
  resumed: TrainingCheckpoint | undefined,
): Promise<TrainResult> {
  const { checkpoint, onProgress, maxSteps = 0, maxSeconds = 0 } = options;
  const validator = validation?.validator;
  const { length, inputs } = native().datasetInfo(dataset);
  const transforms = transformsOf(options.transforms, inputs, trainingTransforms);
  const order = inputOrder(model, inputs, transforms);
  if (resumed) checkSameSamples(resumed, length);
  const settings = settingsOf(options, plan);
  checkTrainingBatches(model, { samples: length, ...settings });
  const { optimizer, parameterGroups, frozenStatistics, scheduler: given, ...planned } = settings;
  // A run whose patience was at its end is over, unless it is given more.
  const epochs = resumed && validator?.isOver ? resumed.position.epoch : settings.epochs;
  const groups = optimizerGroups(model.program.parameters, optimizer, parameterGroups);
  const program = await programHandle(withFrozenStatistics(model.program, frozenStatistics), options.allowOperators);

  const fill = settings.dropLast ? Math.floor : Math.ceil;
  const batches = fill(length / plan.batchSize);
  const steps = Math.ceil(batches / settings.accumulate);
  const samples = settings.dropLast ? batches * plan.batchSize : length;
  const ofStep = plan.batchSize * settings.accumulate;
  const done = resumed ? resumed.position.epoch * samples + resumed.position.step * ofStep : 0;
  const all = Math.min(epochs * samples, maxSteps > 0 ? maxSteps * ofStep : Infinity);
  checkMonitored(given, validator?.monitor);
  const scheduler = given && settledScheduler(given, { epochs: settings.epochs, steps, maxSteps });
  if (scheduler) checkOneOptimizer(groups);
  const recorded = { ...settings, ...(scheduler && { scheduler }) };
  const run = { epochs, steps, total: all - done };
  const history: EpochSummary[] = [...(resumed?.history ?? [])];
  const classNames = classNamesOf(before);
  const keeper =
    checkpoint &&
    keep(checkpoint, { model, options: recorded, groups, samples: length, history, validator, classNames });
  const start = resumed && (await startOf(resumed, model, groups));
  const signal = anyOf(options.signal, keeper?.failed);
  try {
    const { state, last, notCaptured, ...counted } = await runJob(
      (onEvents: (events: (NativeEvent | NativeSnapshot)[]) => void) =>
        native().train(
          {
            ...plan,
            ...planned,
            ...(scheduler && { scheduler }),
            loss: lossPlan(settings.loss, model),
            ...{ program, groups, epochs, dataset },
            ...{ transforms, order },
            names: model.tensors.map(({ name }) => name),
            ...{ maxSteps, maxSeconds, validation: validation?.plan },
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
            if (event.type === 'validation') validator!.judge(event.epoch, event.validation!);
            if (event.type === 'epoch') history.push(summary(event, validator?.resultOf(event.epoch)));
            if (event.type === 'snapshot') keeper?.writer.offer(event);
          }
        },
        onEvents: (events) => {
          if (!onProgress) return undefined;
          const shown = events.flatMap((event) =>
            event.type === 'snapshot' ? [] : (toTrainEvent(event, run, validator?.resultOf(event.epoch)) ?? []),
          );
          return Promise.all(shown.map((event) => onProgress(event)));
        },
      },
    );
    const stopped = stoppedBy(counted.steps, epochs * steps, maxSteps, validator);
    return {
      state: named(makeState(state, modulesOf(model)), classNames),
      ...(last && { lastState: named(makeState(last, modulesOf(model)), classNames) }),
      ...(stopped && { stopped }),
      ...{ history, ...counted, device: afterTraining(device, notCaptured) },
    };
  } finally {
    // Also when the run was stopped; that the last checkpoint could not be written is then the greater news.
    await keeper?.writer.close();
  }
}

function stoppedBy(
  steps: number,
  all: number,
  maxSteps: number,
  validator: Validator | undefined,
): TrainResult['stopped'] {
  if (validator?.isOver) return 'patience';
  if (steps >= all) return undefined;
  return maxSteps > 0 && steps >= maxSteps ? 'maxSteps' : 'maxSeconds';
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
    const signal = anyOf(options.signal, leave.signal)!;
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
