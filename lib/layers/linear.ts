// torch.nn.Linear and Bilinear

import { checkNumbers, checkOptions, isBoolean, isText, ownOptions } from '../core/checks';
import { leaf, type Module, type ModuleTensor, modelInput, node, value } from '../program/module';
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

/** Options of {@link bilinear}. */
export interface BilinearOptions {
  /** The input of the model that is the second factor. */
  second: string;
  /** Default: true. */
  bias?: boolean;
}

/**
 * xᵀ·W·y + b for each output, of the layer's input x, [n, in1Features], and another input y of the model, [n, in2Features]: to [n, outFeatures].
 * As `torch.nn.Bilinear`.
 *
 * @example
 * ```ts
 * const model = sequential({ join: bilinear(8, 3, 2, { second: 'extras' }) }, { inputs: { features: { shape: [8] }, extras: { shape: [3] } } });
 * ```
 */
export function bilinear(
  in1Features: number,
  in2Features: number,
  outFeatures: number,
  options: BilinearOptions,
): Module {
  const { second, bias = true } = checkOptions('bilinear', options, { second: isText, bias: isBoolean });
  checkNumbers('bilinear', { in1Features, in2Features, outFeatures }, { integer: true, min: 1 });
  isText(second, 'bilinear: second');
  const parameter = { role: 'parameter', dtype: 'float32', init: biasUniform(in1Features) } as const;
  const tensors: ModuleTensor[] = [
    { name: 'weight', ...parameter, shape: [outFeatures, in1Features, in2Features] },
    ...(bias ? [{ name: 'bias', ...parameter, shape: [outFeatures] }] : []),
  ];
  const args = { input1: value('input'), input2: modelInput(second), weight: value('weight') };
  return leaf('Bilinear', [node('bilinear', '', { ...args, bias: bias ? value('bias') : null })], tensors);
}
