// From pixels to the numbers that a model takes. src/transforms/pipeline.cc computes them.

import { invalid } from '../core/checks';
import { member } from '../core/family';

export interface ToTensor {
  readonly kind: 'toTensor';
}

export interface Normalize {
  readonly kind: 'normalize';
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * From uint8 pixels to float32 from 0 to 1. What moves pixels stands before it.
 *
 * @example
 * ```ts
 * const transforms = [toTensor(), normalize([0.5], [0.5])]; // uint8 images to float32 from 0 to 1
 * ```
 */
export function toTensor(): ToTensor {
  return member({ kind: 'toTensor' });
}

/**
 * `(value - mean) / std` in every channel; one number, or a list of one, serves all channels. Follows toTensor.
 *
 * @example
 * ```ts
 * const transforms = [toTensor(), normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])];
 * ```
 */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): Normalize {
  return member({ kind: 'normalize', mean: channels('mean', mean), std: channels('std', std) });
}

function channels(name: string, value: number | readonly number[]): readonly number[] {
  const values = Array.isArray(value) ? value : [value];
  // As float32, in which images are: there 1e300 is infinite and 1e-50 is 0.
  const rounded = values.map((item) => (typeof item === 'number' ? Math.fround(item) : Number.NaN));
  const good = values.length > 0 && rounded.every((item) => Number.isFinite(item) && (name === 'mean' || item !== 0));
  if (!good) throw invalid(`finite numbers${name === 'std' ? ' other than 0' : ''}`, `normalize: ${name}`, value);
  return Object.freeze([...values]);
}

export const tensor = { make: toTensor, takesPixels: true } as const;
export const statistics = { make: normalize, positional: ['mean', 'std'] } as const;
