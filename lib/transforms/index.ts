// The family of transforms: what happens to an image between the data set and the model. Plain, frozen values with torchvision's
// names, defaults and meaning; src/transforms/pipeline.cc runs them. A new one is a file here, a line in the list, and a file with
// its pixel work (see src/transforms/geometry.h).
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

/** One step of a pipeline. */
export type Transform = MemberOf<typeof transforms.makers>;

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
