// VGG (Simonyan and Zisserman 2015): torchvision/models/vgg.py.

import { isBoolean } from '../../core/checks';
import { relu } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain, type Layer } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { normal } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import { maxPool2d } from '../../layers/pooling';
import type { Model } from '../../program/module';
import { flattenedInto, isShare, mobileDraws } from './blocks';
import { architectureOptions, type ClassifierOptions, calls, imageModel, tree } from './tree';

/** Options of the VGGs, those of torchvision. */
export interface VggOptions extends ClassifierOptions {
  /** Whether weights are drawn as in the article, instead of as each layer does by itself. Default: true. */
  initWeights?: boolean;
  /** Probability of the dropouts in the classifier. Default: 0.5. */
  dropout?: number;
}

/** Channels of the convolutions of each stage, which end with a pool. */
const stages = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  13: [
    [64, 64],
    [128, 128],
    [256, 256],
    [512, 512],
    [512, 512],
  ],
  16: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
  19: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
} as const;

function vgg(name: string, depth: keyof typeof stages, hasNorms: boolean, options: VggOptions): Model {
  const given = architectureOptions(name, options, { initWeights: isBoolean, dropout: isShare });
  const { numClasses, initWeights = true, dropout: p = 0.5 } = given;
  let from = 3;
  const features = stages[depth].flatMap((stage): Layer[] => [
    ...stage.flatMap((to) => {
      const conv = conv2d(from, to, 3, { padding: 1 });
      from = to;
      return hasNorms ? [conv, batchNorm2d(to), relu()] : [conv, relu()];
    }),
    maxPool2d(2, { stride: 2 }),
  ]);
  const classifier = [
    ...[linear(512 * 7 * 7, 4096), relu(), dropout(p)],
    ...[linear(4096, 4096), relu(), dropout(p)],
    linear(4096, numClasses),
  ];
  const root = tree(
    'VGG',
    [
      ['features', chain(features)],
      ['avgpool', adaptiveAvgPool2d(7)],
      ['classifier', chain(classifier)],
    ],
    [...calls(['features', 'avgpool'], 'input', 'pooled'), ...flattenedInto('classifier', 'pooled')],
  );
  return imageModel(name, root, initWeights ? mobileDraws(root, () => normal(0.01)) : []);
}

const made =
  (name: string, depth: keyof typeof stages, hasNorms = false) =>
  (options: VggOptions = {}) =>
    vgg(name, depth, hasNorms, options);

export const vggs = {
  vgg11: made('vgg11', 11),
  vgg11_bn: made('vgg11_bn', 11, true),
  vgg13: made('vgg13', 13),
  vgg13_bn: made('vgg13_bn', 13, true),
  vgg16: made('vgg16', 16),
  vgg16_bn: made('vgg16_bn', 16, true),
  vgg19: made('vgg19', 19),
  vgg19_bn: made('vgg19_bn', 19, true),
};
