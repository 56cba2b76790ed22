// Training: options and defaults, the native plan, and events as callbacks or as a stream.
import { randomInt } from 'node:crypto';
import { modulesOf } from './create-state';
import { cifar10, type Dataset, isDataset } from './datasets';
import type { DeviceInfo } from './device';
import { runJob } from './job';
import { type DatasetHandle, type NativeEvent, native } from './native';
import { checkOptions, isBoolean, isFunction, isNumber, isOneOf } from './options';
import { checkSamples, isTransforms, type RunOptions, runOptionChecks, type Subject, withRun } from './run';
import { makeState, type State } from './state';
import { seedTransforms, type Transform } from './transforms';

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
  /** Called on the JavaScript thread. If it throws, training stops and the promise rejects with what it threw. */
  onProgress?: (event: TrainEvent) => void;
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

export interface EpochSummary {
  /** From 1. */
  epoch: number;
  steps: number;
  samples: number;
  /** Mean over the epoch's samples, each as it was when its batch was trained on. */
  loss: number;
  seconds: number;
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
  /** Optimizer steps made. */
  steps: number;
  seconds: number;
  device: DeviceInfo;
}

/** Also of the command line, which has the same options. */
export const trainOptionChecks = {
  ...runOptionChecks,
  data: isDataset,
  transforms: isTransforms,
  epochs: isNumber({ integer: true, min: 1 }),
  shuffle: isBoolean,
  dropLast: isBoolean,
  learningRate: isNumber({ min: 0 }),
  momentum: isNumber({ min: 0 }),
  weightDecay: isNumber({ min: 0 }),
  nesterov: isBoolean,
  mode: isOneOf(['exact']),
  seed: isNumber({ integer: true, min: 0 }),
  logEvery: isNumber({ integer: true, min: 0 }),
  onProgress: isFunction,
} satisfies Record<keyof TrainOptions, unknown>;

/**
 * Trains on new data with SGD and cross-entropy, and returns a new state. Nothing given is changed, so that a run that
 * fails or is aborted loses nothing.
 */
export async function trainIncremental(source: string | State, options: TrainOptions = {}): Promise<TrainResult> {
  checkOptions('trainIncremental', options, trainOptionChecks);
  const { data = cifar10({ root: './data', download: true }) } = options;
  return withRun(source, data, options, (subject, dataset) => train(subject, dataset, options));
}

async function train({ model, device, plan }: Subject, dataset: DatasetHandle, options: TrainOptions) {
  const { epochs = 10, signal, onProgress } = options;
  const { length, dtype } = native().datasetInfo(dataset);
  const transforms = options.transforms ?? (dtype === 'uint8' ? seedTransforms : []);
  checkSamples(model, dataset, transforms);

  const fill = options.dropLast ? Math.floor : Math.ceil;
  const steps = fill(length / plan.batchSize);
  const total = epochs * (options.dropLast ? steps * plan.batchSize : length);
  const history: EpochSummary[] = [];
  const { state, seconds } = await runJob(
    (onEvents) =>
      native().train(
        {
          ...plan,
          dataset,
          transforms,
          names: model.tensors.map(({ name }) => name),
          epochs,
          shuffle: options.shuffle ?? true,
          dropLast: options.dropLast ?? false,
          learningRate: options.learningRate ?? 0.001,
          momentum: options.momentum ?? 0.9,
          weightDecay: options.weightDecay ?? 0,
          nesterov: options.nesterov ?? false,
          seed: options.seed ?? randomInt(2 ** 48 - 1),
          logEvery: options.logEvery ?? 100,
        },
        onEvents,
      ),
    {
      signal,
      onEvents: (events) => {
        for (const event of events) {
          if (event.type === 'epoch') history.push(summary(event));
          onProgress?.(toTrainEvent(event, { epochs, steps, total }));
        }
      },
    },
  );
  return { state: makeState(state, modulesOf(model)), history, steps: epochs * steps, seconds, device };
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

/** What waits for a slow reader: everything but steps that a newer event has overtaken. */
class EventQueue {
  #events: TrainEvent[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  push(event: TrainEvent): void {
    if (this.#events.at(-1)?.type === 'step') this.#events.pop();
    this.#events.push(event);
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async next(): Promise<TrainEvent | undefined> {
    while (this.#events.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#events.shift();
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
