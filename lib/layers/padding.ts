// Padding of torch.nn over one, two or three axes: torch/nn/modules/padding.py.
import { checkNumbers, invalid } from '../core/checks';
import { leaf, type Module, node, value } from '../program/module';

/**
 * Elements added on every side, or one number for each side, the last axis first: [left, right, top, bottom, front, back]. Negative ones cut
 * off.
 */
export type Padding = number | readonly number[];

function sidesOf(caller: string, padding: Padding, axes: number, min?: number): number[] {
  const sides = typeof padding === 'number' ? Array.from({ length: 2 * axes }, () => padding) : padding;
  if (!Array.isArray(sides) || sides.length !== 2 * axes)
    throw invalid(`a number or ${2 * axes} of them`, `${caller}: padding`, padding);
  for (const side of sides)
    checkNumbers(caller, { padding: side }, min === undefined ? { integer: true } : { integer: true, min });
  return [...sides];
}

function constantPad(caller: string, type: string, axes: number, padding: Padding, fill: number): Module {
  checkNumbers(caller, { value: fill }, {});
  const args = { self: value('input'), pad: sidesOf(caller, padding, axes), mode: 'constant', value: { float: fill } };
  return leaf(type, [node('pad', '', args)]);
}

function pad(caller: string, type: string, axes: number, padding: Padding, mode: string): Module {
  const args = { self: value('input'), pad: sidesOf(caller, padding, axes, 0), mode };
  return leaf(type, [node('pad', '', args)]);
}

/**
 * Adds zeros around [n, c, length]. As `torch.nn.ZeroPad1d`.
 *
 * @example
 * ```ts
 * zeroPad1d([2, 0]);
 * ```
 */
export function zeroPad1d(padding: Padding): Module {
  return constantPad('zeroPad1d', 'ZeroPad1d', 1, padding, 0);
}

/**
 * Adds elements of one value around [n, c, length]. As `torch.nn.ConstantPad1d`.
 *
 * @example
 * ```ts
 * constantPad1d(1, 0.5);
 * ```
 */
export function constantPad1d(padding: Padding, fill: number): Module {
  return constantPad('constantPad1d', 'ConstantPad1d', 1, padding, fill);
}

/**
 * Continues [n, c, length] by its mirror image, without the edge twice. As `torch.nn.ReflectionPad1d`.
 *
 * @example
 * ```ts
 * reflectionPad1d(1);
 * ```
 */
export function reflectionPad1d(padding: Padding): Module {
  return pad('reflectionPad1d', 'ReflectionPad1d', 1, padding, 'reflect');
}

/**
 * Continues [n, c, length] by its edge. As `torch.nn.ReplicationPad1d`.
 *
 * @example
 * ```ts
 * replicationPad1d(1);
 * ```
 */
export function replicationPad1d(padding: Padding): Module {
  return pad('replicationPad1d', 'ReplicationPad1d', 1, padding, 'replicate');
}

/**
 * Continues [n, c, length] from its other side. As `torch.nn.CircularPad1d`.
 *
 * @example
 * ```ts
 * circularPad1d(1);
 * ```
 */
export function circularPad1d(padding: Padding): Module {
  return pad('circularPad1d', 'CircularPad1d', 1, padding, 'circular');
}

/**
 * Adds zeros around [n, c, h, w]. As `torch.nn.ZeroPad2d`.
 *
 * @example
 * ```ts
 * zeroPad2d(1);
 * ```
 */
export function zeroPad2d(padding: Padding): Module {
  return constantPad('zeroPad2d', 'ZeroPad2d', 2, padding, 0);
}

/**
 * Adds elements of one value around [n, c, h, w]. As `torch.nn.ConstantPad2d`.
 *
 * @example
 * ```ts
 * constantPad2d(1, 0.5);
 * ```
 */
export function constantPad2d(padding: Padding, fill: number): Module {
  return constantPad('constantPad2d', 'ConstantPad2d', 2, padding, fill);
}

/**
 * Continues [n, c, h, w] by its mirror image, without the edge twice. As `torch.nn.ReflectionPad2d`.
 *
 * @example
 * ```ts
 * reflectionPad2d(1);
 * ```
 */
export function reflectionPad2d(padding: Padding): Module {
  return pad('reflectionPad2d', 'ReflectionPad2d', 2, padding, 'reflect');
}

/**
 * Continues [n, c, h, w] by its edge. As `torch.nn.ReplicationPad2d`.
 *
 * @example
 * ```ts
 * replicationPad2d(1);
 * ```
 */
export function replicationPad2d(padding: Padding): Module {
  return pad('replicationPad2d', 'ReplicationPad2d', 2, padding, 'replicate');
}

/**
 * Continues [n, c, h, w] from its other side. As `torch.nn.CircularPad2d`.
 *
 * @example
 * ```ts
 * circularPad2d(1);
 * ```
 */
export function circularPad2d(padding: Padding): Module {
  return pad('circularPad2d', 'CircularPad2d', 2, padding, 'circular');
}

/**
 * Adds zeros around [n, c, d, h, w]. As `torch.nn.ZeroPad3d`.
 *
 * @example
 * ```ts
 * zeroPad3d(1);
 * ```
 */
export function zeroPad3d(padding: Padding): Module {
  return constantPad('zeroPad3d', 'ZeroPad3d', 3, padding, 0);
}

/**
 * Adds elements of one value around [n, c, d, h, w]. As `torch.nn.ConstantPad3d`.
 *
 * @example
 * ```ts
 * constantPad3d(1, 0.5);
 * ```
 */
export function constantPad3d(padding: Padding, fill: number): Module {
  return constantPad('constantPad3d', 'ConstantPad3d', 3, padding, fill);
}

/**
 * Continues [n, c, d, h, w] by its mirror image, without the edge twice. As `torch.nn.ReflectionPad3d`.
 *
 * @example
 * ```ts
 * reflectionPad3d(1);
 * ```
 */
export function reflectionPad3d(padding: Padding): Module {
  return pad('reflectionPad3d', 'ReflectionPad3d', 3, padding, 'reflect');
}

/**
 * Continues [n, c, d, h, w] by its edge. As `torch.nn.ReplicationPad3d`.
 *
 * @example
 * ```ts
 * replicationPad3d(1);
 * ```
 */
export function replicationPad3d(padding: Padding): Module {
  return pad('replicationPad3d', 'ReplicationPad3d', 3, padding, 'replicate');
}

/**
 * Continues [n, c, d, h, w] from its other side. As `torch.nn.CircularPad3d`.
 *
 * @example
 * ```ts
 * circularPad3d(1);
 * ```
 */
export function circularPad3d(padding: Padding): Module {
  return pad('circularPad3d', 'CircularPad3d', 3, padding, 'circular');
}
