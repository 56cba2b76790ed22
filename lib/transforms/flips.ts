// Mirror images. src/transforms/flip.cc moves the pixels.

import { checkNumbers } from '../core/checks';
import { member } from '../core/family';
import { neverInScoring } from './transform';

export interface RandomHorizontalFlip {
  readonly kind: 'randomHorizontalFlip';
  readonly p: number;
}

export interface RandomVerticalFlip {
  readonly kind: 'randomVerticalFlip';
  readonly p: number;
}

/**
 * Mirrors left and right with probability `p`, 0 to 1. Default: 0.5.
 *
 * @example
 * ```ts
 * const transforms = [randomHorizontalFlip(0.5), toTensor()];
 * ```
 */
export function randomHorizontalFlip(p = 0.5): RandomHorizontalFlip {
  checkNumbers('randomHorizontalFlip', { p }, { min: 0, max: 1 });
  return member({ kind: 'randomHorizontalFlip', p });
}

/**
 * Turns upside down with probability `p`, 0 to 1. Default: 0.5.
 *
 * @example
 * ```ts
 * const transforms = [randomVerticalFlip(0.5), toTensor()];
 * ```
 */
export function randomVerticalFlip(p = 0.5): RandomVerticalFlip {
  checkNumbers('randomVerticalFlip', { p }, { min: 0, max: 1 });
  return member({ kind: 'randomVerticalFlip', p });
}

export const horizontalFlip = { make: randomHorizontalFlip, positional: ['p'], ...neverInScoring } as const;
export const verticalFlip = { make: randomVerticalFlip, positional: ['p'], ...neverInScoring } as const;
