// The seam: everything the addon offers, typed, in one file. binding.cc is its other side; test/architecture/
// compares the two. Plain values go in and come out; large things stay native behind handles.
import { isMainThread } from 'node:worker_threads';
import { openAddon } from '../libtorch/addon';
import { loadLibtorch } from '../libtorch/load';
import type { InitialTensor } from '../program/module';
import type { Program } from '../program/program';
import type { BatchesHandle, DatasetHandle, LearnerHandle, LockHandle, ProgramHandle, StateHandle } from './handles';
import type {
  BatchesPlan,
  DatasetPlan,
  LearnerPlan,
  Position,
  PredictPlan,
  ReadPlan,
  RunPlan,
  TrainPlan,
  UpdatePlan,
  WritePlan,
  WriteTensorsPlan,
} from './plans';

export interface NativeInfo {
  builtFor: string;
  cpuCapability: string;
  parallel: string;
  threads: number;
  /** Whether this libtorch has CUDA in it; whether there is a GPU too, findDevices() tells. */
  cuda: boolean;
}

/** See src/device/device.h. */
export interface NativeDevices {
  /** By their indices. */
  devices: { name: string; memoryBytes: number; capability: string }[];
  /** Why there are none, or why the one that was tried does not work; '' where it does. */
  problem: string;
  tf32Convolutions: boolean;
  tf32Matmuls: boolean;
}

export interface TensorInfo {
  name: string;
  /** PyTorch's name without `torch.`: 'float32', 'int64', 'bfloat16' … */
  dtype: string;
  shape: number[];
  /** Elements between neighbours along each axis. */
  stride: number[];
  /** First element inside the storage. */
  offset: number;
  /** Which storage of all these states it lives in; tied tensors have the same number. Counted in first-use order. */
  storage: number;
  /** Size of that whole storage. */
  storageBytes: number;
}

/** min, max and mean of the values that are finite; NaN where there are none. */
export interface TensorStats {
  min: number;
  max: number;
  mean: number;
  nan: number;
  infinite: number;
}

export interface DatasetInfo {
  length: number;
  shape: number[];
  dtype: 'uint8' | 'float32';
  classes: number;
}

export interface NativeSamples {
  inputs: Uint8Array | Float32Array;
  labels: Int32Array;
}

/** Samples as the model gets them, copied for JavaScript. */
export interface NativeBatch {
  inputs: Float32Array;
  labels: Int32Array;
  /** [sample, …] */
  shape: number[];
}

/** Long work on its own thread. `done` settles after the last event was delivered. */
export interface Job<Result> {
  done: Promise<Result>;
  /** Ends the work after the batch in hand; `done` then rejects with code ERR_CANCELLED. Harmless when it is over. */
  cancel(): void;
}

/** See src/train/report.h. */
export interface NativeEvent {
  type: 'step' | 'log' | 'epoch';
  epoch: number;
  step: number;
  loss: number;
  seconds: number;
  samples: number;
}

/** See src/train/snapshot.h. The newest stands for all before it, and comes behind all events that led to it. */
export interface NativeSnapshot extends Position {
  type: 'snapshot';
  model: StateHandle;
  /** 'random' and 'epoch', then the momentum buffers there are, by the numbers of their parameters. */
  rest: StateHandle;
}

/** See src/train/evaluate.h. */
export interface NativeEvaluation {
  loss: number;
  /** [actual class, predicted class], without the samples of `notFinite`. */
  confusion: Float64Array;
  /** [actual class]: samples for which no class can be predicted. */
  notFinite: Float64Array;
  samples: number;
}

/** What one update of a learner came to. */
export interface NativeUpdate {
  /** Why the weights were left as they were; empty: they were not. */
  refused: string;
  /** Refused before anything was drawn: a sample alone is too few for batch norm. */
  needsCompany: boolean;
  /** New samples that were left out, by their positions, each because its own output, loss or gradient is not finite. */
  offenders: number[];
  /** Mean over the batch, replayed samples included. */
  loss: number;
  gradientNorm: number;
  /** [sample, class]: of the new samples but the offenders, by the version that serves. */
  logits: Float32Array;
}

/** Copies of all that a learner goes on from. */
export interface NativeLearnerState {
  model: StateHandle;
  /** 'random', then the momentum buffers there are, by the numbers of their parameters. */
  rest: StateHandle;
  replay: StateHandle;
}

export interface Native {
  info(): NativeInfo;
  /** The GPUs there are, having tried out the one numbered so. */
  findDevices(tried: number): Promise<NativeDevices>;

  /** One state for each part of the plan. */
  readState(plan: ReadPlan): Promise<StateHandle[]>;
  writeState(states: readonly StateHandle[], plan: WritePlan): Promise<void>;
  /** A header and the bytes of tensors behind it. */
  writeTensors(state: StateHandle, plan: WriteTensorsPlan): Promise<void>;
  /** Draws in list order from a generator seeded as torch.manual_seed(seed) seeds it. */
  createState(tensors: readonly InitialTensor[], seed: number): Promise<StateHandle>;
  /** For each state its tensors. */
  stateInfo(states: readonly StateHandle[]): TensorInfo[][];
  /** A contiguous copy of the bytes. */
  stateTensor(state: StateHandle, index: number): ArrayBuffer;
  /** Of each tensor's values: see src/state/stats.h. */
  stateStats(state: StateHandle): Promise<TensorStats[]>;
  /** Same names in the same order, dtypes, shapes and bits. */
  statesEqual(a: StateHandle, b: StateHandle): boolean;
  /** Of bytes: each becomes a uint8 tensor of one dimension. */
  makeState(names: readonly string[], buffers: readonly Uint8Array[]): StateHandle;
  disposeState(state: StateHandle): void;

  makeDataset(plan: DatasetPlan): Promise<DatasetHandle>;
  datasetInfo(dataset: DatasetHandle): DatasetInfo;
  /** Copies of `count` samples from `first` on, as they were given. */
  datasetSamples(dataset: DatasetHandle, first: number, count: number): NativeSamples;
  disposeDataset(dataset: DatasetHandle): void;

  makeBatches(plan: BatchesPlan): BatchesHandle;
  /** One call at a time. Resolves with undefined behind the last batch. */
  nextBatch(batches: BatchesHandle): Promise<NativeBatch | undefined>;
  disposeBatches(batches: BatchesHandle): void;

  train(
    plan: TrainPlan,
    onEvents: (events: (NativeEvent | NativeSnapshot)[]) => void,
  ): Job<{ state: StateHandle; seconds: number; contracted: string[]; notCaptured: string }>;
  /** Throws where it names an operator that no model may name and that is not among `allow`. */
  makeProgram(program: Program, allow: readonly string[]): ProgramHandle;
  evaluate(plan: RunPlan): Job<NativeEvaluation>;
  predict(plan: PredictPlan): Job<{ logits: Float32Array; labels: Int32Array }>;
  /** What an online learner computes. It does one thing at a time: a call before the last one ended throws ERR_BUSY. */
  makeLearner(plan: LearnerPlan): Promise<LearnerHandle>;
  learnerUpdate(learner: LearnerHandle, plan: UpdatePlan): Job<NativeUpdate>;
  learnerState(learner: LearnerHandle): Job<NativeLearnerState>;
  learnerWeights(learner: LearnerHandle): Job<StateHandle>;
  learnerReplaceWeights(learner: LearnerHandle, state: StateHandle): Job<void>;
  disposeLearner(learner: LearnerHandle): void;

  /** CRC-32C of the buffers as of one. */
  crc32c(buffers: readonly Uint8Array[]): number;
  /** Locks a file, made where there is none, until it is unlocked or the process ends. Throws ERR_BUSY with its contents. */
  lockFile(path: string, owner: string): LockHandle;
  unlockFile(lock: LockHandle): void;

  /** Ends all jobs of this thread and lets none begin: for the end of the process. */
  stopJobs(): void;
}

let loaded: Native | undefined;

/** The addon, loaded with libtorch on first use: importing this library must cost nothing. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  loadLibtorch();
  const addon = openAddon('torch_incremental') as Native;
  // A worker's jobs end with its environment, by a clean-up hook; process.exit() runs none in the main thread.
  if (isMainThread) process.once('exit', () => addon.stopJobs());
  return addon;
}
