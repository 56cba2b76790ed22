// Activations of torch.nn that shrink, cut or smooth each element: softplus, softsign, shrinkage and thresholds.
import { checkNumbers, ownOptions } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';
import { float } from './activations';

/** Options of {@link softplus}. */
export interface SoftplusOptions {
  /** Not 0. Default: 1. */
  beta?: number;
  /** Where beta × x is above it, the result is x. Default: 20. */
  threshold?: number;
}

/**
 * log(1 + exp(beta × x)) / beta. As `torch.nn.Softplus`.
 *
 * @example
 * ```ts
 * softplus({ beta: 2 });
 * ```
 */
export function softplus(options: SoftplusOptions = {}): Module {
  const { beta = 1, threshold = 20 } = ownOptions('softplus', options, ['beta', 'threshold']);
  checkNumbers('softplus', { beta, threshold }, {});
  if (beta === 0) checkNumbers('softplus', { beta }, { above: 0 });
  const args = { self: value('input'), beta: float(beta), threshold: float(threshold) };
  return leaf('Softplus', [node('softplus', '', args)]);
}

/**
 * x / (1 + |x|). As `torch.nn.Softsign`.
 *
 * @example
 * ```ts
 * softsign();
 * ```
 */
export function softsign(): Module {
  return leaf('Softsign', [
    node('abs', '', { self: value('input') }, 'size'),
    node('add', 'Tensor', { self: value('size'), other: 1 }, 'divisor'),
    node('div', 'Tensor', { self: value('input'), other: value('divisor') }),
  ]);
}

/**
 * x − tanh(x). As `torch.nn.Tanhshrink`.
 *
 * @example
 * ```ts
 * tanhshrink();
 * ```
 */
export function tanhshrink(): Module {
  return leaf('Tanhshrink', [
    node('tanh', '', { self: value('input') }, 'tanh'),
    node('sub', 'Tensor', { self: value('input'), other: value('tanh') }),
  ]);
}

/**
 * x where |x| is above `lambd` (default 0.5), otherwise 0. As `torch.nn.Hardshrink`.
 *
 * @example
 * ```ts
 * hardshrink(0.3);
 * ```
 */
export function hardshrink(lambd = 0.5): Module {
  checkNumbers('hardshrink', { lambd }, {});
  return leaf('Hardshrink', [node('hardshrink', '', { self: value('input'), lambd: float(lambd) })]);
}

/**
 * x ∓ `lambd` where |x| is above it, otherwise 0. `lambd`: at least 0, default 0.5. As `torch.nn.Softshrink`.
 *
 * @example
 * ```ts
 * softshrink(0.3);
 * ```
 */
export function softshrink(lambd = 0.5): Module {
  checkNumbers('softshrink', { lambd }, { min: 0 });
  return leaf('Softshrink', [node('softshrink', '', { self: value('input'), lambd: float(lambd) })]);
}

/**
 * x where it is above `limit`, otherwise `otherwise`. As `torch.nn.Threshold`.
 *
 * @example
 * ```ts
 * threshold(0.1, 0);
 * ```
 */
export function threshold(limit: number, otherwise: number): Module {
  checkNumbers('threshold', { limit, otherwise }, {});
  return leaf('Threshold', [
    node('threshold', '', { self: value('input'), threshold: float(limit), value: float(otherwise) }),
  ]);
}
