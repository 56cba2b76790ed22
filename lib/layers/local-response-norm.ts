// torch.nn.LocalResponseNorm
import { checkNumbers, checkOptions, isNumber } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';

/** Options of {@link localResponseNorm}. */
export interface LocalResponseNormOptions {
  /** Default: 1e-4. */
  alpha?: number;
  /** Default: 0.75. */
  beta?: number;
  /** Default: 1. */
  k?: number;
}

/**
 * Divides each element of [n, c, h, w] by (k + alpha × the mean square of the same place in `size` channels around) to the power beta
 * (Krizhevsky et al. 2012, section 3.3). As `torch.nn.LocalResponseNorm`.
 *
 * @example
 * ```ts
 * localResponseNorm(5);
 * ```
 */
export function localResponseNorm(size: number, options: LocalResponseNormOptions = {}): Module {
  checkNumbers('localResponseNorm', { size }, { integer: true, min: 1 });
  const checks = { alpha: isNumber(), beta: isNumber(), k: isNumber() };
  const { alpha = 1e-4, beta = 0.75, k = 1 } = checkOptions('localResponseNorm', options, checks);
  const around = [0, 0, 0, 0, Math.floor(size / 2), Math.floor((size - 1) / 2)];
  const window = { kernel_size: [size, 1, 1], stride: [1, 1, 1] };
  return leaf('LocalResponseNorm', [
    // As it is; of other than four axes an error, since the window would be one of other axes.
    node('permute', '', { self: value('input'), dims: [0, 1, 2, 3] }, 'images'),
    node('mul', 'Tensor', { self: value('images'), other: value('images') }, 'squares'),
    node('unsqueeze', '', { self: value('squares'), dim: 1 }, 'volume'),
    node('pad', '', { self: value('volume'), pad: around }, 'padded'),
    node('avg_pool3d', '', { self: value('padded'), ...window }, 'means'),
    node('squeeze', 'dim', { self: value('means'), dim: 1 }, 'mean'),
    node('mul', 'Tensor', { self: value('mean'), other: { float: alpha } }, 'scaled'),
    node('add', 'Tensor', { self: value('scaled'), other: { float: k } }, 'sum'),
    node('pow', 'Tensor_Scalar', { self: value('sum'), exponent: { float: beta } }, 'divisor'),
    node('div', 'Tensor', { self: value('images'), other: value('divisor') }),
  ]);
}
