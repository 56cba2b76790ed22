// SqueezeNet (Iandola et al. 2016): torchvision/models/squeezenet.py.

import { relu } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { chain } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { normal } from '../../layers/initialisers';
import { maxPool2d } from '../../layers/pooling';
import { type Initialiser, type Model, type Module, node, value } from '../../program/module';
import { isShare, weightsAndZeros } from './blocks';
import { architectureOptions, type ClassifierOptions, calls, drawnAgain, imageModel, shapeOf, tree } from './tree';

/** Options of the SqueezeNets, those of torchvision. */
export interface SqueezeNetOptions extends ClassifierOptions {
  /** Probability of the dropout before the last convolution. Default: 0.5. */
  dropout?: number;
}

function fire(from: number, squeezed: number, expanded: number): Module {
  return tree(
    'Fire',
    [
      ['squeeze', conv2d(from, squeezed, 1)],
      ['squeeze_activation', relu()],
      ['expand1x1', conv2d(squeezed, expanded, 1)],
      ['expand1x1_activation', relu()],
      ['expand3x3', conv2d(squeezed, expanded, 3, { padding: 1 })],
      ['expand3x3_activation', relu()],
    ],
    [
      ...calls(['squeeze', 'squeeze_activation'], 'input', 'few'),
      ...calls(['expand1x1', 'expand1x1_activation'], 'few', 'near'),
      ...calls(['expand3x3', 'expand3x3_activation'], 'few', 'wide'),
      node('cat', '', { tensors: [value('near'), value('wide')], dim: 1 }),
    ],
  );
}

const pool = () => maxPool2d(3, { stride: 2, ceilMode: true });

const features = {
  squeezenet1_0: () => [
    ...[conv2d(3, 96, 7, { stride: 2 }), relu(), pool()],
    ...[fire(96, 16, 64), fire(128, 16, 64), fire(128, 32, 128), pool()],
    ...[fire(256, 32, 128), fire(256, 48, 192), fire(384, 48, 192), fire(384, 64, 256), pool()],
    fire(512, 64, 256),
  ],
  squeezenet1_1: () => [
    ...[conv2d(3, 64, 3, { stride: 2 }), relu(), pool()],
    ...[fire(64, 16, 64), fire(128, 16, 64), pool()],
    ...[fire(128, 32, 128), fire(256, 32, 128), pool()],
    ...[fire(256, 48, 192), fire(384, 48, 192), fire(384, 64, 256), fire(512, 64, 256)],
  ],
};

/** `kaiming_uniform_(weight)` (He et al. 2015, eq. 10). */
function kaimingUniform([, ...taken]: readonly number[]): Initialiser {
  const fan = taken.reduce((product, size) => product * size, 1);
  return { kind: 'uniform', bound: Math.sqrt(3) * (Math.sqrt(2) / Math.sqrt(fan)) };
}

function squeezenet(name: keyof typeof features, options: SqueezeNetOptions): Model {
  const { numClasses, dropout: p = 0.5 } = architectureOptions(name, options, { dropout: isShare });
  const classifier = chain([dropout(p), conv2d(512, numClasses, 1), relu(), adaptiveAvgPool2d(1)]);
  const root = tree(
    'SqueezeNet',
    [
      ['features', chain(features[name]())],
      ['classifier', classifier],
    ],
    [
      ...calls(['features', 'classifier'], 'input', 'pooled'),
      node('flatten', 'using_ints', { self: value('pooled'), start_dim: 1 }),
    ],
  );
  const draws = drawnAgain(root, (module, path) => {
    if (module.type !== 'Conv2d') return {};
    const weight = path === 'classifier.1' ? normal(0.01) : kaimingUniform(shapeOf(module, 'weight'));
    return weightsAndZeros(module, weight);
  });
  return imageModel(name, root, draws);
}

export const squeezenets = {
  squeezenet1_0: (options: SqueezeNetOptions = {}) => squeezenet('squeezenet1_0', options),
  squeezenet1_1: (options: SqueezeNetOptions = {}) => squeezenet('squeezenet1_1', options),
};
