// The family of transforms: what happens to an image between the data set and the model. Plain, frozen values with torchvision's
// names, defaults and meaning; src/transforms/pipeline.cc runs them. A new one is a file here, a line in the list, and a file with
// its pixel work (see src/transforms/geometry.h).
import { isListOf } from '../core/checks';
import { family, type MemberOf } from '../core/family';
import { middlePart, randomPart } from './crops';
import { horizontalFlip, randomHorizontalFlip, randomVerticalFlip, verticalFlip } from './flips';
import { normalize, statistics, tensor, toTensor } from './normalize';
import { randomRotation, rotation } from './rotation';
import type { TransformEntry } from './transform';

export const transforms = family('a transform', {
  centerCrop: middlePart,
  normalize: statistics,
  randomCrop: randomPart,
  randomHorizontalFlip: horizontalFlip,
  randomRotation: rotation,
  randomVerticalFlip: verticalFlip,
  toTensor: tensor,
});

/**
 * Mirrors left and right with probability `p`, 0 to 1. Default: 0.5. src/transforms/flip.cc
 *
 * @example
 * ```ts
 * const transforms = [randomHorizontalFlip(0.5), toTensor()];
 * ```
 */
export function randomHorizontalFlip(p = 0.5): Transform {
  checkNumbers('randomHorizontalFlip', { p }, { min: 0, max: 1 });
  return Object.freeze({ kind: 'randomHorizontalFlip', p });
}

/**
 * Turns upside down with probability `p`, 0 to 1. Default: 0.5. src/transforms/flip.cc
 *
 * @example
 * ```ts
 * const transforms = [randomVerticalFlip(0.5), toTensor()];
 * ```
 */
export function randomVerticalFlip(p = 0.5): Transform {
  checkNumbers('randomVerticalFlip', { p }, { min: 0, max: 1 });
  return Object.freeze({ kind: 'randomVerticalFlip', p });
}

/**
 * Rotates about the centre, counter-clockwise, by an angle drawn from -degrees … degrees or from [low, high]. Nearest
 * neighbours; what comes from outside is black; the size stays. src/transforms/rotation.cc
 *
 * @example
 * ```ts
 * const transforms = [randomRotation(10), toTensor()];
 * ```
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
 *
 * @example
 * ```ts
 * const transforms = [randomCrop(32, { padding: 4 }), toTensor()];
 * ```
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
 *
 * @example
 * ```ts
 * const transforms = [centerCrop(24), toTensor()];
 * ```
 */
export function centerCrop(size: Pair): Transform {
  checkNumbers('centerCrop', { size }, { integer: true, min: 1 });
  return Object.freeze({ kind: 'centerCrop', size: Object.freeze(pair(size)) });
}

/**
 * From uint8 pixels to float32 from 0 to 1. What moves pixels stands before it. src/transforms/pipeline.cc
 *
 * @example
 * ```ts
 * const transforms = [toTensor(), normalize([0.5], [0.5])]; // uint8 images to float32 from 0 to 1
 * ```
 */
export function toTensor(): Transform {
  return Object.freeze({ kind: 'toTensor' });
}

/**
 * `(value - mean) / std` in every channel; one number, or a list of one, serves all channels. Stands behind toTensor.
 * src/transforms/pipeline.cc
 *
 * @example
 * ```ts
 * const transforms = [toTensor(), normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])];
 * ```
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

/** The default for learning: the reference script's for images; float32 values, and all else, are what the model takes already. */
export function defaultTransforms(
  shape: readonly number[] | undefined,
  inputs: 'uint8' | 'float32' | undefined,
): readonly Transform[] {
  const areImages = shape === undefined || shape.length === 3;
  return areImages && inputs !== 'float32' ? cifar10Transforms : [];
}

const entryOf = (transform: Transform) => transforms.entryOf(transform) as TransformEntry<Transform, Transform>;

/** Whether they take images of uint8. */
export function takePixels(list: readonly Transform[]): boolean {
  return list.some((transform) => entryOf(transform).takesPixels);
}

/** The shape of samples of `shape` after the transforms. */
export function shapeAfter(list: readonly Transform[], shape: readonly number[]): readonly number[] {
  const size = sizeAfter(list.findLast((transform) => entryOf(transform).sizeAfter));
  return size ? [shape[0]!, ...size] : shape;
}

function sizeAfter(transform: Transform | undefined): readonly [number, number] | undefined {
  return transform && entryOf(transform).sizeAfter?.(transform);
}

/**
 * Transforms that draw nothing, for samples of `shape`: without flips and rotations, with the middle of the image where a part of
 * it is drawn, and without those that would cut nothing off.
 */
export function withoutDraws(list: readonly Transform[], shape: readonly number[]): readonly Transform[] {
  let size = shape.slice(-2);
  return list.flatMap((transform) => {
    const { inScoring } = entryOf(transform);
    const still = inScoring ? inScoring(transform) : transform;
    const next = sizeAfter(still);
    const isWhole = next && String(size) === String(next);
    if (next) size = [...next];
    return still && !isWhole ? [still] : [];
  });
}
