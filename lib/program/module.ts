// Modules: models as trees of plain data, composed as in torch.nn. build-model.ts flattens a tree into the list of operator calls
// that the executor runs, with PyTorch's names for all parameters and buffers.
import { isRecord, own } from '../core/checks';
import { LearnError } from '../core/errors';
import { frozen } from '../core/family';
import type { Argument, Program, ProgramDType, ProgramNode, ValueRef } from './program';

/** A tensor of a model's state. */
export interface ModelTensor {
  readonly name: string;
  readonly dtype: ProgramDType;
  readonly shape: readonly number[];
  /** How PyTorch's modules initialise it; of a tensor that Model.draws names, its last value. Missing: the model comes from a file, with its state. */
  readonly init?: Initialiser;
}

/** One tensor to make. */
export interface InitialTensor extends ModelTensor {
  readonly init: Initialiser;
}

/** How a tensor gets its first values. Draws are those of torch.nn.init with the run's generator. */
export type Initialiser =
  /** `row`: only that one of the first axis. */
  | { readonly kind: 'constant'; readonly value: number; readonly row?: number }
  /** Uniform in [-bound, bound). */
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly deviation: number }
  /** `torch.nn.init.trunc_normal_`: a normal distribution within [low, high]. */
  | {
      readonly kind: 'truncatedNormal';
      readonly mean: number;
      readonly deviation: number;
      readonly low: number;
      readonly high: number;
    }
  /** Operators that compute the value `output` of constants alone. */
  | { readonly kind: 'computed'; readonly nodes: readonly ProgramNode[] }
  /** The values that the tensor of that name, from the same module on, has by then: `copy.deepcopy()` of a layer. */
  | { readonly kind: 'copy'; readonly tensor: string };

/** The next values of a tensor. */
export interface Draw {
  /** Its name; in a module, from the module on, such as 'conv1.weight'. */
  readonly tensor: string;
  readonly init: Initialiser;
}

/** A tensor that a module owns; its full name is the module's path, a dot, and this name. */
export interface ModuleTensor {
  readonly name: string;
  readonly role: 'parameter' | 'buffer';
  readonly dtype: 'float32' | 'int64';
  readonly shape: readonly number[];
  readonly init: Initialiser;
}

/**
 * Runs a child module. `input` and `output` are values of this module: those that the child calls `input` and `output`, or of each value of
 * the child by its name, such as `{ input: 'words', mask: 'mask' }`. A module that runs several times has one set of tensors.
 */
export interface ModuleCall {
  readonly module: string;
  readonly input: string | Readonly<Record<string, string>>;
  readonly output: string | Readonly<Record<string, string>>;
}

/**
 * A module: its name in torch.nn, its tensors and children, and the steps that compute the value `output` from the value
 * `input`. A node may use this module's own tensors, `input`, the outputs of earlier steps, and inputs of the model by modelInput().
 */
export interface Module {
  /** Name of the class in torch.nn. */
  readonly type: string;
  /** `_version` of that class, kept in a state dict's `_metadata`. */
  readonly version: number;
  readonly tensors: readonly ModuleTensor[];
  /** A model that layers make counts as a module too. */
  readonly children: readonly (readonly [name: string, module: Module | Model])[];
  readonly steps: readonly (ProgramNode | ModuleCall)[];
  /**
   * What is drawn after the tensors of this module, and then those of its children, were initialised, as the end of `__init__` in PyTorch does.
   * Default: nothing.
   */
  readonly draws?: readonly Draw[];
}

/** A model as a plain value: its program, and the tensors of its state. */
export interface Model {
  /** For messages, such as 'Net'. */
  readonly name: string;
  readonly program: Program;
  /** Every parameter and buffer by all its names in state-dict order. */
  readonly tensors: readonly ModelTensor[];
  /** Path and version of every module, the root first: a state dict's `_metadata`. */
  readonly modules: readonly (readonly [path: string, version: number])[];
  /** How the tensors are initialised, in order. Default: each by its `init`, in the order of `tensors`. */
  readonly draws?: readonly Draw[];
}

/** Whether a value has the form of a module or of a model. Whether its steps are sound is seen when a model is built. */
export function isLayer(layer: unknown): layer is Module | Model {
  if (!isRecord(layer)) return false;
  const program = own(layer, 'program');
  const areLists = (from: object, names: readonly string[]) =>
    names.every((name) => Array.isArray(own(from as Readonly<Record<string, unknown>>, name)));
  if (program === undefined)
    return (
      typeof own(layer, 'type') === 'string' &&
      Number.isInteger(own(layer, 'version')) &&
      areLists(layer, ['steps', 'tensors', 'children'])
    );
  const lists = ['inputs', 'outputs', 'parameters', 'buffers', 'nodes'];
  return isRecord(program) && areLists(layer, ['tensors', 'modules']) && areLists(program, lists);
}

/** How the tensors of a model are initialised, in order; undefined if a tensor has no `init`, as those of a file. */
export function drawsOf(model: Model): readonly Draw[] | undefined {
  const draws = own(model, 'draws');
  if (draws !== undefined) return draws;
  const plain = model.tensors.map((tensor) => ({ tensor: tensor.name, init: own(tensor, 'init') }));
  return plain.every((draw): draw is Draw => draw.init !== undefined) ? plain : undefined;
}

/** Whether a child is a model, which layers made. */
export function isBuilt(child: Module | Model): child is Model {
  return Object.hasOwn(child, 'program');
}

/**
 * Makes a layer without layers inside: `steps` compute the value `output` from the value `input` and from its own tensors. docs/layers.md.
 *
 * @example
 * ```ts
 * const double = leaf('Double', [node('mul', 'Tensor', { self: value('input'), other: 2 })]);
 * const model = sequential({ fc: linear(4, 2), double });
 * ```
 */
export function leaf(
  type: string,
  steps: readonly ProgramNode[],
  tensors: readonly ModuleTensor[] = [],
  version = 1,
): Module {
  const layer = { type, version, tensors, children: [], steps };
  if (!isLayer(layer))
    throw new LearnError(
      'ERR_INVALID_OPTION',
      'Expected leaf(type, steps, tensors?, version?): a text, a list of node(), a list of tensors and an integer',
    );
  return frozen(layer);
}

/**
 * Makes the node of one operator of ATen that computes `output`, for layers and losses of one's own.
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
  if (typeof op !== 'string' || typeof overload !== 'string' || !isRecord(args) || typeof output !== 'string')
    throw new LearnError(
      'ERR_INVALID_OPTION',
      "Expected node(op, overload, args, output?): texts, and arguments by name, as in node('relu', '', { self: value('input') })",
    );
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

const ofModel = 'input:';

/**
 * Makes a reference to an input of the model by its name, for steps of any layer in it.
 *
 * @example
 * ```ts
 * const join = leaf('Join', [node('cat', '', { tensors: [value('input'), modelInput('extras')], dim: 1 })]);
 * ```
 */
export function modelInput(name: string): ValueRef {
  return value(ofModel + name);
}

/** Returns the name of the model's input that a value of a module is. */
export function inputNamed(local: string): string | undefined {
  return local.startsWith(ofModel) ? local.slice(ofModel.length) : undefined;
}
