// AlexNet (Krizhevsky 2014): torchvision/models/alexnet.py.
import { relu } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { chain } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { linear } from '../../layers/linear';
import { maxPool2d } from '../../layers/pooling';
import type { Model } from '../../program/module';
import { flattenedInto, isShare } from './blocks';
import { architectureOptions, type ClassifierOptions, calls, imageModel, tree } from './tree';

/** Options of {@link alexnet}, those of torchvision. */
export interface AlexNetOptions extends ClassifierOptions {
  /** Probability of the dropouts in the classifier. Default: 0.5. */
  dropout?: number;
}

/**
 * AlexNet for images of at least 63 pixels. As torchvision's `alexnet`.
 *
 * @example
 * ```ts
 * const model = getModel('alexnet', { numClasses: 10 });
 * ```
 */
export function alexnet(options: AlexNetOptions = {}): Model {
  const { numClasses, dropout: p = 0.5 } = architectureOptions('alexnet', options, { dropout: isShare });
  const features = [
    ...[conv2d(3, 64, 11, { stride: 4, padding: 2 }), relu(), maxPool2d(3, { stride: 2 })],
    ...[conv2d(64, 192, 5, { padding: 2 }), relu(), maxPool2d(3, { stride: 2 })],
    ...[conv2d(192, 384, 3, { padding: 1 }), relu()],
    ...[conv2d(384, 256, 3, { padding: 1 }), relu()],
    ...[conv2d(256, 256, 3, { padding: 1 }), relu(), maxPool2d(3, { stride: 2 })],
  ];
  const classifier = [
    ...[dropout(p), linear(256 * 6 * 6, 4096), relu()],
    ...[dropout(p), linear(4096, 4096), relu()],
    linear(4096, numClasses),
  ];
  const root = tree(
    'AlexNet',
    [
      ['features', chain(features)],
      ['avgpool', adaptiveAvgPool2d(6)],
      ['classifier', chain(classifier)],
    ],
    [...calls(['features', 'avgpool'], 'input', 'pooled'), ...flattenedInto('classifier', 'pooled')],
  );
  return imageModel('alexnet', root, []);
}

export const alexnets = { alexnet };
