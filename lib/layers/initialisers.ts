// How PyTorch's modules draw their first weights. The arithmetic follows torch/nn/init.py operation by operation, since
// a bound that differs in its last bit gives other weights.
import type { Initialiser } from '../program/module';

/** `kaiming_uniform_(weight, a=sqrt(5))`, as Linear and Conv2d call it (He et al. 2015, eq. 14). */
export function kaimingUniform(fanIn: number): Initialiser {
  const slope = Math.sqrt(5);
  const gain = Math.sqrt(2 / (1 + slope * slope));
  const deviation = gain / Math.sqrt(fanIn);
  return { kind: 'uniform', bound: Math.sqrt(3) * deviation };
}

/** The bias of Linear and Conv2d: uniform in ±1/sqrt(fanIn). */
export function biasUniform(fanIn: number): Initialiser {
  return { kind: 'uniform', bound: 1 / Math.sqrt(fanIn) };
}

export function constant(value: number): Initialiser {
  return { kind: 'constant', value };
}

/** `normal_(tensor, 0, deviation)`. */
export function normal(deviation: number): Initialiser {
  return { kind: 'normal', mean: 0, deviation };
}

/** `trunc_normal_(tensor, std=deviation)`, with its own limits. */
export function truncated(deviation: number): Initialiser {
  return { kind: 'truncatedNormal', mean: 0, deviation, low: -2, high: 2 };
}

/** `kaiming_normal_(weight)` for relu, of this fan (He et al. 2015, eq. 10). */
export function kaimingNormal(fan: number): Initialiser {
  return normal(Math.sqrt(2) / Math.sqrt(fan));
}

/** `xavier_uniform_(weight)` of a matrix (Glorot and Bengio 2010, eq. 16). */
export function xavierUniform(shape: readonly number[]): Initialiser {
  const deviation = Math.sqrt(2 / (shape[1]! + shape[0]!));
  return { kind: 'uniform', bound: Math.sqrt(3) * deviation };
}
