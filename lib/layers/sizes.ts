// Sizes along one, two or three axes.
import { checkNumbers, invalid } from '../core/checks';

/** One number for all axes, or one for each: [height, width], [depth, height, width]. */
export type Sizes = number | readonly number[];

/** Returns one number for each axis. Throws ERR_INVALID_OPTION for other numbers of them, and for numbers out of the range. */
export function sizesOf(caller: string, name: string, sizes: Sizes, axes: number, min: number): number[] {
  if (Array.isArray(sizes) && sizes.length !== axes)
    throw invalid(axes === 1 ? 'a number' : `a number or ${axes} of them`, `${caller}: ${name}`, sizes);
  const all = Array.isArray(sizes)
    ? [...(sizes as readonly number[])]
    : Array.from({ length: axes }, () => sizes as number);
  for (const size of all) checkNumbers(caller, { [name]: size }, { integer: true, min });
  return all;
}
