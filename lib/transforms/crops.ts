// Parts of an image. src/transforms/crop.cc moves the pixels.

import { checkNumbers, ownOptions, type Pair, pair } from '../core/checks';
import { member } from '../core/family';

export interface RandomCrop {
  readonly kind: 'randomCrop';
  readonly size: readonly [number, number];
  readonly padding: number;
}

export interface CenterCrop {
  readonly kind: 'centerCrop';
  readonly size: readonly [number, number];
}

/**
 * Cuts out `size`, one number or [height, width], at a random place, after adding `padding` black pixels on every side.
 * Default: `padding` 0.
 *
 * @example
 * ```ts
 * const transforms = [randomCrop(32, { padding: 4 }), toTensor()];
 * ```
 */
export function randomCrop(size: Pair, options: { padding?: number } = {}): RandomCrop {
  const { padding = 0 } = ownOptions('randomCrop', options, ['padding']);
  checkNumbers('randomCrop', { size }, { integer: true, min: 1 });
  checkNumbers('randomCrop', { padding }, { integer: true, min: 0 });
  return member({ kind: 'randomCrop', size: Object.freeze(pair(size)), padding });
}

/**
 * Cuts `size`, one number or [height, width], out of the middle; what lies outside the image is black. Draws nothing.
 *
 * @example
 * ```ts
 * const transforms = [centerCrop(24), toTensor()];
 * ```
 */
export function centerCrop(size: Pair): CenterCrop {
  checkNumbers('centerCrop', { size }, { integer: true, min: 1 });
  return member({ kind: 'centerCrop', size: Object.freeze(pair(size)) });
}

const sizeAfter = ({ size }: RandomCrop | CenterCrop) => size;

export const randomPart = {
  ...{ make: randomCrop, positional: ['size'], sizeAfter },
  inScoring: ({ size }: RandomCrop) => centerCrop(size),
} as const;
export const middlePart = { make: centerCrop, positional: ['size'], sizeAfter } as const;
