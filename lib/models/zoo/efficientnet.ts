// EfficientNet (Tan and Le 2019) and EfficientNet V2 (Tan and Le 2021): torchvision/models/efficientnet.py.
import { sigmoid, silu } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain } from '../../layers/containers';
import { dropout } from '../../layers/dropout';
import { linear } from '../../layers/linear';
import { type Model, type Module, node, value } from '../../program/module';
import {
  convNorm,
  divisible,
  flattenedInto,
  idle,
  isShare,
  mobileDraws,
  type Norm,
  squeezeExcitation,
  stochasticDepth,
  unused,
} from './blocks';
import { architectureOptions, type ClassifierOptions, calls, imageModel, tree } from './tree';

/** Options of the EfficientNets, those of torchvision. */
export interface EfficientNetOptions extends ClassifierOptions {
  /** Probability of the dropout in the classifier. Default: that of the architecture. */
  dropout?: number;
  /** Probability that training leaves out the last block for a sample; from the first on it grows evenly. Default: 0.2. */
  stochasticDepthProb?: number;
}

/** A stage: whether its convolutions are fused, expansion, kernel, stride, channels before and after it, and blocks. */
type Stage = readonly [boolean, number, number, 1 | 2, number, number, number];

interface Design {
  readonly stages: readonly Stage[];
  readonly dropout: number;
  readonly norm: Norm;
  /** Channels after the last convolution. Default: four times those before. */
  readonly last?: number;
}

interface Block {
  readonly isFused: boolean;
  readonly expansion: number;
  readonly kernel: number;
  readonly stride: number;
  readonly from: number;
  readonly to: number;
}

/** The layers of a block; with `norm` after each convolution. */
function layersOf({ isFused, expansion, kernel, stride, from, to }: Block, norm: Norm): Module {
  const activation = silu;
  const inner = divisible(from * expansion, 8);
  const last = convNorm(inner, to, { kernel: 1, norm, activation: null });
  if (isFused) {
    const first = convNorm(from, inner === from ? to : inner, { kernel, stride, norm, activation });
    return chain(inner === from ? [first] : [first, last]);
  }
  return chain([
    ...(inner === from ? [] : [convNorm(from, inner, { kernel: 1, norm, activation })]),
    convNorm(inner, inner, { kernel, stride, groups: inner, norm, activation }),
    squeezeExcitation(inner, Math.max(1, Math.floor(from / 4)), silu, sigmoid),
    last,
  ]);
}

function blockOf(block: Block, probability: number, norm: Norm): Module {
  const type = block.isFused ? 'FusedMBConv' : 'MBConv';
  const layers = layersOf(block, norm);
  if (block.stride !== 1 || block.from !== block.to)
    return tree(
      type,
      [
        ['block', layers],
        ['stochastic_depth', unused('StochasticDepth')],
      ],
      [{ module: 'block', input: 'input', output: 'output' }, idle('stochastic_depth')],
    );
  return tree(
    type,
    [
      ['block', layers],
      ['stochastic_depth', stochasticDepth(probability)],
    ],
    [
      ...calls(['block', 'stochastic_depth'], 'input', 'made'),
      node('add', 'Tensor', { self: value('made'), other: value('input') }),
    ],
  );
}

function efficientnet(name: string, design: Design, options: EfficientNetOptions): Model {
  const { stages, norm } = design;
  const given = architectureOptions(name, options, { dropout: isShare, stochasticDepthProb: isShare });
  const { numClasses, dropout: p = design.dropout, stochasticDepthProb = 0.2 } = given;
  const count = stages.reduce((sum, stage) => sum + stage[6], 0);
  let block = 0;
  const features = stages.map(([isFused, expansion, kernel, stride, from, to, depth]) =>
    chain(
      Array.from({ length: depth }, (_, i) => {
        const sizes = { isFused, expansion, kernel, stride: i === 0 ? stride : 1, from: i === 0 ? from : to, to };
        return blockOf(sizes, (stochasticDepthProb * block++) / count, norm);
      }),
    ),
  );
  const before = stages.at(-1)![5];
  const last = design.last ?? 4 * before;
  const first = convNorm(3, stages[0]![4], { stride: 2, norm, activation: silu });
  const root = tree(
    'EfficientNet',
    [
      ['features', chain([first, ...features, convNorm(before, last, { kernel: 1, norm, activation: silu })])],
      ['avgpool', adaptiveAvgPool2d(1)],
      ['classifier', chain([dropout(p), linear(last, numClasses)])],
    ],
    [...calls(['features', 'avgpool'], 'input', 'pooled'), ...flattenedInto('classifier', 'pooled')],
  );
  return imageModel(
    name,
    root,
    mobileDraws(root, ([out]) => ({ kind: 'uniform', bound: 1 / Math.sqrt(out!) })),
  );
}

function scaled(width: number, depth: number): Stage[] {
  const stages = [
    [1, 3, 1, 32, 16, 1],
    [6, 3, 2, 16, 24, 2],
    [6, 5, 2, 24, 40, 2],
    [6, 3, 2, 40, 80, 3],
    [6, 5, 1, 80, 112, 3],
    [6, 5, 2, 112, 192, 4],
    [6, 3, 1, 192, 320, 1],
  ] as const;
  const channels = (count: number) => divisible(count * width, 8);
  return stages.map(([expansion, kernel, stride, from, to, blocks]) => [
    ...([false, expansion, kernel, stride] as const),
    ...([channels(from), channels(to), Math.ceil(blocks * depth)] as const),
  ]);
}

const fused = (...stage: [number, number, 1 | 2, number, number, number]): Stage => [true, ...stage];
const squeezing = (...stage: [number, number, 1 | 2, number, number, number]): Stage => [false, ...stage];

const plainNorm: Norm = (channels) => batchNorm2d(channels);
const slowNorm: Norm = (channels) => batchNorm2d(channels, { eps: 0.001, momentum: 0.01 });
const norm: Norm = (channels) => batchNorm2d(channels, { eps: 0.001 });

const designs = {
  efficientnet_b0: { stages: scaled(1, 1), dropout: 0.2, norm: plainNorm },
  efficientnet_b1: { stages: scaled(1, 1.1), dropout: 0.2, norm: plainNorm },
  efficientnet_b2: { stages: scaled(1.1, 1.2), dropout: 0.3, norm: plainNorm },
  efficientnet_b3: { stages: scaled(1.2, 1.4), dropout: 0.3, norm: plainNorm },
  efficientnet_b4: { stages: scaled(1.4, 1.8), dropout: 0.4, norm: plainNorm },
  efficientnet_b5: { stages: scaled(1.6, 2.2), dropout: 0.4, norm: slowNorm },
  efficientnet_b6: { stages: scaled(1.8, 2.6), dropout: 0.5, norm: slowNorm },
  efficientnet_b7: { stages: scaled(2, 3.1), dropout: 0.5, norm: slowNorm },
  efficientnet_v2_s: {
    stages: [
      fused(1, 3, 1, 24, 24, 2),
      fused(4, 3, 2, 24, 48, 4),
      fused(4, 3, 2, 48, 64, 4),
      squeezing(4, 3, 2, 64, 128, 6),
      squeezing(6, 3, 1, 128, 160, 9),
      squeezing(6, 3, 2, 160, 256, 15),
    ],
    ...{ dropout: 0.2, norm, last: 1280 },
  },
  efficientnet_v2_m: {
    stages: [
      fused(1, 3, 1, 24, 24, 3),
      fused(4, 3, 2, 24, 48, 5),
      fused(4, 3, 2, 48, 80, 5),
      squeezing(4, 3, 2, 80, 160, 7),
      squeezing(6, 3, 1, 160, 176, 14),
      squeezing(6, 3, 2, 176, 304, 18),
      squeezing(6, 3, 1, 304, 512, 5),
    ],
    ...{ dropout: 0.3, norm, last: 1280 },
  },
  efficientnet_v2_l: {
    stages: [
      fused(1, 3, 1, 32, 32, 4),
      fused(4, 3, 2, 32, 64, 7),
      fused(4, 3, 2, 64, 96, 7),
      squeezing(4, 3, 2, 96, 192, 10),
      squeezing(6, 3, 1, 192, 224, 19),
      squeezing(6, 3, 2, 224, 384, 25),
      squeezing(6, 3, 1, 384, 640, 7),
    ],
    ...{ dropout: 0.4, norm, last: 1280 },
  },
} satisfies Record<string, Design>;

type Name = keyof typeof designs;

const made =
  (name: Name) =>
  (options: EfficientNetOptions = {}) =>
    efficientnet(name, designs[name], options);

export const efficientnets = Object.fromEntries(
  (Object.keys(designs) as Name[]).map((name) => [name, made(name)]),
) as Record<Name, (options?: EfficientNetOptions) => Model>;
