// Layers that only change the shape, or nothing: torch.nn.Flatten, Identity.
import { checkNumbers } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';

/**
 * Joins all axes from `startDim` (default 1) to the last into one. As `torch.nn.Flatten`.
 *
 * @example
 * ```ts
 * flatten(); // [n, c, h, w] to [n, c * h * w]
 * ```
 */
export function flatten(startDim = 1): Module {
  checkNumbers('flatten', { startDim }, { integer: true, min: 0 });
  return leaf('Flatten', [node('flatten', 'using_ints', { self: value('input'), start_dim: startDim })]);
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
