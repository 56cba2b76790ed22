// What surrounds a tensor in a pickle: parameters, and tensors of a class or with attributes. For tensors.ts.
import { formatError, UnsupportedTensor } from './errors';
import { PickleCall, PickleDict, PickleGlobal, PickleTuple, type PickleValue } from './pickle/values';

/** With how many arguments each can have: the tensor, requires_grad, hooks, attributes. */
export const parameters: ReadonlyMap<string, readonly [least: number, most: number]> = new Map([
  ['torch._utils._rebuild_parameter', [3, 3]],
  ['torch._utils._rebuild_parameter_with_state', [4, 4]],
  // As PyTorch before 0.4 made them: an object with the tensor as its argument.
  ['torch.nn.parameter.Parameter', [1, 2]],
  ['torch.autograd.variable.Variable', [1, 3]],
]);

/** Classes that _rebuild_from_type_v2 may name; others keep more than a tensor. */
const plainTypes: ReadonlySet<string> = new Set([
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.nn.parameter.Buffer',
]);

/** Of parameters, what NEWOBJ may make: a class, not a function. */
export const classes: ReadonlySet<string> = new Set([
  'torch.nn.parameter.Parameter',
  'torch.autograd.variable.Variable',
]);

/** The tensor that a parameter is made of. */
export function ofParameter(name: string, args: readonly PickleValue[], path: string): PickleValue {
  const [least, most] = parameters.get(name)!;
  const [tensor = null, requiresGrad = false, hooks = null] = args;
  if (args.length < least || args.length > most || typeof requiresGrad !== 'boolean' || !areNoHooks(hooks))
    throw formatError(`${path} is a parameter with unexpected arguments`);
  if (args.length === 4) checkAttributes(args[3], path);
  return tensor;
}

/** What PyTorch would replace in the tensor itself: its values, most of all. */
const ownAttributes = /^(data|real|imag|names|_?grad|requires_grad|volatile|_backward_hooks|__.*)$/;

/** Attributes that callers gave a tensor: a dict, or with those of slots two of them. PyTorch sets each, whatever its name. */
function checkAttributes(state: PickleValue | undefined, path: string): void {
  for (const dict of state instanceof PickleTuple && state.items.length === 2 ? state.items : [state]) {
    if (dict === null) continue;
    const names = dict instanceof PickleDict ? [...dict.entries.keys()] : [null];
    if (!names.every((name) => typeof name === 'string' && !ownAttributes.test(name)))
      throw formatError(`${path} is a tensor with attributes that would replace parts of it`);
    if (dict instanceof PickleDict) for (const value of dict.entries.values()) checkUnmade(value, path);
  }
}

/** A tensor among the attributes is not made here. Python makes it, and fails where its sizes and strides do not fit. */
function checkUnmade(value: PickleValue, path: string): void {
  if (!(value instanceof PickleCall) || !(value.callee instanceof PickleGlobal)) return;
  const args = value.args instanceof PickleTuple ? value.args.items : [];
  const [shape, stride] = args.slice(2, 4).map((sizes) => (sizes instanceof PickleTuple ? sizes.items.length : -1));
  if (value.callee.name.startsWith('torch._utils._rebuild_tensor') && shape !== stride)
    throw formatError(`${path} has an attribute that is a tensor with unexpected sizes or strides`);
}

/** What objects before PyTorch 0.4 had beside their tensor: requires_grad, volatile, hooks. With more, it would be another. */
export function isPlainState(state: PickleValue): boolean {
  return state instanceof PickleTuple && state.items.length === 3 && areNoHooks(state.items[2]);
}

export function areNoHooks(hooks: PickleValue | undefined): boolean {
  return hooks === null || (hooks instanceof PickleDict && hooks.size === 0);
}

/** What _rebuild_from_type_v2(function, type, arguments, attributes) makes a tensor of. */
export function ofPlainType([callee, type, args, state, ...more]: readonly PickleValue[], path: string): PickleValue {
  if (!(type instanceof PickleGlobal) || !(callee instanceof PickleGlobal) || more.length > 0)
    throw formatError(`${path} is a tensor with unexpected arguments`);
  checkAttributes(state, path);
  if (!plainTypes.has(type.name))
    throw new UnsupportedTensor(`${path} is a tensor of the class ${type.name}; store the plain tensor before saving`);
  return new PickleCall(callee, args ?? null);
}
