// ResNet (He et al. 2016), ResNeXt (Xie et al. 2017) and Wide ResNet (Zagoruyko and Komodakis 2016): torchvision/models/resnet.py.
import { type Check, invalid, isBoolean } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { relu } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { linear } from '../../layers/linear';
import { maxPool2d } from '../../layers/pooling';
import { type Model, type Module, node, value } from '../../program/module';
import { isCount } from './blocks';
import {
  architectureOptions,
  type Children,
  type ClassifierOptions,
  calls,
  drawnAgain,
  imageModel,
  kaimingNormalOut,
  shapeOf,
  tree,
} from './tree';

/** Options of the ResNets, those of torchvision. */
export interface ResNetOptions extends ClassifierOptions {
  /** The last norm of each block begins at 0, so that the block begins as the identity (Goyal et al. 2017). Default: false. */
  zeroInitResidual?: boolean;
  /** Groups of the 3 × 3 convolutions; only of blocks of three convolutions. Default: that of the architecture. */
  groups?: number;
  /** Channels of each group in the first stage; only of blocks of three convolutions. Default: that of the architecture. */
  widthPerGroup?: number;
  /** Whether the last three stages are dilated instead of strided; only of blocks of three convolutions. Default: [false, false, false]. */
  replaceStrideWithDilation?: readonly [boolean, boolean, boolean];
}

interface Design {
  readonly isDeep: boolean;
  readonly layers: readonly [number, number, number, number];
  readonly groups?: number;
  readonly widthPerGroup?: number;
}

interface BlockSizes {
  readonly inner: number;
  readonly planes: number;
  readonly stride: number;
  readonly groups: number;
  readonly baseWidth: number;
  readonly dilation: number;
  readonly shrinks: boolean;
}

const conv3x3 = (from: number, to: number, stride = 1, groups = 1, dilation = 1) =>
  conv2d(from, to, 3, { stride, padding: dilation, groups, dilation, bias: false });
const conv1x1 = (from: number, to: number, stride = 1) => conv2d(from, to, 1, { stride, bias: false });

/** Convolutions with the input added to what they make. */
function block(type: string, children: Children, order: readonly string[], shortcut: Module | undefined): Module {
  return tree(type, shortcut ? [...children, ['downsample', shortcut]] : children, [
    ...calls(order, 'input', 'main'),
    ...(shortcut ? calls(['downsample'], 'input', 'side') : []),
    node('add', 'Tensor', { self: value('main'), other: value(shortcut ? 'side' : 'input') }, 'sum'),
    { module: 'relu', input: 'sum', output: 'output' },
  ]);
}

function downsample(from: number, to: number, stride: number): Module {
  return chain([conv1x1(from, to, stride), batchNorm2d(to)]);
}

function basicBlock({ inner, planes, stride, groups, baseWidth, dilation, shrinks }: BlockSizes): Module {
  if (groups !== 1 || baseWidth !== 64 || dilation > 1)
    throw new LearnError(
      'ERR_INVALID_OPTION',
      'Expected an architecture of 50 or more layers for "groups", "widthPerGroup" and "replaceStrideWithDilation"',
    );
  const children: Children = [
    ['conv1', conv3x3(inner, planes, stride)],
    ['bn1', batchNorm2d(planes)],
    ['relu', relu()],
    ['conv2', conv3x3(planes, planes)],
    ['bn2', batchNorm2d(planes)],
  ];
  const order = ['conv1', 'bn1', 'relu', 'conv2', 'bn2'];
  return block('BasicBlock', children, order, shrinks ? downsample(inner, planes, stride) : undefined);
}

function bottleneck({ inner, planes, stride, groups, baseWidth, dilation, shrinks }: BlockSizes): Module {
  const width = Math.trunc(planes * (baseWidth / 64)) * groups;
  const children: Children = [
    ['conv1', conv1x1(inner, width)],
    ['bn1', batchNorm2d(width)],
    ['conv2', conv3x3(width, width, stride, groups, dilation)],
    ['bn2', batchNorm2d(width)],
    ['conv3', conv1x1(width, 4 * planes)],
    ['bn3', batchNorm2d(4 * planes)],
    ['relu', relu()],
  ];
  const order = ['conv1', 'bn1', 'relu', 'conv2', 'bn2', 'relu', 'conv3', 'bn3'];
  return block('Bottleneck', children, order, shrinks ? downsample(inner, 4 * planes, stride) : undefined);
}

const isDilations: Check = (value, name) => {
  const isThree = Array.isArray(value) && value.length === 3 && value.every((each) => typeof each === 'boolean');
  if (!isThree) throw invalid('three booleans, one for each of the last stages,', name, value);
};

const checks = {
  zeroInitResidual: isBoolean,
  groups: isCount,
  widthPerGroup: isCount,
  replaceStrideWithDilation: isDilations,
};

function resnet(name: string, design: Design, options: ResNetOptions): Model {
  const given = architectureOptions(name, options, checks);
  const { groups = design.groups ?? 1, widthPerGroup: baseWidth = design.widthPerGroup ?? 64 } = given;
  const { zeroInitResidual = false, replaceStrideWithDilation: dilated = [false, false, false] } = given;
  const [makeBlock, expansion] = design.isDeep ? [bottleneck, 4] : [basicBlock, 1];
  let inner = 64;
  let dilation = 1;
  const stages = design.layers.map((blocks, i) => {
    const planes = 64 * 2 ** i;
    const before = dilation;
    const isDilated = i > 0 && dilated[i - 1]!;
    if (isDilated) dilation *= 2;
    const stride = i === 0 || isDilated ? 1 : 2;
    const sizes = { planes, groups, baseWidth };
    return Array.from({ length: blocks }, (_, k): Module => {
      const isFirst = k === 0;
      const shrinks = isFirst && (stride !== 1 || inner !== planes * expansion);
      const made = makeBlock({
        ...sizes,
        ...{ inner, stride: isFirst ? stride : 1, dilation: isFirst ? before : dilation, shrinks },
      });
      inner = planes * expansion;
      return made;
    });
  });
  const children: Children = [
    ['conv1', conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false })],
    ['bn1', batchNorm2d(64)],
    ['relu', relu()],
    ['maxpool', maxPool2d(3, { stride: 2, padding: 1 })],
    ...stages.map((blocks, i) => [`layer${i + 1}`, chain(blocks)] as const),
    ['avgpool', adaptiveAvgPool2d(1)],
    ['fc', linear(512 * expansion, given.numClasses)],
  ];
  const order = children.map(([child]) => child).slice(0, -1);
  const root = tree('ResNet', children, [
    ...calls(order, 'input', 'features'),
    node('flatten', 'using_ints', { self: value('features'), start_dim: 1 }, 'flat'),
    { module: 'fc', input: 'flat', output: 'output' },
  ]);
  const draws = drawnAgain(root, (module) =>
    module.type === 'Conv2d' ? { weight: kaimingNormalOut(shapeOf(module, 'weight')) } : {},
  );
  const last = { Bottleneck: 'bn3.weight', BasicBlock: 'bn2.weight' } as Readonly<Record<string, string>>;
  const zeros = drawnAgain(root, ({ type }) => (last[type] ? { [last[type]]: { kind: 'constant', value: 0 } } : {}));
  return imageModel(name, root, zeroInitResidual ? [...draws, ...zeros] : draws);
}

const deep =
  (name: string, layers: Design['layers'], more: Partial<Design> = {}) =>
  (options: ResNetOptions = {}): Model =>
    resnet(name, { isDeep: true, layers, ...more }, options);

/**
 * ResNet-18: [n, 3, h, w] to [n, numClasses], with 11,689,512 parameters for 1000 classes. As torchvision's `resnet18`.
 *
 * @example
 * ```ts
 * const { state } = await trainIncremental('resnet18.pth', { data: cifar10({ root: './data' }) }); // recognised by itself
 * const model = resnet18({ numClasses: 10 });
 * ```
 */
export function resnet18(options: ResNetOptions = {}): Model {
  return resnet('resnet18', { isDeep: false, layers: [2, 2, 2, 2] }, options);
}

/**
 * ResNet-34. As torchvision's `resnet34`.
 *
 * @example
 * ```ts
 * const model = resnet34({ numClasses: 10 });
 * ```
 */
export function resnet34(options: ResNetOptions = {}): Model {
  return resnet('resnet34', { isDeep: false, layers: [3, 4, 6, 3] }, options);
}

/**
 * ResNet-50. As torchvision's `resnet50`.
 *
 * @example
 * ```ts
 * const model = resnet50({ numClasses: 10, zeroInitResidual: true });
 * ```
 */
export function resnet50(options: ResNetOptions = {}): Model {
  return resnet('resnet50', { isDeep: true, layers: [3, 4, 6, 3] }, options);
}

export const resnets = {
  resnet18,
  resnet34,
  resnet50,
  resnet101: deep('resnet101', [3, 4, 23, 3]),
  resnet152: deep('resnet152', [3, 8, 36, 3]),
  resnext50_32x4d: deep('resnext50_32x4d', [3, 4, 6, 3], { groups: 32, widthPerGroup: 4 }),
  resnext101_32x8d: deep('resnext101_32x8d', [3, 4, 23, 3], { groups: 32, widthPerGroup: 8 }),
  resnext101_64x4d: deep('resnext101_64x4d', [3, 4, 23, 3], { groups: 64, widthPerGroup: 4 }),
  wide_resnet50_2: deep('wide_resnet50_2', [3, 4, 6, 3], { widthPerGroup: 128 }),
  wide_resnet101_2: deep('wide_resnet101_2', [3, 4, 23, 3], { widthPerGroup: 128 }),
};
