// MobileNet V2 (Sandler et al. 2018): torchvision/models/mobilenetv2.py.

import { type Check, invalid, isNumber } from '../../core/checks';
import { relu6 } from '../../layers/activations';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { normal } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import { type Model, type Module, node, value } from '../../program/module';
import { convNorm, divisible, flattenedInto, halfToEven, isCount, isShare, mobileDraws } from './blocks';
import { architectureOptions, type ClassifierOptions, imageModel, tree } from './tree';

/** Options of {@link mobilenetV2}, those of torchvision. */
export interface MobileNetV2Options extends ClassifierOptions {
  /** What numbers of channels are multiplied by. Default: 1. */
  widthMult?: number;
  /** Of each stage: expansion, channels, blocks and stride. Default: those of the article. */
  invertedResidualSetting?: readonly (readonly [number, number, number, number])[];
  /** Numbers of channels are multiples of it. Default: 8. */
  roundNearest?: number;
  /** Probability of the dropout in the classifier. Default: 0.2. */
  dropout?: number;
}

const isSetting: Check = (value, name) => {
  const isStages =
    Array.isArray(value) && value.length > 0 && value.every((stage) => Array.isArray(stage) && stage.length === 4);
  if (!isStages) throw invalid('a list of [expansion, channels, blocks, stride]', name, value);
  value.flat().forEach((number) => {
    isCount(number, name);
  });
  value.forEach(([, , , stride]) => {
    isNumber({ integer: true, min: 1, max: 2 })(stride, name);
  });
};

function invertedResidual(from: number, to: number, stride: number, expansion: number): Module {
  const inner = halfToEven(from * expansion);
  const conv = chain([
    ...(expansion === 1 ? [] : [convNorm(from, inner, { kernel: 1, activation: relu6 })]),
    convNorm(inner, inner, { stride, groups: inner, activation: relu6 }),
    conv2d(inner, to, 1, { bias: false }),
    batchNorm2d(to),
  ]);
  const isSum = stride === 1 && from === to;
  return tree(
    'InvertedResidual',
    [['conv', conv]],
    [
      { module: 'conv', input: 'input', output: isSum ? 'made' : 'output' },
      ...(isSum ? [node('add', 'Tensor', { self: value('input'), other: value('made') })] : []),
    ],
  );
}

const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNet V2. As torchvision's `mobilenet_v2`.
 *
 * @example
 * ```ts
 * const model = getModel('mobilenet_v2', { numClasses: 10, widthMult: 0.5 });
 * ```
 */
export function mobilenetV2(options: MobileNetV2Options = {}): Model {
  const checks = { widthMult: isNumber({ above: 0 }), invertedResidualSetting: isSetting, roundNearest: isCount };
  const given = architectureOptions('mobilenet_v2', options, { ...checks, dropout: isShare });
  const { numClasses, widthMult = 1, invertedResidualSetting = stages, roundNearest = 8, dropout: p = 0.2 } = given;
  let from = divisible(32 * widthMult, roundNearest);
  const last = divisible(1280 * Math.max(1, widthMult), roundNearest);
  const first = convNorm(3, from, { stride: 2, activation: relu6 });
  const blocks = invertedResidualSetting.flatMap(([expansion, channels, count, stride]) =>
    Array.from({ length: count }, (_, i) => {
      const to = divisible(channels * widthMult, roundNearest);
      const block = invertedResidual(from, to, i === 0 ? stride : 1, expansion);
      from = to;
      return block;
    }),
  );
  const root = tree(
    'MobileNetV2',
    [
      ['features', chain([first, ...blocks, convNorm(from, last, { kernel: 1, activation: relu6 })])],
      ['classifier', chain([dropout(p), linear(last, numClasses)])],
    ],
    [
      { module: 'features', input: 'input', output: 'features' },
      node('adaptive_avg_pool2d', '', { self: value('features'), output_size: [1, 1] }, 'pooled'),
      ...flattenedInto('classifier', 'pooled'),
    ],
  );
  return imageModel(
    'mobilenet_v2',
    root,
    mobileDraws(root, () => normal(0.01)),
  );
}

export const mobilenetsV2 = { mobilenet_v2: mobilenetV2 };
