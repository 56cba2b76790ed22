// Layers that only change the shape, or nothing: torch.nn.Flatten, Unflatten, Identity.
import { checkNumbers, invalid } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';

/**
 * Joins all axes from `startDim` (default 1) to `endDim` (default: the last) into one. As `torch.nn.Flatten`.
 *
 * @example
 * ```ts
 * flatten(); // [n, c, h, w] to [n, c * h * w]
 * ```
 */
export function flatten(startDim = 1, endDim = -1): Module {
  checkNumbers('flatten', { startDim }, { integer: true, min: 0 });
  checkNumbers('flatten', { endDim }, { integer: true });
  const end = endDim === -1 ? {} : { end_dim: endDim };
  return leaf('Flatten', [node('flatten', 'using_ints', { self: value('input'), start_dim: startDim, ...end })]);
}

/**
 * Splits the axis `dim` into several of these sizes, one of which may be -1. As `torch.nn.Unflatten`.
 *
 * @example
 * ```ts
 * unflatten(1, [16, 4, 4]); // [n, 256] to [n, 16, 4, 4]
 * ```
 */
export function unflatten(dim: number, sizes: readonly number[]): Module {
  checkNumbers('unflatten', { dim }, { integer: true });
  if (!Array.isArray(sizes) || sizes.length === 0) throw invalid('a list of sizes', 'unflatten: sizes', sizes);
  for (const size of sizes) checkNumbers('unflatten', { sizes: size }, { integer: true, min: -1 });
  return leaf('Unflatten', [node('unflatten', 'int', { self: value('input'), dim, sizes: [...sizes] })]);
}

/**
 * Returns what it is given. As `torch.nn.Identity`.
 *
 * @example
 * ```ts
 * const model = sequential({ features: identity(), fc: linear(8, 2) });
 * ```
 */
export function identity(): Module {
  return leaf('Identity', [node('alias', '', { self: value('input') })]);
}
