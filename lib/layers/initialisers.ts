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
