// MobileNet V3 (Howard et al. 2019): torchvision/models/mobilenetv3.py.

import { isBoolean, isNumber } from '../../core/checks';
import { hardsigmoid, hardswish, relu } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain } from '../../layers/containers';
import { dropout } from '../../layers/dropout';
import { normal } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import { type Model, type Module, node, value } from '../../program/module';
import { convNorm, divisible, flattenedInto, isShare, mobileDraws, squeezeExcitation } from './blocks';
import { architectureOptions, type ClassifierOptions, calls, imageModel, tree } from './tree';

/** Options of MobileNet V3, those of torchvision. */
export interface MobileNetV3Options extends ClassifierOptions {
  /** What numbers of channels are multiplied by. Default: 1. */
  widthMult?: number;
  /** Whether the last stages have half the channels. Default: false. */
  reducedTail?: boolean;
  /** Whether the last stage is dilated instead of strided. Default: false. */
  dilated?: boolean;
  /** Probability of the dropout in the classifier. Default: 0.2. */
  dropout?: number;
}

/** A block: its channels, kernel, inner channels, channels after it, whether it squeezes, whether it is hard, its stride and dilation. */
type Block = readonly [number, number, number, number, boolean, 'RE' | 'HS', 1 | 2, number];

const designs = {
  mobilenet_v3_large: (part: number, dilation: number): Block[] => [
    [16, 3, 16, 16, false, 'RE', 1, 1],
    [16, 3, 64, 24, false, 'RE', 2, 1],
    [24, 3, 72, 24, false, 'RE', 1, 1],
    [24, 5, 72, 40, true, 'RE', 2, 1],
    [40, 5, 120, 40, true, 'RE', 1, 1],
    [40, 5, 120, 40, true, 'RE', 1, 1],
    [40, 3, 240, 80, false, 'HS', 2, 1],
    [80, 3, 200, 80, false, 'HS', 1, 1],
    [80, 3, 184, 80, false, 'HS', 1, 1],
    [80, 3, 184, 80, false, 'HS', 1, 1],
    [80, 3, 480, 112, true, 'HS', 1, 1],
    [112, 3, 672, 112, true, 'HS', 1, 1],
    [112, 5, 672, 160 / part, true, 'HS', 2, dilation],
    [160 / part, 5, 960 / part, 160 / part, true, 'HS', 1, dilation],
    [160 / part, 5, 960 / part, 160 / part, true, 'HS', 1, dilation],
  ],
  mobilenet_v3_small: (part: number, dilation: number): Block[] => [
    [16, 3, 16, 16, true, 'RE', 2, 1],
    [16, 3, 72, 24, false, 'RE', 2, 1],
    [24, 3, 88, 24, false, 'RE', 1, 1],
    [24, 5, 96, 40, true, 'HS', 2, 1],
    [40, 5, 240, 40, true, 'HS', 1, 1],
    [40, 5, 240, 40, true, 'HS', 1, 1],
    [40, 5, 120, 48, true, 'HS', 1, 1],
    [48, 5, 144, 48, true, 'HS', 1, 1],
    [48, 5, 288, 96 / part, true, 'HS', 2, dilation],
    [96 / part, 5, 576 / part, 96 / part, true, 'HS', 1, dilation],
    [96 / part, 5, 576 / part, 96 / part, true, 'HS', 1, dilation],
  ],
};
const lastChannels = { mobilenet_v3_large: 1280, mobilenet_v3_small: 1024 };

const norm = (channels: number) => batchNorm2d(channels, { eps: 0.001, momentum: 0.01 });

function invertedResidual(block: Block, widthMult: number): Module {
  const [from, inner, to] = [block[0], block[2], block[3]].map((channels) => divisible(channels * widthMult, 8)) as [
    number,
    number,
    number,
  ];
  const [, kernel, , , squeezes, kind, stride, dilation] = block;
  const activation = kind === 'HS' ? hardswish : relu;
  const layers = chain([
    ...(inner === from ? [] : [convNorm(from, inner, { kernel: 1, norm, activation })]),
    convNorm(inner, inner, { kernel, stride: dilation > 1 ? 1 : stride, dilation, groups: inner, norm, activation }),
    ...(squeezes ? [squeezeExcitation(inner, divisible(Math.floor(inner / 4), 8), relu, hardsigmoid)] : []),
    convNorm(inner, to, { kernel: 1, norm, activation: null }),
  ]);
  const isSum = stride === 1 && from === to;
  return tree(
    'InvertedResidual',
    [['block', layers]],
    [
      { module: 'block', input: 'input', output: isSum ? 'made' : 'output' },
      ...(isSum ? [node('add', 'Tensor', { self: value('made'), other: value('input') })] : []),
    ],
  );
}

function mobilenet(name: keyof typeof designs, options: MobileNetV3Options): Model {
  const checks = { widthMult: isNumber({ above: 0 }), reducedTail: isBoolean, dilated: isBoolean, dropout: isShare };
  const given = architectureOptions(name, options, checks);
  const { numClasses, widthMult = 1, reducedTail = false, dilated = false, dropout: p = 0.2 } = given;
  const part = reducedTail ? 2 : 1;
  const blocks = designs[name](part, dilated ? 2 : 1);
  const channels = (count: number) => divisible(count * widthMult, 8);
  const inner = channels(blocks.at(-1)![3]);
  const last = channels(lastChannels[name] / part);
  const features = chain([
    convNorm(3, channels(blocks[0]![0]), { stride: 2, norm, activation: hardswish }),
    ...blocks.map((block) => invertedResidual(block, widthMult)),
    convNorm(inner, 6 * inner, { kernel: 1, norm, activation: hardswish }),
  ]);
  const root = tree(
    'MobileNetV3',
    [
      ['features', features],
      ['avgpool', adaptiveAvgPool2d(1)],
      ['classifier', chain([linear(6 * inner, last), hardswish(), dropout(p), linear(last, numClasses)])],
    ],
    [...calls(['features', 'avgpool'], 'input', 'pooled'), ...flattenedInto('classifier', 'pooled')],
  );
  return imageModel(
    name,
    root,
    mobileDraws(root, () => normal(0.01)),
  );
}

export const mobilenetsV3 = {
  mobilenet_v3_large: (options: MobileNetV3Options = {}) => mobilenet('mobilenet_v3_large', options),
  mobilenet_v3_small: (options: MobileNetV3Options = {}) => mobilenet('mobilenet_v3_small', options),
};
