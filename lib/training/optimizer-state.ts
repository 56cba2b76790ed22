// The state of an optimizer in the form of torch.optim's state_dict(): any is written, and SGD is read.
import { formatError } from '../checkpoint/errors';
import { Float, TensorValue, type Value } from '../checkpoint/values';
import { LearnError } from '../core/errors';
import type { TensorRef } from '../native/plans';
import { type Optimizer, torchForm } from '../optimizers';
import type { SgdOptions } from '../optimizers/sgd';
import type { Model } from '../program/module';
import { type Dict, otherOptimizer, shown } from './optimizer-names';

/** What optimizer.load_state_dict() in Python takes: keys in the order in which PyTorch has them. */
export function optimizerState(
  { program }: Model,
  optimizer: Optimizer,
  buffers: ReadonlyMap<number, TensorValue>,
): Value {
  const { group, slot } = torchForm(optimizer);
  const options = Object.entries(group).map(([name, value]): [Value, Value] => [
    name,
    typeof value === 'object' && value !== null ? new Float(value.float) : value,
  ]);
  const params = program.parameters.map((_, index) => index);
  return new Map<Value, Value>([
    ['state', new Map([...buffers].map(([index, buffer]) => [index, new Map([[slot, buffer]])]))],
    ['param_groups', [new Map<Value, Value>([...options, ['params', params]])]],
  ]);
}

export interface ReadOptimizer {
  options: SgdOptions;
  /** By the numbers of the model's parameters. */
  momentumOf(model: Model): (TensorRef | null)[];
}

/**
 * Understands torch.optim.SGD, of one group of parameters or of several with equal options whose names it has. Throws where
 * the optimizer is another one, or would continue differently here.
 */
export function readOptimizer(value: Value | undefined): ReadOptimizer {
  if (value === undefined || value === null) return { options: {}, momentumOf: () => [] };
  const groups = groupsOf(value instanceof Map ? value.get('param_groups') : undefined);
  const states = value instanceof Map ? value.get('state') : undefined;
  if (!groups || !(states instanceof Map)) throw formatError('Expected optimizer.state_dict() under optimizer');
  const other = otherOptimizer(groups, [...states.values()]);
  if (other !== undefined) throw refusal(`it is ${other}, and only SGD is resumed`);
  const [first, ...more] = groups.map(optionsOf);
  for (const [i, options] of more.entries()) {
    const name = (Object.keys(options) as (keyof SgdOptions)[]).find((key) => options[key] !== first![key]);
    if (name !== undefined)
      throw refusal(
        `it has ${groups.length} parameter groups of different options (${name} is ${first![name]} in group 0, ` +
          `${options[name]} in group ${i + 1}), and here all parameters have the same`,
      );
  }
  return { options: first!, momentumOf: (model) => momentumOf(model, groups, states) };
}

function refusal(what: string): LearnError {
  return new LearnError(
    'ERR_STATE_MISMATCH',
    `its optimizer cannot be resumed: ${what}. To train its weights with a new optimizer, pass the path as the source ` +
      'instead of "resume"',
  );
}

function groupsOf(value: Value | undefined): Dict[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.every((group) => group instanceof Map && Array.isArray(group.get('params')))
    ? (value as Dict[])
    : undefined;
}

function optionsOf(group: Dict): Required<SgdOptions> {
  for (const name of ['dampening', 'maximize'])
    if (group.get(name)) throw refusal(`${name} is ${shown(group.get(name))}, which this library does not have`);
  const number = (name: string): number => {
    const given = group.get(name);
    // lr may be a tensor without dimensions; SGD uses its value.
    const plain = given instanceof TensorValue && given.shape.length === 0 ? Number(given.data[0]) : given;
    if (typeof plain === 'number' && plain >= 0) return plain;
    throw refusal(`${name} is ${shown(given)}, not a number of at least 0`);
  };
  return {
    learningRate: number('lr'),
    momentum: number('momentum'),
    weightDecay: number('weight_decay'),
    nesterov: group.get('nesterov') === true,
  };
}

function momentumOf({ name, program: { parameters } }: Model, groups: readonly Dict[], states: Dict) {
  const params = orderOf(
    groups,
    parameters.map((parameter) => parameter.name),
  );
  if (params.length !== parameters.length)
    throw refusal(`it has ${params.length} parameters, but ${name} has ${parameters.length}`);
  return params.map((param, i): TensorRef | null => {
    const state = states.get(param);
    const buffer = state instanceof Map ? state.get('momentum_buffer') : undefined;
    if (buffer === undefined || buffer === null) return null;
    const { name: parameter, shape } = parameters[i]!;
    if (!(buffer instanceof TensorValue) || String(buffer.shape) !== String(shape))
      throw refusal(`expected a momentum buffer of shape [${shape.join(', ')}] for ${parameter}`);
    return { state: buffer.handle, index: buffer.index };
  });
}

/**
 * The keys under which the optimizer keeps the states of the parameters called `names`: by their names, where it has them, as
 * of SGD(model.named_parameters()), else in the order of the one group.
 */
function orderOf(groups: readonly Dict[], names: readonly string[]): readonly Value[] {
  const params = groups.flatMap((group) => group.get('params') as Value[]);
  const given = groups.flatMap((group) => (group.get('param_names') ?? []) as Value[]);
  const byName = new Map(given.map((name, i) => [name, params[i]!]));
  if (given.length === params.length && names.every((name) => byName.has(name)) && byName.size === names.length)
    return names.map((name) => byName.get(name)!);
  if (groups.length === 1) return params;
  throw refusal(
    `it has ${groups.length} parameter groups, and does not say which of the model's parameters are in which`,
  );
}
