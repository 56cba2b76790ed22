// How samples become what the model takes: to be learned, and to be scored and served.
import { centerCrop, cifar10Transforms, type Transform } from '../transforms';

/**
 * Transforms that draw nothing: those for learning, without flips and rotations, and with the middle of the image where a part of
 * it is drawn.
 */
export function scoringOf(transforms: readonly Transform[], shape: readonly number[]): readonly Transform[] {
  let size = shape.slice(-2);
  return transforms.flatMap((transform) => {
    const isCrop = transform.kind === 'randomCrop' || transform.kind === 'centerCrop';
    if (!isCrop) return transform.kind.startsWith('random') ? [] : [transform];
    const isWhole = String(size) === String(transform.size);
    size = [...transform.size];
    return isWhole ? [] : [centerCrop(transform.size)];
  });
}

/** The default for learning: those of the reference script for images; float32 values and all else are what the model takes already. */
export function defaultTransforms(
  shape: readonly number[] | undefined,
  inputs: 'uint8' | 'float32' | undefined,
): readonly Transform[] {
  const areImages = shape === undefined || shape.length === 3;
  return areImages && inputs !== 'float32' ? cifar10Transforms : [];
}
