// The seam: everything the addon offers, typed, in one file. binding.cc is its other side; test/architecture.test.mjs
// compares the two. Plain values go in and come out; large things stay native behind handles.
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { loadLibtorch, openAddon } from './libtorch';
import type {
  BatchesPlan,
  DatasetPlan,
  InitialTensor,
  Position,
  PredictPlan,
  ReadPlan,
  RunPlan,
  TrainPlan,
  WritePlan,
  WriteTensorsPlan,
} from './plans';
import type { Program } from './program';

/** A native state dict. Opaque; only the functions below can look inside. */
export type StateHandle = { readonly __state: never };
/** A native program. */
export type ProgramHandle = { readonly __program: never };
/** A native data set. */
export type DatasetHandle = { readonly __dataset: never };
/** A run through a native data set, batch by batch. */
export type BatchesHandle = { readonly __batches: never };

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
  /** Of each tensor's values: see src/checkpoint/stats.h. */
  stateStats(state: StateHandle): Promise<TensorStats[]>;
  /** Same names in the same order, dtypes, shapes and bits. */
  statesEqual(a: StateHandle, b: StateHandle): boolean;
  disposeState(state: StateHandle): void;

  makeDataset(plan: DatasetPlan): Promise<DatasetHandle>;
  datasetInfo(dataset: DatasetHandle): DatasetInfo;
  disposeDataset(dataset: DatasetHandle): void;

  makeBatches(plan: BatchesPlan): BatchesHandle;
  /** One call at a time. Resolves with undefined behind the last batch. */
  nextBatch(batches: BatchesHandle): Promise<NativeBatch | undefined>;
  disposeBatches(batches: BatchesHandle): void;

  train(
    plan: TrainPlan,
    onEvents: (events: (NativeEvent | NativeSnapshot)[]) => void,
  ): Job<{ state: StateHandle; seconds: number; contracted: string[]; notCaptured: string }>;
  makeProgram(program: Program): ProgramHandle;
  evaluate(plan: RunPlan): Job<{ loss: number; confusion: Float64Array; samples: number }>;
  predict(plan: PredictPlan): Job<{ logits: Float32Array; labels: Int32Array }>;
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

/** Where the compiled file `name`.node stands: in build/, or in the folder of another build that a test is to run with. */
export function addonPath(name: 'loader' | 'torch_incremental'): string {
  const folder = process.env.TORCH_INCREMENTAL_ADDON ?? path.join(__dirname, '..', 'build', 'Release');
  return path.join(folder, `${name}.node`);
}
