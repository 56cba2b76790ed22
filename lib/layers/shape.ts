// Layers that only change the shape, or nothing: torch.nn.Flatten, Identity.
import { checkNumbers } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';

/**
 * max(0, x). As `torch.nn.ReLU`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc1: linear(8, 16), relu: relu(), fc2: linear(16, 2) });
 * ```
 */
export function relu(): Module {
  return leaf('ReLU', [node('relu', '', { self: value('input') })]);
}

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

/**
 * In training zeroes each element with probability `p` (default 0.5) and divides the others by 1 - p; otherwise returns
 * what it is given. As `torch.nn.Dropout`.
 *
 * The steps are those of ATen/native/Dropout.cpp (`_dropout_impl`), spelled out because `aten::dropout` can only draw
 * from libtorch's one global generator, which two runs in a process would share.
 *
 * @example
 * ```ts
 * const model = sequential({ flatten: flatten(), drop: dropout(0.25), fc: linear(3072, 10) });
 * ```
 */
export function dropout(p = 0.5): Module {
  checkNumbers('dropout', { p }, { min: 0, max: 1 });
  const same = node('alias', '', { self: value('input') });
  if (p === 0) return leaf('Dropout', [same]);
  const training =
    p === 1
      ? [node('mul', 'Tensor', { self: value('input'), other: 0 })]
      : [
          node('empty_like', '', { self: value('input') }, 'empty'),
          node('bernoulli_', 'float', { self: value('empty'), p: 1 - p }, 'drawn'),
          node('div_', 'Scalar', { self: value('drawn'), other: 1 - p }, 'noise'),
          node('mul', 'Tensor', { self: value('input'), other: value('noise') }),
        ];
  return leaf('Dropout', [
    ...training.map((step) => ({ ...step, only: 'training' as const })),
    { ...same, only: 'evaluation' as const },
  ]);
}
