// Activations of torch.nn that compute each element from itself: one operator of ATen, or the few that torch/nn/functional.py calls.
import { checkNumbers, checkOptions, isOneOf, ownOptions } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';
import type { Argument } from '../program/program';
import { constant } from './initialisers';

/** A layer of one operator that takes the input as `self`. */
function pointwise(type: string, op: string, args: Readonly<Record<string, Argument>> = {}): Module {
  return leaf(type, [node(op, '', { self: value('input'), ...args })]);
}

/** A float, also where it has no fraction: an integer would be another type of number for the operator. */
export const float = (number: number) => ({ float: number });

/**
 * max(0, x). As `torch.nn.ReLU`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc1: linear(8, 16), relu: relu(), fc2: linear(16, 2) });
 * ```
 */
export function relu(): Module {
  return pointwise('ReLU', 'relu');
}

/**
 * min(max(0, x), 6). As `torch.nn.ReLU6`.
 *
 * @example
 * ```ts
 * const model = sequential({ conv: conv2d(3, 8, 3), relu6: relu6() });
 * ```
 */
export function relu6(): Module {
  return pointwise('ReLU6', 'hardtanh', { min_val: float(0), max_val: float(6) });
}

/** Options of {@link hardtanh}. */
export interface HardtanhOptions {
  /** Default: -1. */
  minVal?: number;
  /** Above `minVal`. Default: 1. */
  maxVal?: number;
}

/**
 * x between `minVal` and `maxVal`. As `torch.nn.Hardtanh`.
 *
 * @example
 * ```ts
 * hardtanh({ minVal: -2, maxVal: 2 });
 * ```
 */
export function hardtanh(options: HardtanhOptions = {}): Module {
  const { minVal = -1, maxVal = 1 } = ownOptions('hardtanh', options, ['minVal', 'maxVal']);
  checkNumbers('hardtanh', { minVal }, {});
  checkNumbers('hardtanh', { maxVal }, { above: minVal });
  return pointwise('Hardtanh', 'hardtanh', { min_val: float(minVal), max_val: float(maxVal) });
}

/**
 * x for positive numbers, `negativeSlope` × x (default 0.01) for others. As `torch.nn.LeakyReLU`.
 *
 * @example
 * ```ts
 * leakyRelu(0.2);
 * ```
 */
export function leakyRelu(negativeSlope = 0.01): Module {
  checkNumbers('leakyRelu', { negativeSlope }, {});
  return pointwise('LeakyReLU', 'leaky_relu', { negative_slope: float(negativeSlope) });
}

/** Options of {@link prelu}. */
export interface PreluOptions {
  /** Learned slopes: one, or one for each channel. Default: 1. */
  numParameters?: number;
  /** The slopes at the beginning. Default: 0.25. */
  init?: number;
}

/**
 * x for positive numbers, a learned slope × x for others (He et al. 2015, eq. 1). As `torch.nn.PReLU`.
 *
 * @example
 * ```ts
 * prelu({ numParameters: 16 }); // for [n, 16, h, w]
 * ```
 */
export function prelu(options: PreluOptions = {}): Module {
  const { numParameters = 1, init = 0.25 } = ownOptions('prelu', options, ['numParameters', 'init']);
  checkNumbers('prelu', { numParameters }, { integer: true, min: 1 });
  checkNumbers('prelu', { init }, {});
  const steps = [node('prelu', '', { self: value('input'), weight: value('weight') })];
  const shape = [numParameters];
  return leaf('PReLU', steps, [{ name: 'weight', role: 'parameter', dtype: 'float32', shape, init: constant(init) }]);
}

/** Options of {@link rrelu}. */
export interface RreluOptions {
  /** Default: 1/8. */
  lower?: number;
  /** At least `lower`. Default: 1/3. */
  upper?: number;
}

/**
 * x for positive numbers, and for others a slope × x: in training drawn for each from [lower, upper), otherwise the mean of both. As
 * `torch.nn.RReLU`.
 *
 * @example
 * ```ts
 * rrelu({ lower: 0.1, upper: 0.3 });
 * ```
 */
export function rrelu(options: RreluOptions = {}): Module {
  const { lower = 1 / 8, upper = 1 / 3 } = ownOptions('rrelu', options, ['lower', 'upper']);
  checkNumbers('rrelu', { lower }, {});
  checkNumbers('rrelu', { upper }, { min: lower });
  return pointwise('RReLU', 'rrelu', { lower: float(lower), upper: float(upper) });
}

/**
 * x for positive numbers, `alpha` × (exp(x) − 1) (default 1) for others (Clevert et al. 2016, eq. 2). As `torch.nn.ELU`.
 *
 * @example
 * ```ts
 * elu(0.5);
 * ```
 */
export function elu(alpha = 1): Module {
  checkNumbers('elu', { alpha }, {});
  return pointwise('ELU', 'elu', { alpha: float(alpha) });
}

/**
 * max(0, x) + min(0, `alpha` × (exp(x / alpha) − 1)) (Barron 2017). `alpha`: not 0, default 1. As `torch.nn.CELU`.
 *
 * @example
 * ```ts
 * celu(2);
 * ```
 */
export function celu(alpha = 1): Module {
  checkNumbers('celu', { alpha }, {});
  if (alpha === 0) checkNumbers('celu', { alpha }, { above: 0 });
  return pointwise('CELU', 'celu', { alpha: float(alpha) });
}

/**
 * A scaled ELU that keeps means and variances (Klambauer et al. 2017). As `torch.nn.SELU`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc: linear(8, 8), selu: selu(), drop: alphaDropout(0.1) });
 * ```
 */
export function selu(): Module {
  return pointwise('SELU', 'selu');
}

/** Options of {@link gelu}. */
export interface GeluOptions {
  /** 'tanh' approximates the normal distribution by a hyperbolic tangent. Default: 'none'. */
  approximate?: 'none' | 'tanh';
}

/**
 * x × Φ(x), with the distribution function Φ of the normal distribution (Hendrycks and Gimpel 2016). As `torch.nn.GELU`.
 *
 * @example
 * ```ts
 * gelu({ approximate: 'tanh' });
 * ```
 */
export function gelu(options: GeluOptions = {}): Module {
  const { approximate = 'none' } = checkOptions('gelu', options, { approximate: isOneOf(['none', 'tanh']) });
  return pointwise('GELU', 'gelu', { approximate });
}

/**
 * x × σ(x), also called swish. As `torch.nn.SiLU`.
 *
 * @example
 * ```ts
 * const model = sequential({ conv: conv2d(3, 8, 3), act: silu() });
 * ```
 */
export function silu(): Module {
  return pointwise('SiLU', 'silu');
}

/**
 * x × tanh(softplus(x)) (Misra 2019). As `torch.nn.Mish`.
 *
 * @example
 * ```ts
 * const model = sequential({ conv: conv2d(3, 8, 3), act: mish() });
 * ```
 */
export function mish(): Module {
  return pointwise('Mish', 'mish');
}

/**
 * x × relu6(x + 3) / 6 (Howard et al. 2019). As `torch.nn.Hardswish`.
 *
 * @example
 * ```ts
 * const model = sequential({ conv: conv2d(3, 8, 3), act: hardswish() });
 * ```
 */
export function hardswish(): Module {
  return pointwise('Hardswish', 'hardswish');
}

/**
 * relu6(x + 3) / 6. As `torch.nn.Hardsigmoid`.
 *
 * @example
 * ```ts
 * const gate = sequential({ fc: linear(8, 8), gate: hardsigmoid() });
 * ```
 */
export function hardsigmoid(): Module {
  return pointwise('Hardsigmoid', 'hardsigmoid');
}

/**
 * 1 / (1 + exp(−x)). As `torch.nn.Sigmoid`.
 *
 * @example
 * ```ts
 * const gate = sequential({ fc: linear(8, 8), gate: sigmoid() });
 * ```
 */
export function sigmoid(): Module {
  return pointwise('Sigmoid', 'sigmoid');
}

/**
 * log(1 / (1 + exp(−x))). As `torch.nn.LogSigmoid`.
 *
 * @example
 * ```ts
 * logSigmoid();
 * ```
 */
export function logSigmoid(): Module {
  return pointwise('LogSigmoid', 'log_sigmoid');
}

/**
 * The hyperbolic tangent. As `torch.nn.Tanh`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc1: linear(8, 16), tanh: tanh(), fc2: linear(16, 2) });
 * ```
 */
export function tanh(): Module {
  return pointwise('Tanh', 'tanh');
}
