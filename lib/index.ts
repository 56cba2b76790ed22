// Every public name. index.mts is the same list for `import`.
export type { Average } from './averages';
export { type Ema, type EmaOptions, ema } from './averages/ema';
export { type Swa, type SwaOptions, swa } from './averages/swa';
export { Opaque, OrderedDict, TensorValue, Tuple, type Value } from './checkpoint/values';
export { type ErrorCode, errorCodes, LearnError } from './core/errors';
export type { Patterns } from './core/patterns';
export type {
  InputForm,
  NamedValues,
  SampleForm,
  TargetForm,
  TargetKind,
  TargetValues,
  Values,
  ValueType,
} from './core/sample-values';
export { type Dataset, subset } from './datasets';
export { type Arrays, arrays, type InputData, type NamedInputs, type OneInput } from './datasets/arrays';
export { type Batch, type BatchesOptions, batches } from './datasets/batches';
export { cifar10, downloadCifar10 } from './datasets/cifar10/cifar10';
export {
  type ClassWeightsOptions,
  classWeights,
  type PosWeightsOptions,
  posWeights,
} from './datasets/class-weights';
export type { TargetData } from './datasets/targets';
export type { Detector } from './detectors';
export { type Adwin, type AdwinOptions, adwin } from './detectors/adwin';
export { type Ddm, type DdmOptions, ddm } from './detectors/ddm';
export { type Eddm, type EddmOptions, eddm } from './detectors/eddm';
export { type Kswin, type KswinOptions, kswin } from './detectors/kswin';
export { type PageHinkley, type PageHinkleyOptions, pageHinkley } from './detectors/page-hinkley';
export type { DownloadProgress } from './download/fetch-file';
export { relu } from './layers/activations';
export { type MultiheadAttentionOptions, multiheadAttention } from './layers/attention';
export { type BatchNorm2dOptions, batchNorm2d } from './layers/batch-norm2d';
export { type Layers, type NamedLayer, type ResidualOptions, residual } from './layers/containers';
export { type Conv2dOptions, conv2d } from './layers/conv2d';
export { dropout } from './layers/dropout';
export { type EmbeddingBagOptions, type EmbeddingOptions, embedding, embeddingBag } from './layers/embedding';
export { type LinearOptions, linear } from './layers/linear';
export { firstStep, lastStep, maxOverTime, meanOverTime, type OverTimeOptions } from './layers/over-time';
export { adaptiveAvgPool2d, avgPool2d, maxPool2d, type PoolOptions } from './layers/pool2d';
export { type PositionalEncodingOptions, positionalEncoding } from './layers/positional-encoding';
export { gru, type LstmOptions, lstm, type RecurrentOptions, type RnnOptions, rnn } from './layers/recurrent';
export { flatten, identity } from './layers/shape';
export {
  type TransformerDecoderLayerOptions,
  type TransformerEncoderLayerOptions,
  transformerDecoderLayer,
  transformerEncoderLayer,
} from './layers/transformer';
export { type TransformerOptions, transformerDecoder, transformerEncoder } from './layers/transformer-stack';
export { type LibtorchAttempt, LibtorchError } from './libtorch/error';
export type { EpochEvent, EpochSummary, StepEvent, TrainEvent, ValidationResult } from './loggers/events';
export type { Loss, LossOption } from './losses';
export { type BceWithLogitsLoss, type BceWithLogitsLossOptions, bceWithLogitsLoss } from './losses/bce-with-logits';
export {
  type CosineEmbeddingLoss,
  type CosineEmbeddingLossOptions,
  cosineEmbeddingLoss,
} from './losses/cosine-embedding';
export { type CrossEntropyLoss, type CrossEntropyLossOptions, crossEntropyLoss } from './losses/cross-entropy';
export { type CustomLoss, type CustomLossOptions, customLoss } from './losses/custom';
export type { LossConstant, LossOutput, LossTarget, OutputName } from './losses/fragment';
export { type GaussianNLLLoss, type GaussianNLLLossOptions, gaussianNLLLoss } from './losses/gaussian-nll';
export { type HuberLoss, type HuberLossOptions, huberLoss } from './losses/huber';
export { type KlDivLoss, type KlDivLossOptions, klDivLoss } from './losses/kl-div';
export { type L1Loss, type L1LossOptions, l1Loss } from './losses/l1';
export { type MarginRankingLoss, type MarginRankingLossOptions, marginRankingLoss } from './losses/margin-ranking';
export { type ModelLoss, type ModelLossOptions, modelLoss } from './losses/model';
export { type MseLoss, type MseLossOptions, mseLoss } from './losses/mse';
export { type NllLoss, type NllLossOptions, nllLoss } from './losses/nll';
export { type PoissonNLLLoss, type PoissonNLLLossOptions, poissonNLLLoss } from './losses/poisson-nll';
export { type SmoothL1Loss, type SmoothL1LossOptions, smoothL1Loss } from './losses/smooth-l1';
export { type TripletMarginLoss, type TripletMarginLossOptions, tripletMarginLoss } from './losses/triplet-margin';
export type { Metric, MetricResults } from './metrics';
export { type Accuracy, accuracy } from './metrics/accuracy';
export { type Auroc, auroc } from './metrics/auroc';
export { type AveragePrecision, averagePrecision } from './metrics/average-precision';
export { type BrierScore, brierScore } from './metrics/brier-score';
export type { AverageOptions } from './metrics/class-averages';
export { type CohenKappa, cohenKappa } from './metrics/cohen-kappa';
export { type ConfusionMatrix, confusionMatrix } from './metrics/confusion-matrix';
export {
  type ExpectedCalibrationError,
  type ExpectedCalibrationErrorOptions,
  expectedCalibrationError,
} from './metrics/expected-calibration-error';
export { type F1Score, f1Score } from './metrics/f1-score';
export { type LogLoss, logLoss } from './metrics/log-loss';
export { type MeanAbsoluteError, meanAbsoluteError } from './metrics/mean-absolute-error';
export { type MeanSquaredError, meanSquaredError } from './metrics/mean-squared-error';
export type { MetricResult } from './metrics/metric';
export { type PerClassAccuracy, perClassAccuracy } from './metrics/per-class-accuracy';
export { type Precision, precision } from './metrics/precision';
export type { Measure, PrequentialMetrics } from './metrics/prequential';
export { type R2Score, r2Score } from './metrics/r2-score';
export { type Recall, recall } from './metrics/recall';
export { type RootMeanSquaredError, rootMeanSquaredError } from './metrics/root-mean-squared-error';
export type { ThresholdOptions } from './metrics/thresholds';
export { type TopKAccuracy, type TopKAccuracyOptions, topKAccuracy } from './metrics/top-k-accuracy';
export { type SequentialOptions, sequential } from './models/sequential';
export { net } from './models/zoo/net';
export type { CpuInfo, CudaInfo, Device, DeviceInfo, Threads } from './native/device';
export type { DriftAnswer } from './online/drift-answers';
export type { DriftEvent, LearnerEvents, QuarantineEvent, RefusedEvent } from './online/events';
export type { FeedbackMetrics } from './online/feedback/store';
export type { SampleCounts } from './online/intake/accounts';
export type { LearnResult } from './online/intake/queue';
export type { Samples } from './online/intake/samples';
export type { SampleSource, StreamOptions } from './online/intake/stream';
export type { LearnFromOptions, LearnFromResult } from './online/learn-from';
export { type LearnerMetrics, type LearnerPrediction, OnlineLearner } from './online/learner';
export type {
  DriftOptions,
  FeedbackOptions,
  GateOptions,
  JournalOptions,
  LearnerOptions,
  ReplayOptions,
  Sync,
} from './online/options';
export type { Reason, ReasonCode } from './online/reasons';
export { type Reproduction, reproduceVersion } from './online/recovery/reproduce';
export { type RepairOptions, repairLearner } from './online/repair/repair';
export type { JournalLoss, QuarantineDamage, RepairReport } from './online/repair/report';
export type { InputOptions, TargetOptions } from './online/sample-form';
export type { SampleId } from './online/seen-ids';
export type { ServedVersion } from './online/versions/served';
export type { VersionInfo } from './online/versions/version';
export type { Optimizer } from './optimizers';
export { type Adadelta, type AdadeltaOptions, adadelta } from './optimizers/adadelta';
export { type Adafactor, type AdafactorOptions, adafactor } from './optimizers/adafactor';
export { type Adagrad, type AdagradOptions, adagrad } from './optimizers/adagrad';
export { type Adam, type AdamOptions, adam } from './optimizers/adam';
export { type AdamW, type AdamWOptions, adamW } from './optimizers/adam-w';
export { type Adamax, type AdamaxOptions, adamax } from './optimizers/adamax';
export { type Asgd, type AsgdOptions, asgd } from './optimizers/asgd';
export { type Muon, type MuonOptions, muon } from './optimizers/muon';
export { type NAdam, type NAdamOptions, nAdam } from './optimizers/n-adam';
export type { OptimizerOptions, ParameterGroup } from './optimizers/parameter-groups';
export { type RAdam, type RAdamOptions, rAdam } from './optimizers/r-adam';
export { type Rmsprop, type RmspropOptions, rmsprop } from './optimizers/rmsprop';
export { type Rprop, type RpropOptions, rprop } from './optimizers/rprop';
export { type Sgd, type SgdOptions, sgd } from './optimizers/sgd';
export {
  type Draw,
  type Initialiser,
  leaf,
  type Model,
  type Module,
  type ModuleCall,
  type ModuleTensor,
  modelInput,
  node,
  value,
} from './program/module';
export type { Argument, Program, ProgramInput, ProgramNode, ProgramTensor, ValueRef } from './program/program';
export { type LoadedModel, type LoadModelOptions, loadModel } from './pt2/load-model';
export { type SavedModel, saveModel } from './pt2/save-model';
export type { Scheduler } from './schedulers';
export { type ChainedScheduler, type ChainedSchedulerOptions, chainedScheduler } from './schedulers/chained-scheduler';
export { type ConstantLR, type ConstantLROptions, constantLR } from './schedulers/constant-lr';
export {
  type CosineAnnealingLR,
  type CosineAnnealingLROptions,
  cosineAnnealingLR,
} from './schedulers/cosine-annealing-lr';
export {
  type CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
  cosineAnnealingWarmRestarts,
} from './schedulers/cosine-annealing-warm-restarts';
export { type CyclicLR, type CyclicLROptions, cyclicLR } from './schedulers/cyclic-lr';
export { type ExponentialLR, type ExponentialLROptions, exponentialLR } from './schedulers/exponential-lr';
export { type LinearLR, type LinearLROptions, linearLR } from './schedulers/linear-lr';
export { type MultiStepLR, type MultiStepLROptions, multiStepLR } from './schedulers/multi-step-lr';
export type { NestedScheduler } from './schedulers/nested';
export { type OneCycleLR, type OneCycleLROptions, oneCycleLR } from './schedulers/one-cycle-lr';
export { type PolynomialLR, type PolynomialLROptions, polynomialLR } from './schedulers/polynomial-lr';
export {
  type ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
  reduceLROnPlateau,
} from './schedulers/reduce-lr-on-plateau';
export { type SequentialLR, type SequentialLROptions, sequentialLR } from './schedulers/sequential-lr';
export { type StepLR, type StepLROptions, stepLR } from './schedulers/step-lr';
export type { Every } from './schedulers/torch-form';
export { type CreateStateOptions, createState } from './state/create';
export { type LoadOptions, loadState } from './state/load';
export { averageStates, merge } from './state/merge';
export { type SaveOptions, saveState } from './state/save';
export { type DType, type NewNames, type NewTensor, State, type StateTensor, type TensorData } from './state/state';
export { type ClassResult, type EvaluateOptions, type Evaluation, evaluate } from './training/evaluate';
export { type ExtendedClasses, type ExtendOptions, extendClasses } from './training/extend-classes';
export type { CheckpointOptions, TrainOptions } from './training/options';
export { type Prediction, type PredictOptions, predict } from './training/predict';
export type { ResumeOptions } from './training/resume-options';
export type { RunOptions } from './training/run';
export { type ScheduledRates, type ScheduledRatesOptions, scheduledRates } from './training/scheduled-rates';
export { type TrainResult, trainEvents, trainIncremental } from './training/train';
export type { ValidationOptions } from './training/validation';
export { cifar10Transforms, type Transform } from './transforms';
export type { Transforms } from './transforms/by-input';
export { centerCrop, randomCrop } from './transforms/crops';
export { randomHorizontalFlip, randomVerticalFlip } from './transforms/flips';
export { normalize, toTensor } from './transforms/normalize';
export { randomRotation } from './transforms/rotation';
