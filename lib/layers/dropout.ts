// torch.nn.Dropout
import { checkNumbers } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';

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
