// torch.nn.Dropout and its relatives.
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

/**
 * One operator that draws in training, and returns what it is given otherwise. `axes`: those that the input must have, since PyTorch takes one of
 * fewer for a single sample.
 */
function dropped(caller: string, type: string, op: string, p: number, axes?: number): Module {
  checkNumbers(caller, { p }, { min: 0, max: 1 });
  if (axes === undefined) return leaf(type, [node(op, '', { input: value('input'), p })]);
  const dims = Array.from({ length: axes }, (_, axis) => axis);
  return leaf(type, [
    node('permute', '', { self: value('input'), dims }, 'batch'),
    node(op, '', { input: value('batch'), p }),
  ]);
}

/**
 * In training zeroes whole channels of [n, c, length] with probability `p` (default 0.5) and divides the others by 1 - p. As
 * `torch.nn.Dropout1d`.
 *
 * @example
 * ```ts
 * dropout1d(0.1);
 * ```
 */
export function dropout1d(p = 0.5): Module {
  return dropped('dropout1d', 'Dropout1d', 'feature_dropout', p, 3);
}

/**
 * The same for images [n, c, h, w] (Tompson et al. 2015). As `torch.nn.Dropout2d`.
 *
 * @example
 * ```ts
 * dropout2d(0.1);
 * ```
 */
export function dropout2d(p = 0.5): Module {
  return dropped('dropout2d', 'Dropout2d', 'feature_dropout', p);
}

/**
 * The same for volumes [n, c, d, h, w]. As `torch.nn.Dropout3d`.
 *
 * @example
 * ```ts
 * dropout3d(0.1);
 * ```
 */
export function dropout3d(p = 0.5): Module {
  return dropped('dropout3d', 'Dropout3d', 'feature_dropout', p, 5);
}

/**
 * Dropout that keeps mean and variance of what `selu()` makes (Klambauer et al. 2017). As `torch.nn.AlphaDropout`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc: linear(8, 8), selu: selu(), drop: alphaDropout(0.1) });
 * ```
 */
export function alphaDropout(p = 0.5): Module {
  return dropped('alphaDropout', 'AlphaDropout', 'alpha_dropout', p);
}

/**
 * The same of whole channels. As `torch.nn.FeatureAlphaDropout`.
 *
 * @example
 * ```ts
 * featureAlphaDropout(0.1);
 * ```
 */
export function featureAlphaDropout(p = 0.5): Module {
  return dropped('featureAlphaDropout', 'FeatureAlphaDropout', 'feature_alpha_dropout', p);
}
