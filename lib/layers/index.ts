// The list of layers. A new one is a file here and a line in the list; its value is a Module, which names its class in torch.nn.
import { relu } from './activations';
import { batchNorm2d } from './batch-norm2d';
import { residual } from './containers';
import { conv2d } from './conv2d';
import { dropout } from './dropout';
import { linear } from './linear';
import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from './pool2d';
import { flatten, identity } from './shape';

export const layers = Object.freeze({
  adaptiveAvgPool2d,
  avgPool2d,
  batchNorm2d,
  conv2d,
  dropout,
  flatten,
  identity,
  linear,
  maxPool2d,
  relu,
  residual,
});
