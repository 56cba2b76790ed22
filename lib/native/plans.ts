// The plans that lib/ hands to the addon: plain values, every default filled in, every option checked. C++ checks them
// again where memory depends on them.

import type { Average } from '../averages';
import type { InputForm, TargetForm, TargetValues, Values } from '../core/sample-values';
import type { LossPlan } from '../losses/plan';
import type { Sums } from '../metrics/sums';
import type { OptimizerGroup } from '../optimizers/parameter-groups';
import type { Scheduler } from '../schedulers';
import type { Transform } from '../transforms';
import type { DatasetHandle, ProgramHandle, StateHandle, VerdictsHandle } from './handles';
import type { GroupRates, SchedulerState } from './rates';
import type { TensorRef } from './state-plans';

/** Values of one input of all samples, one sample after the other. */
export interface InputPlan {
  name: string;
  data: Values;
  /** Of one sample. */
  shape: readonly number[];
}

/** One list for each input of the samples, in their order. */
export type TransformsPlan = readonly (readonly Transform[])[];

export type DatasetPlan =
  /** Files of fixed records, read in order. */
  | {
      kind: 'records';
      /** Each record is a uint8 input of this name, and a class. */
      name: string;
      files: {
        /** For messages. */
        path: string;
        /** As in a ReadPlan. */
        descriptor: number;
        /** Size of the file when it was checked: one that has changed since is refused. */
        bytes: number;
        /** Where the records start, and how many there are. */
        offset: number;
        count: number;
        /** Labels for files that hold images only; absent when byte 0 of each record is the label. */
        labels?: Int32Array;
      }[];
      shape: number[];
      classes: number;
    }
  | {
      kind: 'arrays';
      inputs: InputPlan[];
      target: TargetForm;
      /** Empty if the kind of the target is `none`. */
      targets: TargetValues;
      classes: number;
    }
  /** Samples start … end-1 of another set, sharing its memory. */
  | { kind: 'subset'; of: DatasetHandle; start: number; end: number };

/** The order of samples, and their random numbers: see src/batches/batches.h. */
interface LoaderPlan {
  batchSize: number;
  epochs: number;
  shuffle: boolean;
  dropLast: boolean;
  workers: number;
  seed: number;
}

/** A run through a data set without a model. */
export interface BatchesPlan extends LoaderPlan {
  dataset: DatasetHandle;
  transforms: TransformsPlan;
  /** Makes batches in the memory layout of fast mode; only for tests. */
  channelsLast?: boolean;
  /** Device that makes the batches, as in a RunPlan. Default: the transforms for the CPU. Only for tests. */
  device?: string;
}

/** A forward pass over a data set. */
export interface RunPlan {
  program: ProgramHandle;
  state: StateHandle;
  dataset: DatasetHandle;
  /** For each input of the program, the index of the samples' input that it gets. */
  order: readonly number[];
  transforms: TransformsPlan;
  batchSize: number;
  threads: number;
  /** 'cpu', 'cuda:0', … */
  device: string;
}

/** A forward pass over a data set, the loss of its outputs, and the sums of metrics. */
export interface EvaluatePlan extends RunPlan {
  loss: LossPlan;
  sums: readonly Sums[];
}

/** A forward pass over samples in memory. */
export interface PredictPlan extends Omit<RunPlan, 'dataset'> {
  /** The index of the program's output that is returned. */
  output: number;
  inputs: readonly InputPlan[];
}

export interface TrainPlan extends RunPlan, LoaderPlan {
  /** Names of the state that training returns, in state-dict order. */
  names: readonly string[];
  groups: readonly OptimizerGroup[];
  /** Moves the rates of all groups. */
  scheduler?: Scheduler;
  loss: LossPlan;
  mode: 'exact' | 'fast';
  /** 'bf16' in fast mode only. */
  precision: 'fp32' | 'bf16';
  contractLinear: boolean;
  /** Of the threads that compute. */
  niceness: number;
  logEvery: number;
  /** Batches of a step. */
  accumulate: number;
  /** 0: any. */
  maxGradientNorm: number;
  maxGradientValue: number;
  average?: Average | undefined;
  validation?: ValidationPlan | undefined;
  /** 0: as many as the epochs have. */
  maxSteps: number;
  maxSeconds: number;
  /** Where to begin; absent: at the beginning. */
  start?: TrainStart;
  /** On the CPU, 'device' runs the loop for devices there; only tests ask for it. */
  loop?: 'device';
  /** Steps between two snapshots; 0: one at the end of every epoch; -1: none. */
  snapshotEvery: number;
}

/** Of a training: a forward pass with its weights after every so many epochs. */
export interface ValidationPlan extends Pick<EvaluatePlan, 'program' | 'dataset' | 'order' | 'transforms' | 'sums'> {
  every: number;
  verdicts: VerdictsHandle;
}

/** See src/online/learner.h. */
export interface LearnerPlan extends Omit<RunPlan, 'dataset' | 'batchSize' | 'device'> {
  names: readonly string[];
  /** For scoring, without random ones; `transforms` are for learning. */
  scoring: TransformsPlan;
  inputs: readonly InputForm[];
  /** Not `none`. */
  target: TargetForm;
  classes: number;
  groups: readonly OptimizerGroup[];
  loss: LossPlan;
  /** 0: no limit. */
  maxGradientNorm: number;
  average?: Average | undefined;
  mode: 'exact' | 'fast';
  precision: 'fp32' | 'bf16';
  contractLinear: boolean;
  replay: { policy: 'reservoir' | 'classBalanced'; capacity: number; perUpdate: number };
  seed: number;
  niceness: number;
  /** A NativeLearnerState to resume from; `state` is then its model. */
  start?: Pick<TrainStart, 'random' | 'slots' | 'average' | 'averaged'> & {
    /** In the order of NativeLearnerState.replay. */
    replay: TensorRef[];
  };
}

/** New samples for a learner to score and learn. */
export interface UpdatePlan {
  /** Number of the rules that the update is computed by: see src/online/learner.h. */
  rules: number;
  /** One array for each input of the learner's plan, in its order. */
  inputs: readonly Values[];
  targets: TargetValues;
  /** The version that scores them. Missing: the weights that learn score them. */
  served?: StateHandle;
  /** Number of samples from the replay buffer that are learned with them. */
  replayed: number;
  /** Multiplies the learning rates. */
  rate: number;
  /** Whether the new samples are added to the buffer. */
  keep: boolean;
}

/** What an optimizer remembers of one parameter, by torch.optim's names; empty before its first step. */
export type Slots = Record<string, TensorRef | number>;

/** Position of a run between two steps. See src/train/snapshot.h. */
export interface Position {
  /** Completed epochs. */
  epoch: number;
  /** Completed steps of the current epoch, and their sums. */
  step: number;
  lossSum: number;
  samples: number;
  seconds: number;
}

export interface TrainStart extends Position {
  /** The generator before the next batch is drawn, and before the current epoch; null: as seeded. */
  random: TensorRef | null;
  epochRandom: TensorRef | null;
  /** In the order of the program's parameters; or empty. */
  slots: Slots[];
  /** The average of each parameter, or empty; and of how many weights it is. */
  average: TensorRef[];
  averaged: number;
  /** The best state so far, by name. */
  best?: Readonly<Record<string, TensorRef>> | undefined;
  /** The state of the scheduler, and the rates of the groups then; absent: it begins. */
  scheduler?: SchedulerState;
  rates?: readonly GroupRates[];
}
