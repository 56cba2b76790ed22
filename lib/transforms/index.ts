// Transforms: what happens to an image between the data set and the model. Plain, frozen values with torchvision's
// names, defaults and meaning; src/transforms/pipeline.cc runs them. A new one is a member of the union, a function here, and
// a file with its pixel work (see src/transforms/geometry.h).
import { checkNumbers, invalid, ownOptions, type Pair, pair } from '../core/checks';

/** One step of a pipeline. Made by the functions below. */
export type Transform =
  | { readonly kind: 'randomHorizontalFlip'; readonly p: number }
  | { readonly kind: 'randomVerticalFlip'; readonly p: number }
  | { readonly kind: 'randomRotation'; readonly degrees: readonly [number, number] }
  | { readonly kind: 'randomCrop'; readonly size: readonly [number, number]; readonly padding: number }
  | { readonly kind: 'centerCrop'; readonly size: readonly [number, number] }
  | { readonly kind: 'toTensor' }
  | { readonly kind: 'normalize'; readonly mean: readonly number[]; readonly std: readonly number[] };

/** Mirrors left and right with probability `p`, 0 to 1. Default: 0.5. src/transforms/flip.cc */
export function randomHorizontalFlip(p = 0.5): Transform {
  checkNumbers('randomHorizontalFlip', { p }, { min: 0, max: 1 });
  return Object.freeze({ kind: 'randomHorizontalFlip', p });
}

/** Turns upside down with probability `p`, 0 to 1. Default: 0.5. src/transforms/flip.cc */
export function randomVerticalFlip(p = 0.5): Transform {
  checkNumbers('randomVerticalFlip', { p }, { min: 0, max: 1 });
  return Object.freeze({ kind: 'randomVerticalFlip', p });
}

/**
 * Rotates about the centre, counter-clockwise, by an angle drawn from -degrees … degrees or from [low, high]. Nearest
 * neighbours; what comes from outside is black; the size stays. src/transforms/rotation.cc
 */
export function randomRotation(degrees: number | readonly [number, number]): Transform {
  if (typeof degrees === 'number') checkNumbers('randomRotation', { degrees }, { min: 0 });
  else checkNumbers('randomRotation', { degrees }, {});
  const [low, high] = typeof degrees === 'number' ? [-degrees, degrees] : degrees;
  if (low > high) throw invalid('[low, high] with low <= high', 'randomRotation: degrees', degrees);
  return Object.freeze({ kind: 'randomRotation', degrees: Object.freeze([low, high] as const) });
}

/**
 * Cuts out `size`, one number or [height, width], at a random place, after adding `padding` black pixels on every side.
 * Default: `padding` 0. src/transforms/crop.cc
 */
export function randomCrop(size: Pair, options: { padding?: number } = {}): Transform {
  const { padding = 0 } = ownOptions('randomCrop', options, ['padding']);
  checkNumbers('randomCrop', { size }, { integer: true, min: 1 });
  checkNumbers('randomCrop', { padding }, { integer: true, min: 0 });
  return Object.freeze({ kind: 'randomCrop', size: Object.freeze(pair(size)), padding });
}

/**
 * Cuts `size`, one number or [height, width], out of the middle; what lies outside the image is black. Draws nothing.
 * src/transforms/crop.cc
 */
export function centerCrop(size: Pair): Transform {
  checkNumbers('centerCrop', { size }, { integer: true, min: 1 });
  return Object.freeze({ kind: 'centerCrop', size: Object.freeze(pair(size)) });
}

/** From uint8 pixels to float32 from 0 to 1. What moves pixels stands before it. src/transforms/pipeline.cc */
export function toTensor(): Transform {
  return Object.freeze({ kind: 'toTensor' });
}

/**
 * `(value - mean) / std` in every channel; one number, or a list of one, serves all channels. Stands behind toTensor.
 * src/transforms/pipeline.cc
 */
export function normalize(mean: number | readonly number[], std: number | readonly number[]): Transform {
  return Object.freeze({ kind: 'normalize', mean: channels('mean', mean), std: channels('std', std) });
}

/** What training images go through by default: those of the Python script that this library reproduces. */
export const cifar10Transforms: readonly Transform[] = Object.freeze([
  randomHorizontalFlip(),
  randomVerticalFlip(),
  randomRotation(10),
  toTensor(),
  normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
]);

function channels(name: string, value: number | readonly number[]): readonly number[] {
  const values = Array.isArray(value) ? value : [value];
  // As float32, in which images are: there 1e300 is infinite and 1e-50 is 0.
  const rounded = values.map((item) => (typeof item === 'number' ? Math.fround(item) : Number.NaN));
  const good = values.length > 0 && rounded.every((item) => Number.isFinite(item) && (name === 'mean' || item !== 0));
  if (!good) throw invalid(`finite numbers${name === 'std' ? ' other than 0' : ''}`, `normalize: ${name}`, value);
  return Object.freeze([...values]);
}
