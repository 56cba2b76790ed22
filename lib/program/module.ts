// Modules: models as trees of plain data, composed as in torch.nn. buildModel() flattens a tree into the list of operator calls
// that the executor runs, with PyTorch's names for all parameters and buffers.
import { LearnError } from '../core/errors';
import { frozen } from '../core/family';
import { onlyInput } from '../core/sample-values';
import {
  type Argument,
  isList,
  type ListItem,
  type OutputName,
  type Program,
  type ProgramDType,
  type ProgramInput,
  type ProgramNode,
  type ProgramTensor,
  type ValueRef,
} from './program';

/** A tensor of a model's state. */
export interface ModelTensor {
  readonly name: string;
  readonly dtype: ProgramDType;
  readonly shape: readonly number[];
  /** How PyTorch's modules initialise it. Missing: the model comes from a file, with its state. */
  readonly init?: Initialiser;
}

/** One tensor to make. */
export interface InitialTensor extends ModelTensor {
  readonly init: Initialiser;
}

export type Initialiser =
  | { readonly kind: 'constant'; readonly value: number }
  /** Uniform in [-bound, bound). */
  | { readonly kind: 'uniform'; readonly bound: number };

/** A tensor that a module owns; its full name is the module's path, a dot, and this name. */
export interface ModuleTensor {
  readonly name: string;
  readonly role: 'parameter' | 'buffer';
  readonly dtype: 'float32' | 'int64';
  readonly shape: readonly number[];
  readonly init: Initialiser;
}

/** Runs a child module. Its input and output are values of the parent module. */
export interface ModuleCall {
  readonly module: string;
  readonly input: string;
  readonly output: string;
}

/**
 * A module: its name in torch.nn, its tensors and children, and the steps that compute the value `output` from the value
 * `input`. A node may use this module's own tensors, `input`, and the outputs of earlier steps.
 */
export interface Module {
  /** Name of the class in torch.nn. */
  readonly type: string;
  /** `_version` of that class, kept in a state dict's `_metadata`. */
  readonly version: number;
  readonly tensors: readonly ModuleTensor[];
  readonly children: readonly (readonly [name: string, module: Module])[];
  readonly steps: readonly (ProgramNode | ModuleCall)[];
}

/** A model as a plain value: its program, and the tensors of its state. */
export interface Model {
  /** For messages, such as 'Net'. */
  readonly name: string;
  readonly program: Program;
  /** Every parameter and buffer by all its names in state-dict order, which is also the order in which they are initialised. */
  readonly tensors: readonly ModelTensor[];
  /** Path and version of every module, the root first: a state dict's `_metadata`. */
  readonly modules: readonly (readonly [path: string, version: number])[];
}

/** Makes a leaf module: nodes that use its own tensors. */
export function leaf(
  type: string,
  steps: readonly ProgramNode[],
  tensors: readonly ModuleTensor[] = [],
  version = 1,
): Module {
  return frozen({ type, version, tensors, children: [], steps });
}

/**
 * Makes the node of one operator of ATen that computes `output`, for losses of one's own.
 *
 * @example
 * ```ts
 * const error = node('sub', 'Tensor', { self: value('output'), other: value('target') }, 'error');
 * ```
 */
export function node(
  op: string,
  overload: string,
  args: Readonly<Record<string, Argument>>,
  output = 'output',
): ProgramNode {
  return { op: `aten::${op}`, overload, args, outputs: [output] };
}

/**
 * Makes a reference to the value called `name`, such as an output of an earlier node.
 *
 * @example
 * ```ts
 * const squares = node('square', '', { self: value('error') }, 'losses');
 * ```
 */
export function value(name: string): ValueRef {
  return { value: name };
}

/** The input of a model of layers: float32, and of `shape` if the model fixes it. */
export function imageInput(shape?: readonly number[]): ProgramInput {
  return { name: onlyInput, dtype: 'float32', ...(shape && { shape: [...shape] }) };
}

/** Flattens the tree `root`. Its steps use `inputs` and compute `outputs` by their names. */
export function buildModel(
  name: string,
  root: Module,
  inputs: readonly ProgramInput[] = [imageInput()],
  outputs: readonly string[] = ['output'],
): Model {
  const builder = new Builder(new Set([...inputs.map((input) => input.name), ...outputs]));
  builder.add(root, '', 'input', 'output');
  return frozen({
    name,
    program: {
      inputs,
      parameters: builder.tensorsOf('parameter'),
      buffers: builder.tensorsOf('buffer'),
      nodes: builder.nodes,
      outputs,
    },
    tensors: builder.tensors.map(({ role: _, ...tensor }) => tensor),
    modules: builder.modules,
  });
}

class Builder {
  /** Names of the model's inputs and outputs. */
  readonly #ends: ReadonlySet<string>;
  readonly nodes: ProgramNode[] = [];
  readonly tensors: (InitialTensor & { role: ModuleTensor['role'] })[] = [];
  readonly modules: [string, number][] = [];

  constructor(ends: ReadonlySet<string>) {
    this.#ends = ends;
  }

  /** Adds `module` at `path`. It reads the global value `input` and computes the global value `output`. */
  add(module: Module, path: string, input: string, output: string): void {
    this.modules.push([path, module.version]);
    for (const tensor of module.tensors) this.tensors.push({ ...tensor, name: joined(path, tensor.name) });
    // Children are added before the steps, so that tensors are in the order in which PyTorch registers them, whatever the order
    // of the steps.
    const children = new Map(module.children);
    const nodes = new Map<string, ProgramNode[]>();
    const own = new Set(module.tensors.map((tensor) => tensor.name));
    const global = (local: string) => {
      if (path === '' && this.#ends.has(local)) return local;
      if (local === 'input') return input;
      if (local === 'output') return output;
      return own.has(local) ? joined(path, local) : `${path}:${local}`;
    };
    const calls = module.steps.filter(isCall);
    for (const [name, child] of module.children) {
      const call = calls.find((step) => step.module === name);
      if (!call) throw new LearnError('ERR_INVALID_OPTION', `The module "${joined(path, name)}" is never called`);
      const before = this.nodes.length;
      this.add(child, joined(path, name), global(call.input), global(call.output));
      nodes.set(name, this.nodes.splice(before));
    }
    for (const step of module.steps) {
      if (!isCall(step)) this.nodes.push(renamed(step, global));
      else if (children.has(step.module)) this.nodes.push(...(nodes.get(step.module) ?? []));
      else throw new LearnError('ERR_INVALID_OPTION', `No module named "${joined(path, step.module)}"`);
    }
  }

  tensorsOf(role: ModuleTensor['role']): ProgramTensor[] {
    return this.tensors
      .filter((tensor) => tensor.role === role)
      .map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  }
}

function isCall(step: ProgramNode | ModuleCall): step is ModuleCall {
  return Object.hasOwn(step, 'module');
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** The node with other names for its values. */
export function renamed(step: ProgramNode, global: (local: string) => string): ProgramNode {
  const args = Object.fromEntries(
    Object.entries(step.args).map(([key, argument]) => [key, renamedArgument(argument, global)]),
  );
  const named = (name: OutputName) => (name === null ? null : global(name));
  const outputs = step.outputs.map((output) => (isNameList(output) ? output.map(named) : named(output)));
  return { ...step, args, outputs };
}

function renamedArgument(argument: Argument, global: (local: string) => string): Argument {
  const renamedItem = <Item extends Argument | ListItem>(item: Item) =>
    typeof item === 'object' && item !== null && 'value' in item ? value(global(item.value)) : item;
  return isList(argument) ? argument.map(renamedItem) : renamedItem(argument);
}

function isNameList(output: OutputName | readonly OutputName[]): output is readonly OutputName[] {
  return Array.isArray(output);
}
