// Pooling of torch.nn to a size that is given: torch/nn/modules/pooling.py.
import { checkNumbers, invalid } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';
import type { ListItem, ProgramNode } from '../program/program';

/** One size for all axes, or one for each: null where the input's stays. */
export type OutputSize = number | readonly (number | null)[];

/** The sizes as an operator takes them, and the steps that look up those of the input. */
function outputSizes(caller: string, size: OutputSize, axes: number): { sizes: ListItem[]; lookups: ProgramNode[] } {
  const all = typeof size === 'number' ? Array.from({ length: axes }, () => size) : size;
  if (!Array.isArray(all) || all.length !== axes)
    throw invalid(axes === 1 ? 'a number' : `a number or ${axes} of them`, `${caller}: outputSize`, size);
  const lookups: ProgramNode[] = [];
  const sizes = all.map((each: number | null, axis): ListItem => {
    if (each !== null) {
      checkNumbers(caller, { outputSize: each }, { integer: true, min: 1 });
      return each;
    }
    lookups.push(node('sym_size', 'int', { self: value('input'), dim: axis - axes }, `size${axis}`));
    return value(`size${axis}`);
  });
  return { sizes, lookups };
}

function adaptiveMean(axes: 1 | 2 | 3, size: OutputSize): Module {
  const { sizes, lookups } = outputSizes(`adaptiveAvgPool${axes}d`, size, axes);
  const pool = node(`adaptive_avg_pool${axes}d`, '', { self: value('input'), output_size: sizes });
  return leaf(`AdaptiveAvgPool${axes}d`, [...lookups, pool]);
}

function adaptiveMax(axes: 1 | 2 | 3, size: OutputSize): Module {
  const { sizes, lookups } = outputSizes(`adaptiveMaxPool${axes}d`, size, axes);
  const pool = node(`adaptive_max_pool${axes}d`, '', { self: value('input'), output_size: sizes });
  return leaf(`AdaptiveMaxPool${axes}d`, [...lookups, { ...pool, outputs: ['output', null] }]);
}

/**
 * Means over windows such that `outputSize` of them cover [n, c, length]. As `torch.nn.AdaptiveAvgPool1d`.
 *
 * @example
 * ```ts
 * adaptiveAvgPool1d(1); // [n, c, length] to [n, c, 1]
 * ```
 */
export function adaptiveAvgPool1d(outputSize: OutputSize): Module {
  return adaptiveMean(1, outputSize);
}

/**
 * Means over windows such that `outputSize` of them cover the image. As `torch.nn.AdaptiveAvgPool2d`.
 *
 * @example
 * ```ts
 * adaptiveAvgPool2d(1); // [n, c, h, w] to [n, c, 1, 1]
 * adaptiveAvgPool2d([null, 4]); // [n, c, h, w] to [n, c, h, 4]
 * ```
 */
export function adaptiveAvgPool2d(outputSize: OutputSize): Module {
  return adaptiveMean(2, outputSize);
}

/**
 * Means over windows such that `outputSize` of them cover the volume. As `torch.nn.AdaptiveAvgPool3d`.
 *
 * @example
 * ```ts
 * adaptiveAvgPool3d(1);
 * ```
 */
export function adaptiveAvgPool3d(outputSize: OutputSize): Module {
  return adaptiveMean(3, outputSize);
}

/**
 * Largest values over windows such that `outputSize` of them cover [n, c, length]. As `torch.nn.AdaptiveMaxPool1d`.
 *
 * @example
 * ```ts
 * adaptiveMaxPool1d(1);
 * ```
 */
export function adaptiveMaxPool1d(outputSize: OutputSize): Module {
  return adaptiveMax(1, outputSize);
}

/**
 * Largest values over windows such that `outputSize` of them cover the image. As `torch.nn.AdaptiveMaxPool2d`.
 *
 * @example
 * ```ts
 * adaptiveMaxPool2d([4, null]);
 * ```
 */
export function adaptiveMaxPool2d(outputSize: OutputSize): Module {
  return adaptiveMax(2, outputSize);
}

/**
 * Largest values over windows such that `outputSize` of them cover the volume. As `torch.nn.AdaptiveMaxPool3d`.
 *
 * @example
 * ```ts
 * adaptiveMaxPool3d(2);
 * ```
 */
export function adaptiveMaxPool3d(outputSize: OutputSize): Module {
  return adaptiveMax(3, outputSize);
}
