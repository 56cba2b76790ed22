// Rotations. src/transforms/rotation.cc moves the pixels.

import { checkNumbers, invalid } from '../core/checks';
import { member } from '../core/family';
import { neverInScoring } from './transform';

export interface RandomRotation {
  readonly kind: 'randomRotation';
  readonly degrees: readonly [number, number];
}

/**
 * Rotates about the centre, counter-clockwise, by an angle drawn from -degrees … degrees or from [low, high]. Nearest
 * neighbours; what comes from outside is black; the size stays.
 *
 * @example
 * ```ts
 * const transforms = [randomRotation(10), toTensor()];
 * ```
 */
export function randomRotation(degrees: number | readonly [number, number]): RandomRotation {
  if (typeof degrees === 'number') checkNumbers('randomRotation', { degrees }, { min: 0 });
  else checkNumbers('randomRotation', { degrees }, {});
  const [low, high] = typeof degrees === 'number' ? [-degrees, degrees] : degrees;
  if (low > high) throw invalid('[low, high] with low <= high', 'randomRotation: degrees', degrees);
  return member({ kind: 'randomRotation', degrees: Object.freeze([low, high] as const) });
}

export const rotation = { make: randomRotation, positional: ['degrees'], ...neverInScoring } as const;
