// torch.nn.KLDivLoss.
import { isBoolean, isOneOf } from '../core/checks';
import { member } from '../core/family';
import { node, value } from '../program/module';
import { comparison, type LossFragment, lossOptions, type OneOutputOptions, oneOutput } from './fragment';

/** Options of {@link klDivLoss}. */
export interface KlDivLossOptions extends Omit<OneOutputOptions, 'reduction'> {
  /** Whether targets are logarithms of probabilities too. Default: false. */
  logTarget?: boolean;
  /** `'batchmean'`: the sum divided by the number of samples, which is the divergence; `'mean'`, `'sum'`. Default: 'mean'. */
  reduction?: 'mean' | 'batchmean' | 'sum';
}

/** The value of {@link klDivLoss}. */
export interface KlDivLoss extends Readonly<Required<KlDivLossOptions>> {
  readonly kind: 'klDivLoss';
}

const options = lossOptions<Required<KlDivLossOptions>>({
  logTarget: [false, isBoolean],
  output: oneOutput.output,
  reduction: ['mean', isOneOf(['mean', 'batchmean', 'sum'])],
});

/**
 * target × (log target − output), as `torch.nn.KLDivLoss`: the Kullback-Leibler divergence of probabilities from a model's, which it
 * returns as logarithms.
 *
 * @example
 * ```ts
 * await trainIncremental('student.pth', { loss: klDivLoss({ reduction: 'batchmean' }) });
 * ```
 */
export function klDivLoss(given: KlDivLossOptions = {}): KlDivLoss {
  return member({ kind: 'klDivLoss', ...options('klDivLoss', given) });
}

function fragment({ output, logTarget, reduction }: KlDivLoss): LossFragment {
  const own = reduction === 'batchmean' ? 'mean' : reduction;
  const plain = comparison({ output, reduction: own }, 'kl_div', { log_target: logTarget });
  if (reduction !== 'batchmean') return plain;
  const perSample = node('div', 'Tensor', { self: value('loss'), other: value('samples') }, 'loss of a sample');
  return {
    ...plain,
    nodes: (how) => (how === 'mean' ? [...plain.nodes('sum')!, perSample] : plain.nodes(how)),
    perSample: 'sum',
  };
}

export const divergence = { make: klDivLoss, fragment } as const;
