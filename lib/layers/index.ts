// The list of layers. A new one is a file here and a line in the list; its value is a Module, which names its class in torch.nn.
import { relu } from './activations';
import { multiheadAttention } from './attention';
import { batchNorm2d } from './batch-norm2d';
import { residual } from './containers';
import { conv2d } from './conv2d';
import { dropout } from './dropout';
import { embedding, embeddingBag } from './embedding';
import { linear } from './linear';
import { firstStep, lastStep, maxOverTime, meanOverTime } from './over-time';
import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from './pool2d';
import { positionalEncoding } from './positional-encoding';
import { gru, lstm, rnn } from './recurrent';
import { flatten, identity } from './shape';
import { transformerDecoderLayer, transformerEncoderLayer } from './transformer';
import { transformerDecoder, transformerEncoder } from './transformer-stack';

export const layers = Object.freeze({
  adaptiveAvgPool2d,
  avgPool2d,
  batchNorm2d,
  conv2d,
  dropout,
  embedding,
  embeddingBag,
  firstStep,
  flatten,
  gru,
  identity,
  lastStep,
  linear,
  lstm,
  maxPool2d,
  meanOverTime,
  maxOverTime,
  multiheadAttention,
  positionalEncoding,
  relu,
  residual,
  rnn,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
});
