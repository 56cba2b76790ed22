// Every public name. index.mts is the same list for `import`.
export { Opaque, OrderedDict, TensorValue, Tuple, type Value } from './checkpoint/values';
export { type CreateStateOptions, createState } from './create-state';
export { type Batch, type BatchesOptions, batches } from './data/batches';
export { downloadCifar10 } from './data/cifar10';
export { arrays, cifar10, type Dataset, subset } from './datasets';
export type { CpuInfo, CudaInfo, Device, DeviceInfo } from './device';
export type { DownloadProgress } from './download/fetch-file';
export { type ErrorCode, errorCodes, LearnError } from './errors';
export {
  type ClassResult,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Prediction,
  type PredictOptions,
  predict,
} from './evaluate';
export { type BatchNorm2dOptions, batchNorm2d } from './layers/batch-norm2d';
export { type Layers, type ResidualOptions, residual } from './layers/containers';
export { type Conv2dOptions, conv2d } from './layers/conv2d';
export { type LinearOptions, linear } from './layers/linear';
export { adaptiveAvgPool2d, avgPool2d, maxPool2d, type PoolOptions } from './layers/pooling';
export { dropout, flatten, identity, relu } from './layers/simple';
export { type LibtorchAttempt, LibtorchError } from './libtorch/error';
export { net } from './models/net';
export { type SequentialOptions, sequential } from './models/sequential';
export type { Model, Module } from './module';
export type { Samples } from './online/admission';
export type { Detector } from './online/detectors';
export { type Adwin, type AdwinOptions, adwin } from './online/detectors/adwin';
export { type Ddm, type DdmOptions, ddm } from './online/detectors/ddm';
export { type Eddm, type EddmOptions, eddm } from './online/detectors/eddm';
export { type Kswin, type KswinOptions, kswin } from './online/detectors/kswin';
export { type PageHinkley, type PageHinkleyOptions, pageHinkley } from './online/detectors/page-hinkley';
export type { SampleId } from './online/ids';
export { type LearnerMetrics, type LearnerPrediction, OnlineLearner, type SampleForm } from './online/learner';
export type {
  DriftOptions,
  FeedbackOptions,
  GateOptions,
  JournalOptions,
  LearnerOptions,
  ReplayOptions,
} from './online/learner-options';
export type { FeedbackMetrics } from './online/pending-store';
export type { PrequentialMetrics } from './online/prequential';
export type { QuarantineDamage } from './online/quarantine-damage';
export type { LearnResult } from './online/queue';
export type { RehearseOptions, RehearseResult } from './online/rehearse';
export { type JournalLoss, type RepairOptions, type RepairReport, repairLearner } from './online/repair';
export { type Reproduction, reproduceVersion } from './online/reproduce';
export type { StreamOptions } from './online/stream';
export type { VersionInfo } from './online/versions';
export type { Program, ProgramNode, ProgramTensor } from './program';
export type { ResumeOptions } from './resume-options';
export { loadState, State, saveState } from './state';
export { type TrainResult, trainEvents, trainIncremental } from './train';
export type { EpochEvent, StepEvent, TrainEvent } from './train-events';
export type { CheckpointOptions, TrainOptions } from './train-options';
export type { EpochSummary } from './training-checkpoint';
export {
  centerCrop,
  normalize,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  randomVerticalFlip,
  seedTransforms,
  type Transform,
  toTensor,
} from './transforms';
