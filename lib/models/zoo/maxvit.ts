// MaxViT (Tu et al. 2022): torchvision/models/maxvit.py.

import { isNumber, isPairOf } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { gelu, sigmoid, silu, tanh } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { normal, truncated } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import { layerNorm } from '../../layers/norms';
import { avgPool2d } from '../../layers/pooling';
import { flatten, identity } from '../../layers/shape';
import { leaf, type Model, type Module, type ModuleTensor, node, value } from '../../program/module';
import { convNorm, isCount, isShare, squeezeExcitation, stochasticDepth, weightsAndZeros } from './blocks';
import { binary, positionBias, relativeIndex } from './relative-positions';
import { architectureOptions, type ClassifierOptions, calls, drawnAgain, imageModel, tree } from './tree';

/** Options of {@link maxvitT}, those of torchvision. */
export interface MaxVitOptions extends ClassifierOptions {
  /** Height and width of the images, multiples of 224. Default: [224, 224]. */
  inputSize?: readonly [number, number];
  /** Channels of a squeeze, for each channel after the block. Default: 0.25. */
  squeezeRatio?: number;
  /** Channels inside a convolutional block, for each channel after it. Default: 4. */
  expansionRatio?: number;
  /** Features inside the linear layers, for each of a block. Default: 4. */
  mlpRatio?: number;
  /** Probability of the dropout after linear layers. Default: 0. */
  mlpDropout?: number;
  /** Probability of the dropout after attention. Default: 0. */
  attentionDropout?: number;
}

type Settings = Required<Omit<MaxVitOptions, 'numClasses' | 'inputSize'>>;
type Grid = readonly [height: number, width: number];

/** Height and width of a window, and parts of a grid. */
const side = 7;
const places = side * side;
/** Features of a head. */
const head = 32;

const norm = (channels: number) => batchNorm2d(channels, { eps: 1e-3, momentum: 0.01 });

function convolutional(from: number, to: number, stride: number, p: number, settings: Settings): Module {
  const inner = Math.trunc(to * settings.expansionRatio);
  const projection = [...(stride === 2 ? [avgPool2d(3, { stride, padding: 1 })] : []), conv2d(from, to, 1)];
  const layers = chain({
    pre_norm: norm(from),
    conv_a: convNorm(from, inner, { kernel: 1, norm, activation: gelu }),
    conv_b: convNorm(inner, inner, { stride, groups: inner, norm, activation: gelu }),
    squeeze_excitation: squeezeExcitation(inner, Math.trunc(to * settings.squeezeRatio), silu, sigmoid),
    conv_c: conv2d(inner, to, 1),
  });
  return tree(
    'MBConv',
    [
      ['proj', stride !== 1 || from !== to ? chain(projection) : identity()],
      ['stochastic_depth', p === 0 ? identity() : stochasticDepth(p)],
      ['layers', layers],
    ],
    [
      ...calls(['proj'], 'input', 'side'),
      ...calls(['layers', 'stochastic_depth'], 'input', 'made'),
      binary('add', 'side', value('made'), 'output'),
    ],
  );
}

/** `RelativePositionalMultiHeadAttention` within each of `groups` sets of places. */
function attention(size: number, groups: number): Module {
  const heads = size / head;
  const name = 'relative_position_bias_table';
  const tensors: ModuleTensor[] = [
    {
      ...{ name, role: 'parameter', dtype: 'float32', shape: [(2 * side - 1) ** 2, heads] },
      init: { kind: 'constant', value: 0 },
    },
    {
      ...{ name: 'relative_position_index', role: 'buffer', dtype: 'int64', shape: [places, places] },
      init: { kind: 'computed', nodes: relativeIndex(side, 'output') },
    },
  ];
  const byHead = (from: string, to: string) => [
    node('reshape', '', { self: value(from), shape: [-1, groups, places, heads, head] }, `${to}/split`),
    node('permute', '', { self: value(`${to}/split`), dims: [0, 1, 3, 2, 4] }, to),
  ];
  const einsum = (equation: string, a: string, b: string, to: string) =>
    node('einsum', '', { equation, tensors: [value(a), value(b)] }, to);
  const steps = [
    { module: 'to_qkv', input: 'input', output: 'all' },
    { ...node('chunk', '', { self: value('all'), chunks: 3, dim: -1 }), outputs: [['queries', 'keys', 'values']] },
    ...[...byHead('queries', 'q'), ...byHead('keys', 'k'), ...byHead('values', 'v')],
    binary('mul', 'k', { float: size ** -0.5 }, 'scaled'),
    einsum('B G H I D, B G H J D -> B G H I J', 'q', 'scaled', 'agreed'),
    node('view', '', { self: value('relative_position_index'), size: [-1] }, 'index'),
    ...positionBias(name, places, 'bias of places', 'index'),
    binary('add', 'agreed', value('bias of places'), 'biased'),
    node('softmax', 'int', { self: value('biased'), dim: -1 }, 'shares'),
    einsum('B G H I J, B G H J D -> B G H I D', 'shares', 'v', 'mixed'),
    node('permute', '', { self: value('mixed'), dims: [0, 1, 3, 2, 4] }, 'mixed/turned'),
    node('reshape', '', { self: value('mixed/turned'), shape: [-1, groups, places, size] }, 'joined'),
    { module: 'merge', input: 'joined', output: 'output' },
  ];
  const children = [
    ['to_qkv', linear(size, 3 * size)],
    ['merge', linear(size, size)],
  ] as const;
  return {
    ...tree('RelativePositionalMultiHeadAttention', children, steps),
    tensors,
    draws: [{ tensor: name, init: truncated(0.02) }],
  };
}

/** Cuts images [n, c, h, w] into parts of `h` × `w` places. */
function partition(size: number, [height, width]: Grid, part: Grid): Module {
  const [h, w] = part;
  const parts = [-1, size, height / h, h, width / w, w];
  return leaf('WindowPartition', [
    node('reshape', '', { self: value('input'), shape: parts }, 'cut'),
    node('permute', '', { self: value('cut'), dims: [0, 2, 4, 3, 5, 1] }, 'turned'),
    node('reshape', '', { self: value('turned'), shape: [-1, (height / h) * (width / w), h * w, size] }),
  ]);
}

function departition(size: number, [height, width]: Grid, part: Grid): Module {
  const [h, w] = part;
  return leaf('WindowDepartition', [
    node('reshape', '', { self: value('input'), shape: [-1, height / h, width / w, h, w, size] }, 'cut'),
    node('permute', '', { self: value('cut'), dims: [0, 5, 1, 3, 2, 4] }, 'turned'),
    node('reshape', '', { self: value('turned'), shape: [-1, size, height, width] }),
  ]);
}

/** Attention within windows, or among places that are far from each other. */
function partitioned(size: number, grid: Grid, isGrid: boolean, p: number, settings: Settings): Module {
  // As in torchvision, which takes the height's number of parts for both axes.
  const of = isGrid ? Math.floor(grid[0] / side) : side;
  const part = [of, of] as const;
  const swap = () =>
    isGrid ? leaf('SwapAxes', [node('swapaxes', '', { self: value('input'), axis0: -2, axis1: -3 })]) : identity();
  const groups = (grid[0] * grid[1]) / places;
  const inner = size * settings.mlpRatio;
  const attend = chain([layerNorm(size), attention(size, groups), dropout(settings.attentionDropout)]);
  const mix = chain([
    ...[layerNorm(size), linear(size, inner), gelu(), linear(inner, size), dropout(settings.mlpDropout)],
  ]);
  return tree(
    'PartitionAttentionLayer',
    [
      ['partition_op', partition(size, grid, part)],
      ['departition_op', departition(size, grid, part)],
      ['partition_swap', swap()],
      ['departition_swap', swap()],
      ['attn_layer', attend],
      ['mlp_layer', mix],
      ['stochastic_dropout', stochasticDepth(p)],
    ],
    [
      ...calls(['partition_op', 'partition_swap'], 'input', 'parts'),
      ...calls(['attn_layer', 'stochastic_dropout'], 'parts', 'attended'),
      binary('add', 'parts', value('attended'), 'sum'),
      ...calls(['mlp_layer', 'stochastic_dropout'], 'sum', 'mixed'),
      binary('add', 'sum', value('mixed'), 'whole'),
      ...calls(['departition_swap', 'departition_op'], 'whole', 'output'),
    ],
  );
}

/** Layers one after the other, which the class keeps in a list. */
function listed(layers: readonly Module[]): Module {
  return { ...chain(layers), type: 'ModuleList' };
}

const channels = [64, 128, 256, 512];
const depths = [2, 2, 5, 2];
const depthProb = 0.2;

/**
 * MaxViT-T for images of one size. As torchvision's `maxvit_t`.
 *
 * @example
 * ```ts
 * const model = getModel('maxvit_t', { numClasses: 10 });
 * ```
 */
export function maxvitT(options: MaxVitOptions = {}): Model {
  const checks = { squeezeRatio: isNumber({ above: 0 }), expansionRatio: isNumber({ above: 0 }), mlpRatio: isCount };
  const given = architectureOptions('maxvit_t', options, {
    ...{ inputSize: isPairOf(isCount), ...checks, mlpDropout: isShare, attentionDropout: isShare },
  });
  const { numClasses, inputSize = [224, 224] } = given;
  const settings = { squeezeRatio: 0.25, expansionRatio: 4, mlpRatio: 4, mlpDropout: 0, attentionDropout: 0, ...given };
  if (inputSize.some((size) => size % (32 * side) !== 0) || inputSize[0] !== inputSize[1])
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected equal multiples of ${32 * side} for "inputSize" of maxvit_t()`,
    );
  const count = depths.reduce((sum, depth) => sum + depth, 0);
  let index = 0;
  let from = 64;
  const blocks = channels.map((to, i) => {
    const grid = inputSize.map((size) => size / 2 ** (i + 2)) as unknown as Grid;
    const layers = Array.from({ length: depths[i]! }, (_, k) => {
      const p = index === count - 1 ? depthProb : index * (depthProb / (count - 1));
      index += 1;
      const inner = chain({
        MBconv: convolutional(from, to, k === 0 ? 2 : 1, p, settings),
        window_attention: partitioned(to, grid, false, p, settings),
        grid_attention: partitioned(to, grid, true, p, settings),
      });
      from = to;
      return tree('MaxVitLayer', [['layers', inner]], calls(['layers']));
    });
    return tree('MaxVitBlock', [['layers', listed(layers)]], calls(['layers']));
  });
  const stem = chain([
    convNorm(3, 64, { stride: 2, norm, activation: gelu }),
    chain([conv2d(64, 64, 3, { padding: 1 })]),
  ]);
  const classifier = chain([
    ...[adaptiveAvgPool2d(1), flatten(), layerNorm(from), linear(from, from), tanh()],
    linear(from, numClasses, { bias: false }),
  ]);
  const root = tree(
    'MaxVit',
    [
      ['stem', stem],
      ['blocks', listed(blocks)],
      ['classifier', classifier],
    ],
    calls(['stem', 'blocks', 'classifier']),
  );
  const draws = drawnAgain(root, (module) =>
    module.type === 'Conv2d' || module.type === 'Linear' ? weightsAndZeros(module, normal(0.02)) : {},
  );
  return imageModel('maxvit_t', root, draws);
}

export const maxvits = { maxvit_t: maxvitT };
