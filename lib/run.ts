// What training, evaluating and predicting have in common: options, and the plan made of a state, a model and data.

import { type Dataset, openDataset } from './datasets';
import { chooseDevice, type Device, type DeviceInfo, isDevice, isThreads, type Threads } from './device';
import { LearnError } from './errors';
import { checkState, recogniseModel } from './match';
import type { Model } from './module';
import { type DatasetHandle, native, type StateHandle } from './native';
import { type Check, invalid, isListOf, isMade, isNumber, isSignal } from './options';
import type { Program } from './program';
import { loadState, State, stateHandle } from './state';
import type { Transform } from './transforms';

export interface RunOptions {
  /** Default: recognised from the names and shapes of the state's tensors. */
  model?: Model;
  /** Samples a batch. Default: 64. */
  batchSize?: number;
  /** Default: 'auto'. */
  device?: Device;
  /**
   * Threads that compute. `'leave-one'` leaves a core to the application. Default: what libtorch takes, which is the number
   * of physical cores.
   */
  threads?: Threads;
  /** Aborting ends the run after the batch in hand; it rejects with `signal.reason`. */
  signal?: AbortSignal;
}

/** Checks that every run shares; each function adds those of its own options. */
export const runOptionChecks = {
  model: isMade('program', 'net() or sequential()'),
  batchSize: isNumber({ integer: true, min: 1 }),
  device: isDevice,
  threads: isThreads,
  signal: isSignal,
} satisfies Record<string, Check>;

export const isTransforms = isListOf(isMade('kind', 'toTensor(), normalize(), …'));

/** A state and the model it fits, checked against each other and against the device. */
export interface Subject {
  state: State;
  model: Model;
  device: DeviceInfo;
  /** The part of a native plan that follows from this. */
  plan: { program: Program; state: StateHandle; batchSize: number; threads: number };
}

/** Prepares state, model and data for `use`, and frees afterwards what was opened for it. */
export async function withRun<Result>(
  source: string | State,
  data: Dataset | ((model: Model) => Dataset),
  options: RunOptions,
  use: (subject: Subject, dataset: DatasetHandle) => Promise<Result>,
): Promise<Result> {
  options.signal?.throwIfAborted();
  const device = chooseDevice(options.device, options.threads);
  const state = await resolveState(source, options.signal);
  try {
    const model = options.model ?? recogniseModel(state);
    checkState(model, state);
    const { batchSize = 64 } = options;
    const plan = { program: model.program, state: stateHandle(state), batchSize, threads: device.threads };
    const dataset = await openDataset(typeof data === 'function' ? data(model) : data, options.signal);
    try {
      return await use({ state, model, device, plan }, dataset);
    } finally {
      native().disposeDataset(dataset);
    }
  } finally {
    if (state !== source) state.dispose();
  }
}

function resolveState(source: string | State, signal: AbortSignal | undefined): Promise<State> | State {
  if (source instanceof State) return source;
  if (typeof source === 'string') return loadState(source, signal ? { signal } : {});
  throw invalid('the path of a checkpoint or a State', 'source', source);
}

/** Throws unless samples of `dataset`, after the transforms, are what `model` takes. */
export function checkSamples(model: Model, dataset: DatasetHandle, transforms: readonly Transform[]): void {
  const { shape } = native().datasetInfo(dataset);
  const crop = transforms.findLast((transform) => transform.kind === 'randomCrop');
  const sample = crop ? [shape[0], ...crop.size] : shape;
  if (model.input && String(sample) !== String(model.input)) {
    throw new LearnError(
      'ERR_SHAPE',
      `Expected samples of shape [${model.input.join(', ')}] for ${model.name} but the data set's are [${sample.join(', ')}]`,
    );
  }
}
