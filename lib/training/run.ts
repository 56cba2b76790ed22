// Options that training, evaluating and predicting share, and the plan made of a state, a model and data.

import { type Check, invalid, isListOf, isNumber, isSignal, isText } from '../core/checks';
import { sizeOf } from '../core/sample-values';
import { beginDataset, type Dataset } from '../datasets';
import type { Opening } from '../datasets/opening';
import { isModel } from '../models';
import { checkState, recogniseModel } from '../models/recognise';
import {
  chooseDevice,
  type Device,
  type DeviceInfo,
  isDevice,
  isThreads,
  planDevice,
  type Threads,
} from '../native/device';
import type { DatasetHandle, ProgramHandle, StateHandle } from '../native/handles';
import { native } from '../native/native';
import { programHandle } from '../native/programs';
import type { Model } from '../program/module';
import type { Program } from '../program/program';
import { loadState } from '../state/load';
import { heldHandle, holding, State } from '../state/state';
import { usualBatchSize } from './batch-sizes';

/** Options that training, evaluating and predicting share. */
export interface RunOptions {
  /** Default: recognised from the names and shapes of the state's tensors. */
  model?: Model;
  /** Samples a batch. Default: 64, or as many as an exported model takes at most. */
  batchSize?: number;
  /** Default: 'auto'. */
  device?: Device;
  /**
   * Threads that compute. `'leave-one'` leaves a core to the application. Results belong to a number of threads. Default: 1 for a
   * small model on the CPU, which is one of at most 65,536 parameters without convolutions, since threads would wait for one
   * another; otherwise libtorch's, the number of physical cores.
   */
  threads?: Threads;
  /**
   * Operators beyond those that a model may use, such as `['aten::rand']`, for a model that you trust. Recorded nowhere.
   * Default: none.
   */
  allowOperators?: readonly string[];
  /** Aborting ends the run after the current batch; it rejects with `signal.reason`. */
  signal?: AbortSignal;
}

/** Checks that every run shares; each function adds those of its own options. */
export const runOptionChecks = {
  model: isModel,
  batchSize: isNumber({ integer: true, min: 1 }),
  device: isDevice,
  threads: isThreads,
  allowOperators: isListOf(isText),
  signal: isSignal,
} satisfies Record<string, Check>;

/** A state and the model it fits, checked against each other and against the device. */
export interface Subject {
  state: State;
  model: Model;
  device: DeviceInfo;
  /** The part of a native plan that follows from these. */
  plan: { program: ProgramHandle; state: StateHandle; batchSize: number; threads: number; device: string };
}

/** Parameters of a model for which a second thread costs more than it computes. */
const smallModel = 65_536;

function isSmall({ parameters, nodes }: Program): boolean {
  const size = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return size <= smallModel && !nodes.some(({ op }) => op.includes('conv'));
}

/** Prepares state and model for `use`, and frees afterwards what was opened for it. Holds the state from the call on. */
export function withSubject<Result>(
  source: string | State,
  options: RunOptions,
  use: (subject: Subject) => Promise<Result>,
): Promise<Result> {
  return holding(source, () => prepare(source, options, use));
}

async function prepare<Result>(
  source: string | State,
  options: RunOptions,
  use: (subject: Subject) => Promise<Result>,
): Promise<Result> {
  options.signal?.throwIfAborted();
  const chosen = await chooseDevice(options.device, options.threads);
  const state = await resolveState(source, options.signal);
  try {
    const model = options.model ?? recogniseModel(state);
    checkState(model, state);
    const isOnOne = options.threads === undefined && chosen.type === 'cpu' && isSmall(model.program);
    const device = isOnOne ? { ...chosen, threads: 1 } : chosen;
    const { batchSize = usualBatchSize(model) } = options;
    const plan = {
      program: await programHandle(model.program, options.allowOperators),
      state: heldHandle(state),
      batchSize,
      threads: device.threads,
      device: planDevice(device),
    };
    return await use({ state, model, device, plan });
  } finally {
    if (state !== source) state.dispose();
  }
}

/** As prepare(), with data, whose arrays are copied before this returns. */
export async function withRun<Result>(
  source: string | State,
  data: Dataset,
  options: RunOptions,
  use: (subject: Subject, dataset: DatasetHandle) => Promise<Result>,
): Promise<Result> {
  const opening = beginDataset(data, options.signal);
  return holding(source, () => prepareRun(source, opening, options, use)).finally(() => opening.abandon());
}

/** The same for a caller that holds the state and abandons data that was not opened. */
export function prepareRun<Result>(
  source: string | State,
  opening: Opening,
  options: RunOptions,
  use: (subject: Subject, dataset: DatasetHandle) => Promise<Result>,
): Promise<Result> {
  return prepare(source, options, async (subject) => {
    const dataset = await opening.finish();
    try {
      return await use(subject, dataset);
    } finally {
      native().disposeDataset(dataset);
    }
  });
}

function resolveState(source: string | State, signal: AbortSignal | undefined): Promise<State> | State {
  if (source instanceof State) return source;
  if (typeof source === 'string') return loadState(source, signal ? { signal } : {});
  throw invalid('the path of a checkpoint or a State', 'source', source);
}
