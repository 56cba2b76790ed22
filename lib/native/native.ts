// The seam: types of everything the addon offers, in one file. src/napi/ is its other side; test/architecture/
// compares the two. Arguments and results are plain values; large data stay native and are referred to by handles.
import { isMainThread } from 'node:worker_threads';
import type { SampleForm, TargetValues, Values } from '../core/sample-values';
import { openAddon } from '../libtorch/addon';
import { loadLibtorch } from '../libtorch/load';
import type { ModelTensor } from '../program/module';
import type { Program, ProgramNode } from '../program/program';
import type {
  BatchesHandle,
  DatasetHandle,
  LearnerHandle,
  LockHandle,
  ProgramDraftHandle,
  ProgramHandle,
  StateHandle,
  VerdictsHandle,
} from './handles';
import type {
  BatchesPlan,
  DatasetPlan,
  EvaluatePlan,
  LearnerPlan,
  Position,
  PredictPlan,
  TrainPlan,
  UpdatePlan,
} from './plans';
import type { GroupRates, RatesPlan, SchedulerState } from './rates';
import type {
  GivenTensor,
  GrownTensor,
  InitialDraw,
  Layout,
  LayoutPlan,
  ReadPlan,
  SharePlan,
  TensorInfo,
  TensorStats,
  WritePlan,
  WriteTensorsPlan,
} from './state-plans';

export interface NativeInfo {
  builtFor: string;
  cpuCapability: string;
  parallel: string;
  threads: number;
  /** Whether this libtorch is built with CUDA. findDevices() reports whether there is a GPU. */
  cuda: boolean;
}

/** See src/device/device.h. */
export interface NativeDevices {
  /** In the order of their indices. */
  devices: { name: string; memoryBytes: number; capability: string }[];
  /** Reason why there is no device, or why the tried device does not work; '' if it works. */
  problem: string;
  tf32Convolutions: boolean;
  tf32Matmuls: boolean;
}

export interface DatasetInfo extends SampleForm {
  length: number;
}

export interface NativeSamples {
  /** One array for each input. */
  inputs: Values[];
  /** Empty if the kind of the target is `none`. */
  targets: TargetValues;
}

/** Samples as the model receives them, copied for JavaScript. */
export interface NativeBatch extends NativeSamples {
  length: number;
  /** Of one sample, for each input, after the transforms. */
  shapes: number[][];
}

/** A long operation on its own thread. `done` settles after the last event was delivered. */
export interface Job<Result> {
  done: Promise<Result>;
  /** Ends the operation after the current batch; `done` then rejects with code ERR_CANCELLED. No effect after the end. */
  cancel(): void;
}

/** See src/train/report.h. */
export interface NativeEvent {
  type: 'step' | 'log' | 'epoch' | 'validation';
  epoch: number;
  step: number;
  loss: number;
  seconds: number;
  samples: number;
  /** Of the parameter groups. */
  learningRates: number[];
  /** Of 'validation', which else has the epoch alone, and waits for a verdict. */
  validation?: NativeEvaluation;
}

/** See src/train/snapshot.h. The newest one replaces all earlier ones, and is delivered after all events before it. */
export interface NativeSnapshot extends Position {
  type: 'snapshot';
  model: StateHandle;
  /** 'random' and 'epoch', then the optimizer's slots, such as '0.exp_avg': see src/train/snapshot.h. */
  rest: StateHandle;
  /** Of the parameter groups. */
  rates: GroupRates[];
  /** Empty: the run has no scheduler. */
  scheduler: SchedulerState;
  /** As AveragedModel of torch.optim.swa_utils has it: 'n_averaged', then 'module.…'. */
  average?: StateHandle;
  /** The weights of the best validation. */
  best?: StateHandle;
}

/** What training returns. */
export interface NativeTraining {
  state: StateHandle;
  /** The weights after the last step, where `state` is an average or the best. */
  last?: StateHandle;
  steps: number;
  seconds: number;
  contracted: string[];
  notCaptured: string;
}

/** See src/train/validation.h. */
export interface Verdict {
  stops: boolean;
  keeps: boolean;
  monitored: number;
}

/** See src/train/evaluation.h. */
export interface NativeEvaluation {
  loss: number;
  samples: number;
  /** Indices of classes that were predicted correctly, and all that could be; both 0 where the targets are not such indices. */
  correct: number;
  predicted: number;
  /** Of samples whose target is a class: [actual class, predicted class], without the samples of `notFinite`. Otherwise empty. */
  confusion: Float64Array;
  /** Of samples whose target is a class: [actual class], samples for which no class can be predicted. Otherwise empty. */
  notFinite: Float64Array;
  /** The states of the plan's sums, in their order. */
  sums: Float64Array[];
}

/** See src/train/evaluate.h. */
export interface NativePrediction {
  /** [sample, …], and its shape. */
  logits: Float32Array;
  shape: number[];
  /** [sample, …]: the index of the largest logit along the second axis. Empty if there is no such axis. */
  labels: Int32Array;
}

/** See src/schedulers/run_scheduler.h. */
export interface NativeRates {
  learningRates: Float64Array;
  momentums: Float64Array;
  betas: Float64Array;
  groups: GroupRates[];
  state: SchedulerState;
}

/** The result of one update of a learner. */
export interface NativeUpdate {
  /** Reason why the weights were left unchanged; empty if they were changed. */
  refused: string;
  /** Refused before anything was drawn, because one sample is too few for batch norm. */
  needsCompany: boolean;
  /** Positions of the new samples that were left out, because their own output, loss or gradient is not finite. */
  offenders: number[];
  /** Of the batch, including replayed samples. */
  loss: number;
  /** [sample, …]: logits of the new samples without the offenders, by the weights that score. */
  logits: Float32Array;
  /** The loss of each of them. Missing where it follows from the logits of a class, or where none was scored. */
  losses?: Float32Array;
}

/** Copies of everything from which a learner resumes. */
export interface NativeLearnerState {
  model: StateHandle;
  /** 'random', then the optimizer's slots, such as '0.exp_avg'. */
  rest: StateHandle;
  replay: StateHandle;
  /** As NativeSnapshot has it. Missing: the learner has none. */
  average?: StateHandle;
}

export interface Native {
  info(): NativeInfo;
  /** Returns the GPUs, after trying the one with the index `tried`. */
  findDevices(tried: number): Promise<NativeDevices>;

  /** Returns one state for each part of the plan. */
  readState(plan: ReadPlan): Promise<StateHandle[]>;
  writeState(states: readonly StateHandle[], plan: WritePlan): Promise<void>;
  /** Writes a header, followed by the bytes of tensors. */
  writeTensors(state: StateHandle, plan: WriteTensorsPlan): Promise<void>;
  /** Draws in list order from a generator seeded as by torch.manual_seed(seed). `tensor`: the index of the one that is drawn. */
  createState(
    tensors: readonly Pick<ModelTensor, 'name' | 'dtype' | 'shape'>[],
    draws: readonly InitialDraw[],
    seed: number,
  ): Promise<StateHandle>;
  /** Returns the tensors of each state. */
  stateInfo(states: readonly StateHandle[]): TensorInfo[][];
  /** Returns a contiguous copy of the bytes. */
  stateTensor(state: StateHandle, index: number): ArrayBuffer;
  /** Returns statistics of each tensor's values: see src/state/stats.h. */
  stateStats(state: StateHandle): Promise<TensorStats[]>;
  /** Compares names and their order, dtypes, shapes and bits. */
  statesEqual(a: StateHandle, b: StateHandle): boolean;
  /** Makes a state of copies of bytes. */
  makeState(tensors: readonly GivenTensor[]): StateHandle;
  /** Makes a state of tensors of other states, which share their memory and may be disposed. */
  shareTensors(plan: SharePlan): StateHandle;
  /** Makes a state of tensors with more rows, all of which are drawn as by createState() before those that exist are copied. */
  growTensors(tensors: readonly GrownTensor[], seed: number): Promise<StateHandle>;
  /** Averages states of the same names in the same order: see src/state/edit.h. */
  averageStates(states: readonly StateHandle[]): Promise<StateHandle>;
  /** Copies the tensors of a state to their places in storages: see src/state/lay_out.h. */
  layOut(state: StateHandle, plan: LayoutPlan): Promise<Layout>;
  disposeState(state: StateHandle): void;

  makeDataset(plan: DatasetPlan): Promise<DatasetHandle>;
  datasetInfo(dataset: DatasetHandle): DatasetInfo;
  /** Copies `count` samples starting at `first`, without transforms. */
  datasetSamples(dataset: DatasetHandle, first: number, count: number): NativeSamples;
  /** See src/datasets/target_counts.h. */
  countClasses(dataset: DatasetHandle, classes: number, ignored: number): Promise<Float64Array>;
  countPositives(dataset: DatasetHandle): Promise<{ counts: Float64Array; each: number }>;
  disposeDataset(dataset: DatasetHandle): void;

  makeBatches(plan: BatchesPlan): BatchesHandle;
  /** One call at a time. Resolves with undefined after the last batch. */
  nextBatch(batches: BatchesHandle): Promise<NativeBatch | undefined>;
  disposeBatches(batches: BatchesHandle): void;

  train(plan: TrainPlan, onEvents: (events: (NativeEvent | NativeSnapshot)[]) => void): Job<NativeTraining>;
  makeVerdicts(): VerdictsHandle;
  /** Answers the validation that was reported last. */
  giveVerdict(verdicts: VerdictsHandle, verdict: Verdict): void;
  /** Returns the rates of each step of a plan, [step, group], and the groups and the state at the end. NaN: the group has no such rate. */
  scheduledRates(plan: RatesPlan): Promise<NativeRates>;
  /** Begins a program without nodes. `constants`: the elements of those that it has, if any. */
  beginProgram(program: Program, constants: StateHandle | null): ProgramDraftHandle;
  addNodes(draft: ProgramDraftHandle, nodes: readonly ProgramNode[]): void;
  /** Rejects if the program uses an operator that is neither allowed by default nor in `allow`. */
  finishProgram(draft: ProgramDraftHandle, allow: readonly string[]): Promise<ProgramHandle>;
  evaluate(plan: EvaluatePlan): Job<NativeEvaluation>;
  predict(plan: PredictPlan): Job<NativePrediction>;
  /** Makes the native side of an online learner. A call before the previous one has ended throws ERR_BUSY. */
  makeLearner(plan: LearnerPlan): Promise<LearnerHandle>;
  learnerUpdate(learner: LearnerHandle, plan: UpdatePlan): Promise<NativeUpdate>;
  learnerState(learner: LearnerHandle): Promise<NativeLearnerState>;
  learnerWeights(learner: LearnerHandle): Promise<StateHandle>;
  learnerReplaceWeights(learner: LearnerHandle, state: StateHandle): Promise<void>;
  learnerClearReplay(learner: LearnerHandle): Promise<void>;
  disposeLearner(learner: LearnerHandle): void;

  /** CRC-32C of the concatenated buffers. */
  crc32c(buffers: readonly Uint8Array[]): number;
  /** Locks a file, which is created if necessary, until it is unlocked or the process ends. Throws ERR_BUSY with its content. */
  lockFile(path: string, owner: string): LockHandle;
  unlockFile(lock: LockHandle): void;

  /** Ends all jobs of this thread and prevents new ones: for the end of the process. */
  stopJobs(): void;
}

let loaded: Native | undefined;

/** Returns the addon. It is loaded with libtorch on first use, so that importing this library costs nothing. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  loadLibtorch();
  const addon = openAddon('torch_incremental') as Native;
  // A clean-up hook ends a worker's jobs; in the main thread process.exit() runs no such hook.
  if (isMainThread) process.once('exit', () => addon.stopJobs());
  return addon;
}
