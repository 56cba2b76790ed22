// Inception v3 (Szegedy et al. 2016): torchvision/models/inception.py.
import { isBoolean } from '../../core/checks';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { dropout } from '../../layers/dropout';
import { linear } from '../../layers/linear';
import { maxPool2d } from '../../layers/pooling';
import { type Model, type Module, node, value } from '../../program/module';
import { flattenedInto, isShare, onlyInTraining, truncatedOf } from './blocks';
import { basicConv, inceptionA, inceptionB, inceptionC, inceptionD, inceptionE, transformed } from './inception-blocks';
import {
  architectureOptions,
  type Children,
  type ClassifierOptions,
  calls,
  drawnAgain,
  imageModel,
  tree,
} from './tree';

/** Options of {@link inceptionV3}, those of torchvision. */
export interface InceptionOptions extends ClassifierOptions {
  /**
   * Whether another classifier is trained with the output `aux`, which evaluation does not compute; it takes images of at least 299 pixels.
   * Default: true.
   */
  auxLogits?: boolean;
  /** Whether inputs that were normalised as torchvision does are changed to −1 … 1. Default: false. */
  transformInput?: boolean;
  /** Whether weights are drawn from a truncated normal distribution, instead of as each layer does by itself. Default: true. */
  initWeights?: boolean;
  /** Probability of the dropout before the last layer. Default: 0.5. */
  dropout?: number;
}

function auxiliary(from: number, numClasses: number): Module {
  const children: Children = [
    ['conv0', basicConv(from, 128, 1)],
    ['conv1', basicConv(128, 768, 5)],
    ['fc', linear(768, numClasses)],
  ];
  const whole = tree('InceptionAux', children, [
    node('avg_pool2d', '', { self: value('input'), kernel_size: [5, 5], stride: [3, 3] }, 'means'),
    ...calls(['conv0', 'conv1'], 'means', 'features'),
    node('adaptive_avg_pool2d', '', { self: value('features'), output_size: [1, 1] }, 'pooled'),
    ...flattenedInto('fc', 'pooled'),
  ]);
  return onlyInTraining(whole);
}

/**
 * Inception v3 for images of at least 75 pixels. As torchvision's `inception_v3`: while it is trained it has the outputs `output` and `aux`.
 *
 * @example
 * ```ts
 * const model = getModel('inception_v3', { numClasses: 10, auxLogits: false });
 * ```
 */
export function inceptionV3(options: InceptionOptions = {}): Model {
  const checks = { auxLogits: isBoolean, transformInput: isBoolean, initWeights: isBoolean, dropout: isShare };
  const given = architectureOptions('inception_v3', options, checks);
  const { numClasses, auxLogits = true, transformInput = false, initWeights = true, dropout: p = 0.5 } = given;
  const early: Children = [
    ['Conv2d_1a_3x3', basicConv(3, 32, 3, { stride: 2 })],
    ['Conv2d_2a_3x3', basicConv(32, 32, 3)],
    ['Conv2d_2b_3x3', basicConv(32, 64, 3, { padding: 1 })],
    ['maxpool1', maxPool2d(3, { stride: 2 })],
    ['Conv2d_3b_1x1', basicConv(64, 80, 1)],
    ['Conv2d_4a_3x3', basicConv(80, 192, 3)],
    ['maxpool2', maxPool2d(3, { stride: 2 })],
    ['Mixed_5b', inceptionA(192, 32)],
    ['Mixed_5c', inceptionA(256, 64)],
    ['Mixed_5d', inceptionA(288, 64)],
    ['Mixed_6a', inceptionB(288)],
    ['Mixed_6b', inceptionC(768, 128)],
    ['Mixed_6c', inceptionC(768, 160)],
    ['Mixed_6d', inceptionC(768, 160)],
    ['Mixed_6e', inceptionC(768, 192)],
  ];
  const late: Children = [
    ['Mixed_7a', inceptionD(768)],
    ['Mixed_7b', inceptionE(1280)],
    ['Mixed_7c', inceptionE(2048)],
    ['avgpool', adaptiveAvgPool2d(1)],
    ['dropout', dropout(p)],
  ];
  const children: Children = [
    ...early,
    ...(auxLogits ? [['AuxLogits', auxiliary(768, numClasses)] as const] : []),
    ...late,
    ['fc', linear(2048, numClasses)],
  ];
  const names = (some: Children) => some.map(([name]) => name);
  const root = tree('Inception3', children, [
    ...(transformInput ? transformed('images') : []),
    ...calls(names(early), transformInput ? 'images' : 'input', 'features'),
    ...(auxLogits ? calls(['AuxLogits'], 'features', 'aux') : []),
    ...calls(names(late), 'features', 'dropped'),
    ...flattenedInto('fc', 'dropped'),
  ]);
  // AuxLogits.conv1 has a deviation too, which torchvision does not read: it looks for those of convolutions.
  const draws = drawnAgain(root, (module, path) => truncatedOf(module, path === 'AuxLogits.fc' ? 0.001 : 0.1));
  return imageModel('inception_v3', root, initWeights ? draws : [], auxLogits ? ['output', 'aux'] : ['output']);
}

export const inceptions = { inception_v3: inceptionV3 };
