// GoogLeNet (Szegedy et al. 2015): torchvision/models/googlenet.py.
import { isBoolean } from '../../core/checks';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { chain } from '../../layers/containers';
import { dropout } from '../../layers/dropout';
import { linear } from '../../layers/linear';
import { maxPool2d } from '../../layers/pooling';
import { type Model, type Module, node, value } from '../../program/module';
import { isShare, onlyInTraining, truncatedOf } from './blocks';
import { basicConv, transformed } from './inception-blocks';
import {
  architectureOptions,
  type Children,
  type ClassifierOptions,
  calls,
  drawnAgain,
  imageModel,
  tree,
} from './tree';

/** Options of {@link googlenet}, those of torchvision. */
export interface GoogLeNetOptions extends ClassifierOptions {
  /** Whether two more classifiers are trained with the outputs `aux2` and `aux1`, which evaluation does not compute. Default: true. */
  auxLogits?: boolean;
  /** Whether inputs that were normalised as torchvision does are changed to −1 … 1. Default: false. */
  transformInput?: boolean;
  /** Whether weights are drawn from a truncated normal distribution, instead of as each layer does by itself. Default: true. */
  initWeights?: boolean;
  /** Probability of the dropout before the last layer. Default: 0.2. */
  dropout?: number;
  /** Probability of the dropouts of the further classifiers. Default: 0.7. */
  dropoutAux?: number;
}

function inception(from: number, near: number, [few3, to3]: Two, [few5, to5]: Two, projected: number): Module {
  const branches = ['branch1', 'branch2', 'branch3', 'branch4'];
  const children: Children = [
    ['branch1', basicConv(from, near, 1)],
    ['branch2', chain([basicConv(from, few3, 1), basicConv(few3, to3, 3, { padding: 1 })])],
    // As in torchvision: the article has kernels of 5 pixels.
    ['branch3', chain([basicConv(from, few5, 1), basicConv(few5, to5, 3, { padding: 1 })])],
    ['branch4', chain([maxPool2d(3, { stride: 1, padding: 1, ceilMode: true }), basicConv(from, projected, 1)])],
  ];
  return tree('Inception', children, [
    ...branches.map((module) => ({ module, input: 'input', output: `made/${module}` })),
    node('cat', '', { tensors: branches.map((branch) => value(`made/${branch}`)), dim: 1 }),
  ]);
}

type Two = readonly [number, number];

function auxiliary(from: number, numClasses: number, p: number): Module {
  const children: Children = [
    ['conv', basicConv(from, 128, 1)],
    ['fc1', linear(2048, 1024)],
    ['fc2', linear(1024, numClasses)],
    ['dropout', dropout(p)],
  ];
  const whole = tree('InceptionAux', children, [
    node('adaptive_avg_pool2d', '', { self: value('input'), output_size: [4, 4] }, 'pooled'),
    { module: 'conv', input: 'pooled', output: 'few' },
    node('flatten', 'using_ints', { self: value('few'), start_dim: 1 }, 'flat'),
    { module: 'fc1', input: 'flat', output: 'features' },
    node('relu', '', { self: value('features') }, 'positive'),
    ...calls(['dropout', 'fc2'], 'positive', 'output'),
  ]);
  return onlyInTraining(whole);
}

const checks = {
  ...{ auxLogits: isBoolean, transformInput: isBoolean, initWeights: isBoolean, dropout: isShare, dropoutAux: isShare },
};

/**
 * GoogLeNet. As torchvision's `googlenet`: while it is trained it has the outputs `output`, `aux2` and `aux1`.
 *
 * @example
 * ```ts
 * const model = getModel('googlenet', { numClasses: 10, auxLogits: false });
 * ```
 */
export function googlenet(options: GoogLeNetOptions = {}): Model {
  const given = architectureOptions('googlenet', options, checks);
  const { numClasses, auxLogits = true, transformInput = false, initWeights = true } = given;
  const { dropout: p = 0.2, dropoutAux = 0.7 } = given;
  const pool = (kernel: number) => maxPool2d(kernel, { stride: 2, ceilMode: true });
  const features: Children = [
    ['conv1', basicConv(3, 64, 7, { stride: 2, padding: 3 })],
    ['maxpool1', pool(3)],
    ['conv2', basicConv(64, 64, 1)],
    ['conv3', basicConv(64, 192, 3, { padding: 1 })],
    ['maxpool2', pool(3)],
    ['inception3a', inception(192, 64, [96, 128], [16, 32], 32)],
    ['inception3b', inception(256, 128, [128, 192], [32, 96], 64)],
    ['maxpool3', pool(3)],
    ['inception4a', inception(480, 192, [96, 208], [16, 48], 64)],
    ['inception4b', inception(512, 160, [112, 224], [24, 64], 64)],
    ['inception4c', inception(512, 128, [128, 256], [24, 64], 64)],
    ['inception4d', inception(512, 112, [144, 288], [32, 64], 64)],
    ['inception4e', inception(528, 256, [160, 320], [32, 128], 128)],
    ['maxpool4', pool(2)],
    ['inception5a', inception(832, 256, [160, 320], [32, 128], 128)],
    ['inception5b', inception(832, 384, [192, 384], [48, 128], 128)],
  ];
  const order = features.map(([name]) => name);
  const until4a = order.indexOf('inception4a') + 1;
  const until4d = order.indexOf('inception4d') + 1;
  const children: Children = [
    ...features,
    ...(auxLogits
      ? ([
          ['aux1', auxiliary(512, numClasses, dropoutAux)],
          ['aux2', auxiliary(528, numClasses, dropoutAux)],
        ] as const)
      : []),
    ['avgpool', adaptiveAvgPool2d(1)],
    ['dropout', dropout(p)],
    ['fc', linear(1024, numClasses)],
  ];
  const root = tree('GoogLeNet', children, [
    ...(transformInput ? transformed('images') : []),
    ...calls(order.slice(0, until4a), transformInput ? 'images' : 'input', 'features4a'),
    ...(auxLogits ? calls(['aux1'], 'features4a', 'aux1') : []),
    ...calls(order.slice(until4a, until4d), 'features4a', 'features4d'),
    ...(auxLogits ? calls(['aux2'], 'features4d', 'aux2') : []),
    ...calls([...order.slice(until4d), 'avgpool'], 'features4d', 'pooled'),
    node('flatten', 'using_ints', { self: value('pooled'), start_dim: 1 }, 'flat'),
    ...calls(['dropout', 'fc'], 'flat', 'output'),
  ]);
  const draws = drawnAgain(root, (module) => truncatedOf(module, 0.01));
  return imageModel('googlenet', root, initWeights ? draws : [], auxLogits ? ['output', 'aux2', 'aux1'] : ['output']);
}

export const googlenets = { googlenet };
