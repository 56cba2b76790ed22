// Public exports of the layers.
export {
  celu,
  elu,
  type GeluOptions,
  gelu,
  type HardtanhOptions,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  type PreluOptions,
  prelu,
  type RreluOptions,
  relu,
  relu6,
  rrelu,
  selu,
  sigmoid,
  silu,
  tanh,
} from './activations';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  type OutputSize,
} from './adaptive-pooling';
export { type MultiheadAttentionOptions, multiheadAttention } from './attention';
export { type BatchNormOptions, batchNorm1d, batchNorm2d, batchNorm3d } from './batch-norm';
export {
  type ConcatenateOptions,
  concatenate,
  type Layer,
  type Layers,
  type NamedLayer,
  type ResidualOptions,
  residual,
} from './containers';
export { type ConvOptions, conv1d, conv2d, conv3d } from './convolution';
export { alphaDropout, dropout, dropout1d, dropout2d, dropout3d, featureAlphaDropout } from './dropout';
export { type EmbeddingBagOptions, type EmbeddingOptions, embedding, embeddingBag } from './embedding';
export { type BilinearOptions, bilinear, type LinearOptions, linear } from './linear';
export { type LocalResponseNormOptions, localResponseNorm } from './local-response-norm';
export {
  type GroupNormOptions,
  groupNorm,
  type InstanceNormOptions,
  instanceNorm1d,
  instanceNorm2d,
  instanceNorm3d,
  type LayerNormOptions,
  layerNorm,
  type RmsNormOptions,
  rmsNorm,
} from './norms';
export { firstStep, lastStep, maxOverTime, meanOverTime, type OverTimeOptions } from './over-time';
export {
  circularPad1d,
  circularPad2d,
  circularPad3d,
  constantPad1d,
  constantPad2d,
  constantPad3d,
  type Padding,
  reflectionPad1d,
  reflectionPad2d,
  reflectionPad3d,
  replicationPad1d,
  replicationPad2d,
  replicationPad3d,
  zeroPad1d,
  zeroPad2d,
  zeroPad3d,
} from './padding';
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type LpPoolOptions,
  lpPool1d,
  lpPool2d,
  lpPool3d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from './pooling';
export { type PositionalEncodingOptions, positionalEncoding } from './positional-encoding';
export { gru, type LstmOptions, lstm, type RecurrentOptions, type RnnOptions, rnn } from './recurrent';
export {
  channelShuffle,
  type FoldOptions,
  fold,
  pixelShuffle,
  pixelUnshuffle,
  type UpsampleOptions,
  unfold,
  upsample,
} from './resize';
export { flatten, identity, unflatten } from './shape';
export { hardshrink, type SoftplusOptions, softplus, softshrink, softsign, tanhshrink, threshold } from './shrinking';
export type { Sizes } from './sizes';
export { glu, logSoftmax, softmax, softmax2d, softmin } from './softmax';
export {
  type TransformerDecoderLayerOptions,
  type TransformerEncoderLayerOptions,
  transformerDecoderLayer,
  transformerEncoderLayer,
} from './transformer';
export { type TransformerOptions, transformerDecoder, transformerEncoder } from './transformer-stack';
export { type ConvTransposeOptions, convTranspose1d, convTranspose2d, convTranspose3d } from './transposed-convolution';
