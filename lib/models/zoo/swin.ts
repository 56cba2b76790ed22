// Swin Transformer (Liu et al. 2021) and its version 2 (Liu et al. 2022): torchvision/models/swin_transformer.py.

import { isNumber } from '../../core/checks';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { chain, type Layer } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { truncated } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import { layerNorm } from '../../layers/norms';
import { flatten } from '../../layers/shape';
import { type Model, type Module, node, value } from '../../program/module';
import { isShare, permuted, stochasticDepth, weightsAndZeros } from './blocks';
import { scalar } from './relative-positions';
import { cosineWindowAttention, type Windows, windowAttention } from './swin-attention';
import { architectureOptions, type ClassifierOptions, calls, drawnAgain, imageModel, tree } from './tree';
import { perceptron } from './vision-transformer';

/** Options of the Swin Transformers, those of torchvision. */
export interface SwinOptions extends ClassifierOptions {
  /** Features inside the linear layers of a block, for each of it. Default: 4. */
  mlpRatio?: number;
  /** Probability of the dropouts after attention and linear layers. Default: 0. */
  dropout?: number;
  /** Probability of the dropout of attention weights. Default: 0. */
  attentionDropout?: number;
  /** Probability that training leaves out the last block for a sample; from the first on it grows evenly. Default: that of the architecture. */
  stochasticDepthProb?: number;
}

interface Design {
  readonly isSecond: boolean;
  readonly size: number;
  readonly depths: readonly number[];
  readonly heads: readonly number[];
  readonly depthProb: number;
}

function block(windows: Windows, isSecond: boolean, mlpRatio: number, probability: number): Module {
  const { size, dropout } = windows;
  const children = [
    ['norm1', layerNorm(size)],
    ['attn', isSecond ? cosineWindowAttention(windows) : windowAttention(windows)],
    ['stochastic_depth', stochasticDepth(probability)],
    ['norm2', layerNorm(size)],
    ['mlp', perceptron('MLP', size, Math.trunc(size * mlpRatio), dropout)],
  ] as const;
  const order = (norm: string, module: string) => (isSecond ? [module, norm] : [norm, module]);
  return tree(isSecond ? 'SwinTransformerBlockV2' : 'SwinTransformerBlock', children, [
    ...calls([...order('norm1', 'attn'), 'stochastic_depth'], 'input', 'attended'),
    node('add', 'Tensor', { self: value('input'), other: value('attended') }, 'sum'),
    ...calls([...order('norm2', 'mlp'), 'stochastic_depth'], 'sum', 'made'),
    node('add', 'Tensor', { self: value('sum'), other: value('made') }),
  ]);
}

/** Joins four neighbours into one of half the features: `PatchMerging`. */
function merging(size: number, isSecond: boolean): Module {
  const slice = (from: string, dim: number, start: number, to: string) =>
    node('slice', 'Tensor', { self: value(from), dim, start, end: null, step: 2 }, to);
  const odd = (name: string, dim: number) => [
    node('sym_size', 'int', { self: value('input'), dim }, name),
    scalar('mod', value(name), { int: 2 }, `${name}/odd`),
  ];
  const parts = [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const;
  return tree(
    isSecond ? 'PatchMergingV2' : 'PatchMerging',
    [
      ['reduction', linear(4 * size, 2 * size, { bias: false })],
      ['norm', layerNorm(isSecond ? 2 * size : 4 * size)],
    ],
    [
      ...[...odd('height', -3), ...odd('width', -2)],
      node('pad', '', { self: value('input'), pad: [0, 0, 0, value('width/odd'), 0, value('height/odd')] }, 'even'),
      ...parts.flatMap(([row, column], i) => [
        slice('even', -3, row, `rows${i}`),
        slice(`rows${i}`, -2, column, `part${i}`),
      ]),
      node('cat', '', { tensors: parts.map((_, i) => value(`part${i}`)), dim: -1 }, 'joined'),
      ...calls(isSecond ? ['reduction', 'norm'] : ['norm', 'reduction'], 'joined', 'output'),
    ],
  );
}

function swin(name: string, design: Design, options: SwinOptions): Model {
  const { isSecond, size, depths, heads } = design;
  const checks = { mlpRatio: isNumber({ above: 0 }), dropout: isShare, attentionDropout: isShare };
  const given = architectureOptions(name, options, { ...checks, stochasticDepthProb: isShare });
  const { numClasses, mlpRatio = 4, dropout = 0, attentionDropout = 0, stochasticDepthProb = design.depthProb } = given;
  const count = depths.reduce((sum, depth) => sum + depth, 0);
  const side = isSecond ? 8 : 7;
  let index = 0;
  const features: Layer[] = [chain([conv2d(3, size, 4, { stride: 4 }), permuted([0, 2, 3, 1]), layerNorm(size)])];
  depths.forEach((depth, i) => {
    const inner = size * 2 ** i;
    const blocks = Array.from({ length: depth }, (_, k) => {
      const shift = k % 2 === 0 ? 0 : Math.floor(side / 2);
      const windows = { size: inner, heads: heads[i]!, side, shift, attentionDropout, dropout };
      return block(windows, isSecond, mlpRatio, (stochasticDepthProb * index++) / (count - 1));
    });
    features.push(chain(blocks));
    if (i < depths.length - 1) features.push(merging(inner, isSecond));
  });
  const last = size * 2 ** (depths.length - 1);
  const root = tree(
    'SwinTransformer',
    [
      ['features', chain(features)],
      ['norm', layerNorm(last)],
      ['permute', permuted([0, 3, 1, 2])],
      ['avgpool', adaptiveAvgPool2d(1)],
      ['flatten', flatten()],
      ['head', linear(last, numClasses)],
    ],
    calls(['features', 'norm', 'permute', 'avgpool', 'flatten', 'head']),
  );
  const draws = drawnAgain(root, (module) =>
    module.type === 'Linear' ? weightsAndZeros(module, truncated(0.02)) : {},
  );
  return imageModel(name, root, draws);
}

const made =
  (name: string, isSecond: boolean, size: number, depth: number, depthProb: number) =>
  (options: SwinOptions = {}) => {
    const heads = [1, 2, 4, 8].map((times) => (times * size) / 32);
    return swin(name, { isSecond, size, depths: [2, 2, depth, 2], heads, depthProb }, options);
  };

export const swins = {
  swin_t: made('swin_t', false, 96, 6, 0.2),
  swin_s: made('swin_s', false, 96, 18, 0.3),
  swin_b: made('swin_b', false, 128, 18, 0.5),
  swin_v2_t: made('swin_v2_t', true, 96, 6, 0.2),
  swin_v2_s: made('swin_v2_s', true, 96, 18, 0.3),
  swin_v2_b: made('swin_v2_b', true, 128, 18, 0.5),
};
