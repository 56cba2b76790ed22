// Activations of torch.nn over an axis: softmax and its relatives, and gated linear units.
import { checkNumbers } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';

/**
 * exp(x) / Σ exp(x) along an axis. As `torch.nn.Softmax`. Losses such as `crossEntropyLoss()` take outputs without it.
 *
 * @example
 * ```ts
 * softmax(1);
 * ```
 */
export function softmax(dim: number): Module {
  checkNumbers('softmax', { dim }, { integer: true });
  return leaf('Softmax', [node('softmax', 'int', { self: value('input'), dim })]);
}

/**
 * Softmax over the channels of [n, c, h, w]. As `torch.nn.Softmax2d`.
 *
 * @example
 * ```ts
 * softmax2d();
 * ```
 */
export function softmax2d(): Module {
  return leaf('Softmax2d', [node('softmax', 'int', { self: value('input'), dim: -3 })]);
}

/**
 * Softmax of −x along an axis. As `torch.nn.Softmin`.
 *
 * @example
 * ```ts
 * softmin(1);
 * ```
 */
export function softmin(dim: number): Module {
  checkNumbers('softmin', { dim }, { integer: true });
  return leaf('Softmin', [
    node('neg', '', { self: value('input') }, 'negated'),
    node('softmax', 'int', { self: value('negated'), dim }),
  ]);
}

/**
 * The logarithm of softmax along an axis, as `nllLoss()` takes it. As `torch.nn.LogSoftmax`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc: linear(8, 3), log: logSoftmax(1) });
 * ```
 */
export function logSoftmax(dim: number): Module {
  checkNumbers('logSoftmax', { dim }, { integer: true });
  return leaf('LogSoftmax', [node('log_softmax', 'int', { self: value('input'), dim })]);
}

/**
 * a × σ(b) for the halves a and b of an axis (default: the last), which is halved (Dauphin et al. 2017). As `torch.nn.GLU`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc: linear(8, 16), glu: glu() }); // [n, 8] to [n, 8]
 * ```
 */
export function glu(dim = -1): Module {
  checkNumbers('glu', { dim }, { integer: true });
  return leaf('GLU', [node('glu', '', { self: value('input'), dim })]);
}
