// torch.nn.Linear

import { checkNumbers, ownOptions } from '../core/checks';
import { leaf, type Module, type ModuleTensor, node, value } from '../program/module';
import { biasUniform, kaimingUniform } from './initialisers';

/** Options of {@link linear}. */
export interface LinearOptions {
  /** Defaults to true. */
  bias?: boolean;
}

/**
 * x·Wᵀ + b: [n, inFeatures] to [n, outFeatures]. As `torch.nn.Linear`.
 *
 * @example
 * ```ts
 * linear(512, 10); // [n, 512] to [n, 10]
 * ```
 */
export function linear(inFeatures: number, outFeatures: number, options: LinearOptions = {}): Module {
  const { bias = true } = ownOptions('linear', options, ['bias']);
  checkNumbers('linear', { inFeatures, outFeatures }, { integer: true, min: 1 });
  const tensors: ModuleTensor[] = [
    {
      name: 'weight',
      role: 'parameter',
      dtype: 'float32',
      shape: [outFeatures, inFeatures],
      init: kaimingUniform(inFeatures),
    },
  ];
  if (bias) {
    tensors.push({
      name: 'bias',
      role: 'parameter',
      dtype: 'float32',
      shape: [outFeatures],
      init: biasUniform(inFeatures),
    });
  }
  const args = { input: value('input'), weight: value('weight'), bias: bias ? value('bias') : null };
  return leaf('Linear', [node('linear', '', args)], tensors);
}
