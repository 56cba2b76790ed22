// The state of stochastic gradient descent in the form of torch.optim.SGD.state_dict(), both ways.
import { formatError } from './checkpoint/errors';
import { Float, TensorValue, type Value } from './checkpoint/values';
import { LearnError } from './errors';
import type { Model } from './module';
import type { TensorRef } from './plans';

export interface SgdOptions {
  learningRate: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

/** What optimizer.load_state_dict() in Python takes: keys in the order in which PyTorch has them. */
export function sgdState(
  { program }: Model,
  { learningRate, momentum, weightDecay, nesterov }: SgdOptions,
  buffers: ReadonlyMap<number, TensorValue>,
): Value {
  const group = {
    lr: new Float(learningRate),
    momentum: new Float(momentum),
    dampening: 0,
    weight_decay: new Float(weightDecay),
    nesterov,
    maximize: false,
    foreach: null,
    differentiable: false,
    fused: null,
    params: program.parameters.map((_, index) => index),
  };
  return new Map<Value, Value>([
    ['state', new Map([...buffers].map(([index, buffer]) => [index, new Map([['momentum_buffer', buffer]])]))],
    ['param_groups', [new Map<Value, Value>(Object.entries(group))]],
  ]);
}

export interface ReadOptimizer {
  options: Partial<SgdOptions>;
  /** By the numbers of the model's parameters. */
  momentumOf(model: Model): (TensorRef | null)[];
}

/** Understands what torch.optim.SGD makes of one group of parameters; throws at what would go on differently here. */
export function readOptimizer(value: Value | undefined): ReadOptimizer {
  if (value === undefined || value === null) return { options: {}, momentumOf: () => [] };
  const groups = value instanceof Map ? value.get('param_groups') : undefined;
  const states = value instanceof Map ? value.get('state') : undefined;
  const group = Array.isArray(groups) ? groups[0] : undefined;
  if (!(group instanceof Map) || !(states instanceof Map) || !Array.isArray(group.get('params')))
    throw formatError('Expected optimizer.state_dict() under optimizer');
  const refuse = (what: string) => new LearnError('ERR_STATE_MISMATCH', `its optimizer cannot go on here: ${what}`);
  if ((groups as Value[]).length !== 1) throw refuse(`it has ${(groups as Value[]).length} parameter groups, not one`);
  if (group.has('betas') || !group.has('momentum')) throw refuse('it is not torch.optim.SGD');
  for (const name of ['dampening', 'maximize'])
    if (group.get(name)) throw refuse(`${name} is ${shown(group.get(name))}, which this library does not have`);

  const number = (name: string): number => {
    const given = group.get(name);
    if (typeof given === 'number' && given >= 0) return given;
    throw refuse(`${name} is ${shown(given)}, not a number of at least 0`);
  };
  const params = group.get('params') as Value[];
  return {
    options: {
      learningRate: number('lr'),
      momentum: number('momentum'),
      weightDecay: number('weight_decay'),
      nesterov: group.get('nesterov') === true,
    },
    momentumOf: ({ name, program: { parameters } }) => {
      if (params.length !== parameters.length)
        throw refuse(`it has ${params.length} parameters, but ${name} has ${parameters.length}`);
      return params.map((param, i) => {
        const state = states.get(param);
        const buffer = state instanceof Map ? state.get('momentum_buffer') : undefined;
        if (buffer === undefined || buffer === null) return null;
        const { name: parameter, shape } = parameters[i]!;
        if (!(buffer instanceof TensorValue) || String(buffer.shape) !== String(shape))
          throw refuse(`expected a momentum buffer of shape [${shape.join(', ')}] for ${parameter}`);
        return { state: buffer.handle, index: buffer.index };
      });
    },
  };
}

function shown(value: Value | undefined): string {
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
