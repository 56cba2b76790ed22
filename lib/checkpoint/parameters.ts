// Unwraps tensors in a pickle: parameters, and tensors of a class or with attributes. For tensors.ts.
import { formatError, UnsupportedTensor } from './errors';
import { PickleCall, PickleDict, PickleGlobal, PickleTuple, type PickleValue } from './pickle/values';

/** Functions and classes that make parameters, and the number of their arguments: tensor, requires_grad, hooks, attributes. */
export const parameters: ReadonlyMap<string, readonly [least: number, most: number]> = new Map([
  ['torch._utils._rebuild_parameter', [3, 3]],
  ['torch._utils._rebuild_parameter_with_state', [4, 4]],
  // PyTorch before 0.4 pickled an object with the tensor as its argument.
  ['torch.nn.parameter.Parameter', [1, 2]],
  ['torch.autograd.variable.Variable', [1, 3]],
]);

/** Classes that _rebuild_from_type_v2 may name; other classes hold more than a tensor. */
const plainTypes: ReadonlySet<string> = new Set([
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.nn.parameter.Buffer',
]);

/** Those of `parameters` that NEWOBJ may make: classes, not functions. */
export const classes: ReadonlySet<string> = new Set([
  'torch.nn.parameter.Parameter',
  'torch.autograd.variable.Variable',
]);

/** Returns the tensor inside a parameter. */
export function ofParameter(name: string, args: readonly PickleValue[], path: string): PickleValue {
  const [least, most] = parameters.get(name)!;
  const [tensor = null, requiresGrad = false, hooks = null] = args;
  if (args.length < least || args.length > most || typeof requiresGrad !== 'boolean' || !areNoHooks(hooks))
    throw formatError(`${path} is a parameter with unexpected arguments`);
  if (args.length === 4) checkAttributes(args[3], path);
  return tensor;
}

/** Attributes whose setting would change the tensor itself, above all its values. */
const ownAttributes = /^(data|real|imag|names|_?grad|requires_grad|volatile|_backward_hooks|__.*)$/;

/** Checks a tensor's own attributes: one dict, or two if there are slots. PyTorch sets every one, whatever its name. */
function checkAttributes(state: PickleValue | undefined, path: string): void {
  for (const dict of state instanceof PickleTuple && state.items.length === 2 ? state.items : [state]) {
    if (dict === null) continue;
    const names = dict instanceof PickleDict ? [...dict.entries.keys()] : [null];
    if (!names.every((name) => typeof name === 'string' && !ownAttributes.test(name)))
      throw formatError(`${path} is a tensor with attributes that would replace parts of it`);
    if (dict instanceof PickleDict) for (const value of dict.entries.values()) checkUnmade(value, path);
  }
}

/** Refuses a tensor among the attributes that Python would fail to make. It is not made here. */
function checkUnmade(value: PickleValue, path: string): void {
  if (!(value instanceof PickleCall) || !(value.callee instanceof PickleGlobal)) return;
  const args = value.args instanceof PickleTuple ? value.args.items : [];
  const [shape, stride] = args.slice(2, 4).map((sizes) => (sizes instanceof PickleTuple ? sizes.items.length : -1));
  if (value.callee.name.startsWith('torch._utils._rebuild_tensor') && shape !== stride)
    throw formatError(`${path} has an attribute that is a tensor with unexpected sizes or strides`);
}

/** Whether this is the state of a parameter before PyTorch 0.4: requires_grad, volatile, no hooks, and nothing else. */
export function isPlainState(state: PickleValue): boolean {
  return state instanceof PickleTuple && state.items.length === 3 && areNoHooks(state.items[2]);
}

export function areNoHooks(hooks: PickleValue | undefined): boolean {
  return hooks === null || (hooks instanceof PickleDict && hooks.size === 0);
}

/** Returns the call inside _rebuild_from_type_v2(function, type, arguments, attributes). */
export function ofPlainType([callee, type, args, state, ...more]: readonly PickleValue[], path: string): PickleValue {
  if (!(type instanceof PickleGlobal) || !(callee instanceof PickleGlobal) || more.length > 0)
    throw formatError(`${path} is a tensor with unexpected arguments`);
  checkAttributes(state, path);
  if (!plainTypes.has(type.name))
    throw new UnsupportedTensor(`${path} is a tensor of the class ${type.name}; store the plain tensor before saving`);
  return new PickleCall(callee, args ?? null);
}
