// Building blocks of several architectures: torchvision/ops/misc.py, torchvision/ops/stochastic_depth.py and
// torchvision/models/_utils.py.
import { type Check, isNumber } from '../../core/checks';
import { relu } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain, type Layer } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { constant, truncated } from '../../layers/initialisers';
import type { Sizes } from '../../layers/sizes';
import { type Initialiser, isBuilt, leaf, type Module, type ModuleCall, node, value } from '../../program/module';
import type { ProgramNode } from '../../program/program';
import { calls, drawnAgain, kaimingNormalOut, shapeOf, tree } from './tree';

/** Makes a layer without arguments, or with the number of channels. */
export type Activation = () => Module;
export type Norm = (channels: number) => Module;

/** Options of {@link convNorm}. */
interface ConvNormOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: Sizes;
  readonly groups?: number;
  readonly dilation?: number;
  readonly norm?: Norm;
  /** null: none. */
  readonly activation?: Activation | null;
}

/** `Conv2dNormActivation`: a convolution that keeps the size where its stride is 1, a norm and an activation. */
export function convNorm(from: number, to: number, options: ConvNormOptions = {}): Module {
  const { kernel = 3, stride = 1, dilation = 1, groups = 1, norm = batchNorm2d, activation = relu } = options;
  const { padding = Math.floor((kernel - 1) / 2) * dilation } = options;
  const conv = conv2d(from, to, kernel, { stride, padding, groups, dilation, bias: false });
  return chain([conv, norm(to), ...(activation ? [activation()] : [])]);
}

/** `SqueezeExcitation`: scales each channel by what its means say (Hu et al. 2018, fig. 1). */
export function squeezeExcitation(
  channels: number,
  squeezed: number,
  activation: Activation,
  gate: Activation,
): Module {
  return tree(
    'SqueezeExcitation',
    [
      ['avgpool', adaptiveAvgPool2d(1)],
      ['fc1', conv2d(channels, squeezed, 1)],
      ['fc2', conv2d(squeezed, channels, 1)],
      ['activation', activation()],
      ['scale_activation', gate()],
    ],
    [
      ...calls(['avgpool', 'fc1', 'activation', 'fc2', 'scale_activation'], 'input', 'scale'),
      node('mul', 'Tensor', { self: value('scale'), other: value('input') }),
    ],
  );
}

/** `StochasticDepth` of rows: in training zeroes each sample with probability `p` and divides the others by 1 − p (Huang et al. 2016). `axes`: of its input. */
export function stochasticDepth(p: number, axes = 4): Module {
  const same = node('alias', '', { self: value('input') });
  if (p === 0) return leaf('StochasticDepth', [same]);
  const count = node('sym_size', 'int', { self: value('input'), dim: 0 }, 'count');
  const size = [value('count'), ...Array.from({ length: axes - 1 }, () => 1)];
  const noise = p === 1 ? 'drawn' : 'noise';
  const training = [
    count,
    node('new_empty', '', { self: value('input'), size }, 'empty'),
    node('bernoulli_', 'float', { self: value('empty'), p: 1 - p }, 'drawn'),
    ...(p === 1 ? [] : [node('div_', 'Scalar', { self: value('drawn'), other: 1 - p }, 'noise')]),
    node('mul', 'Tensor', { self: value('input'), other: value(noise) }),
  ];
  return leaf('StochasticDepth', [
    ...training.map((step) => ({ ...step, only: 'training' as const })),
    { ...same, only: 'evaluation' as const },
  ]);
}

/** A module that PyTorch's class registers and does not call; the state dict's metadata name it. */
export function unused(type: string): Module {
  return leaf(type, [node('alias', '', { self: value('input') })]);
}

/** The call of {@link unused}, whose result nobody reads. */
export function idle(module: string): ModuleCall {
  return { module, input: 'input', output: `idle/${module}` };
}

/** `Permute`: the axes in another order. */
export function permuted(dims: readonly number[]): Module {
  return leaf('Permute', [node('permute', '', { self: value('input'), dims })]);
}

/** Steps that flatten the value `from` for the layer `module`. */
export function flattenedInto(module: string, from: string): (ProgramNode | ModuleCall)[] {
  return [
    node('flatten', 'using_ints', { self: value(from), start_dim: 1 }, 'flat'),
    { module, input: 'flat', output: 'output' },
  ];
}

/** The module as it is while training, and nothing of it otherwise. */
export function onlyInTraining(module: Module): Module {
  const steps = module.steps.filter((step) => (step as ProgramNode).only !== 'evaluation');
  return {
    ...module,
    children: module.children.map(([name, child]): readonly [string, Layer] => [
      name,
      isBuilt(child) ? child : onlyInTraining(child),
    ]),
    steps: steps.map((step) => (Object.hasOwn(step, 'op') ? { ...(step as ProgramNode), only: 'training' } : step)),
  };
}

/** `_make_divisible`: the nearest multiple of `divisor` that is not less than nine tenths of `channels`. */
export function divisible(channels: number, divisor: number): number {
  const rounded = Math.max(divisor, Math.floor(Math.trunc(channels + divisor / 2) / divisor) * divisor);
  return rounded < 0.9 * channels ? rounded + divisor : rounded;
}

/** `round()` of Python: halves go to the even number. */
export function halfToEven(number: number): number {
  const below = Math.floor(number);
  if (number - below !== 0.5) return Math.round(number);
  return below % 2 === 0 ? below : below + 1;
}

/** A module's weight, and zeros as its bias where it has one. */
export function weightsAndZeros(module: Module, weight: Initialiser): Record<string, Initialiser> {
  return { weight, ...(module.tensors.some(({ name }) => name === 'bias') && { bias: constant(0) }) };
}

/** What the mobile architectures draw: convolutions as of He et al., and `linear` for the weights of linear layers. */
export function mobileDraws(root: Module, linear: (shape: readonly number[]) => Initialiser) {
  return drawnAgain(root, (module) => {
    if (module.type === 'Conv2d') return weightsAndZeros(module, kaimingNormalOut(shapeOf(module, 'weight')));
    return module.type === 'Linear' ? weightsAndZeros(module, linear(shapeOf(module, 'weight'))) : {};
  });
}

export const isCount: Check = isNumber({ integer: true, min: 1 });
export const isShare: Check = isNumber({ min: 0, max: 1 });

/** The weight of a convolution or a linear layer, drawn from a truncated normal distribution; of others nothing. */
export function truncatedOf({ type }: Module, deviation: number): Record<string, Initialiser> {
  return type === 'Conv2d' || type === 'Linear' ? { weight: truncated(deviation) } : {};
}
