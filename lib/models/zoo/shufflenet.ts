// ShuffleNet V2 (Ma et al. 2018): torchvision/models/shufflenetv2.py.
import { relu } from '../../layers/activations';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { linear } from '../../layers/linear';
import { maxPool2d } from '../../layers/pooling';
import { type Model, type Module, node, value } from '../../program/module';
import type { ProgramNode } from '../../program/program';
import { convNorm, idle, unused } from './blocks';
import { architectureOptions, type ClassifierOptions, calls, imageModel, tree } from './tree';

const depthwise = (channels: number, stride: number) =>
  conv2d(channels, channels, 3, { stride, padding: 1, groups: channels, bias: false });
const pointwise = (from: number, to: number) => conv2d(from, to, 1, { bias: false });

/** Joins both halves of the channels and deals them out alternately: `channel_shuffle(x, 2)`. */
function shuffled(halves: readonly string[], channels: number): ProgramNode[] {
  const size = (dim: number, name: string) => node('sym_size', 'int', { self: value('joined'), dim }, name);
  const [count, height, width] = [value('count'), value('height'), value('width')];
  return [
    node('cat', '', { tensors: halves.map(value), dim: 1 }, 'joined'),
    ...[size(0, 'count'), size(2, 'height'), size(3, 'width')],
    node('view', '', { self: value('joined'), size: [count, 2, channels / 2, height, width] }, 'grouped'),
    node('transpose', 'int', { self: value('grouped'), dim0: 1, dim1: 2 }, 'turned'),
    node('contiguous', '', { self: value('turned') }, 'dealt'),
    node('view', '', { self: value('dealt'), size: [count, channels, height, width] }),
  ];
}

function invertedResidual(from: number, to: number, stride: 1 | 2): Module {
  const half = to / 2;
  const main = chain([
    ...[pointwise(stride === 1 ? half : from, half), batchNorm2d(half), relu()],
    ...[depthwise(half, stride), batchNorm2d(half)],
    ...[pointwise(half, half), batchNorm2d(half), relu()],
  ]);
  if (stride === 1)
    return tree(
      'InvertedResidual',
      [
        ['branch1', unused('Sequential')],
        ['branch2', main],
      ],
      [
        idle('branch1'),
        { ...node('chunk', '', { self: value('input'), chunks: 2, dim: 1 }), outputs: [['kept', 'taken']] },
        { module: 'branch2', input: 'taken', output: 'made' },
        ...shuffled(['kept', 'made'], to),
      ],
    );
  const side = chain([depthwise(from, stride), batchNorm2d(from), pointwise(from, half), batchNorm2d(half), relu()]);
  return tree(
    'InvertedResidual',
    [
      ['branch1', side],
      ['branch2', main],
    ],
    [
      { module: 'branch1', input: 'input', output: 'side' },
      { module: 'branch2', input: 'input', output: 'made' },
      ...shuffled(['side', 'made'], to),
    ],
  );
}

function shufflenet(name: string, channels: readonly number[], options: ClassifierOptions): Model {
  const { numClasses } = architectureOptions(name, options);
  const [first, ...others] = channels as [number, ...number[]];
  const stages = [4, 8, 4].map((repeats, i) =>
    chain(
      Array.from({ length: repeats }, (_, k) =>
        invertedResidual(k === 0 ? channels[i]! : others[i]!, others[i]!, k === 0 ? 2 : 1),
      ),
    ),
  );
  const last = others.at(-1)!;
  const root = tree(
    'ShuffleNetV2',
    [
      ['conv1', convNorm(3, first, { stride: 2 })],
      ['maxpool', maxPool2d(3, { stride: 2, padding: 1 })],
      ...stages.map((stage, i) => [`stage${i + 2}`, stage] as const),
      ['conv5', convNorm(others[2]!, last, { kernel: 1 })],
      ['fc', linear(last, numClasses)],
    ],
    [
      ...calls(['conv1', 'maxpool', 'stage2', 'stage3', 'stage4', 'conv5'], 'input', 'features'),
      node('mean', 'dim', { self: value('features'), dim: [2, 3] }, 'means'),
      { module: 'fc', input: 'means', output: 'output' },
    ],
  );
  return imageModel(name, root, []);
}

const made =
  (name: string, channels: readonly number[]) =>
  (options: ClassifierOptions = {}) =>
    shufflenet(name, channels, options);

export const shufflenets = {
  shufflenet_v2_x0_5: made('shufflenet_v2_x0_5', [24, 48, 96, 192, 1024]),
  shufflenet_v2_x1_0: made('shufflenet_v2_x1_0', [24, 116, 232, 464, 1024]),
  shufflenet_v2_x1_5: made('shufflenet_v2_x1_5', [24, 176, 352, 704, 1024]),
  shufflenet_v2_x2_0: made('shufflenet_v2_x2_0', [24, 244, 488, 976, 2048]),
};
