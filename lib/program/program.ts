// A Program is a model as plain data: a list of ATen operator calls over named values. One small executor in C++
// (src/program/) runs and trains it. Layers, imported graphs and the reference script's Net all become programs.

import { own } from '../core/checks';

/** A reference to a value: an input, a parameter, a buffer, or an output of an earlier node. */
export interface ValueRef {
  readonly value: string;
}

/** Data types that a program may name, and that its tensors may have. */
export type ProgramDType =
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'bool'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128';

/** A memory format, by PyTorch's name without `torch.`. */
export type MemoryFormat = 'contiguous_format' | 'channels_last' | 'channels_last_3d' | 'preserve_format';

/**
 * A constant of a known type, where an operator's result depends on it: `2` and `2.0` of a Scalar are `{ int: 2 }` and `{ float: 2 }`.
 * Integers that a number does not hold exactly are texts of their digits.
 * `{ run: 'training' }` is whether the run trains, `{ run: 'device' }` the device that it computes on.
 */
export type TypedConstant =
  | { readonly int: number | string }
  | { readonly float: number }
  | { readonly dtype: ProgramDType }
  | { readonly memoryFormat: MemoryFormat }
  | { readonly layout: 'strided' }
  | { readonly run: 'training' | 'device' };

/** An item of a list: null where a list of optional tensors has none. */
export type ListItem =
  | ValueRef
  | number
  | boolean
  | null
  | { readonly int: number | string }
  | { readonly float: number };

/** An argument of an operator. Numbers become integers or floats as the operator's schema asks. */
export type Argument = ValueRef | TypedConstant | number | boolean | null | string | readonly ListItem[];

/** The name of a value that an operator returns; null: nobody reads it. */
export type OutputName = string | null;

/** One call of an operator. */
export interface ProgramNode {
  /** The operator with its namespace, such as 'aten::conv2d'. */
  readonly op: string;
  /** Its overload, such as 'Tensor' for add; '' for none. */
  readonly overload: string;
  /**
   * Arguments by schema name; omitted ones have the schema's default. The executor fills in those of type Generator, and, where they
   * are omitted, those named `train` or `training`: whether the run trains.
   */
  readonly args: Readonly<Record<string, Argument>>;
  /** Names of the values that the operator returns; of a list, a list of names. */
  readonly outputs: readonly (OutputName | readonly OutputName[])[];
  /** Runs only in this mode. Default: in both. */
  readonly only?: 'training' | 'evaluation';
  /** Whether autograd records it. Default: as the run says. */
  readonly gradient?: false;
  /**
   * As `torch.autocast` with this dtype, or without (false). What it casts once stays cast for the neighbouring nodes of one `region`.
   * Default: as the run says.
   */
  readonly autocast?: { readonly dtype: ProgramDType | false; readonly region: number };
  /** Of `control::condition`, whose `condition` chooses one: the values `operands` are the inputs of both. */
  readonly branches?: { readonly whenTrue: Branch; readonly whenFalse: Branch };
  /** Where the model's code has it, for messages: 'the module "layer1.0", line 12 of net'. */
  readonly place?: string;
}

/** Calls that run if a condition says so. They use `inputs` alone. */
export interface Branch {
  readonly inputs: readonly string[];
  readonly nodes: readonly ProgramNode[];
  readonly outputs: readonly string[];
}

/** An input of a program. */
export interface ProgramInput {
  readonly name: string;
  /** Data types that can be cast to it without loss are accepted too. */
  readonly dtype: 'float32' | 'int64' | 'int32' | 'uint8';
  /**
   * Shape of one sample, such as [3, 32, 32]. A free axis has the name of its size, one of Program.sizes. Missing: the program takes
   * any shape that its operators take.
   */
  readonly shape?: readonly (number | string)[];
}

/** Returns the shape of one sample if the input fixes it. */
export function fixedShape(input: ProgramInput): readonly number[] | undefined {
  const shape = own(input, 'shape');
  return shape?.every((size) => typeof size === 'number') ? (shape as readonly number[]) : undefined;
}

/** A parameter or a buffer of a program. */
export interface ProgramTensor {
  readonly name: string;
  readonly dtype: ProgramDType;
  readonly shape: readonly number[];
  /** In elements. Kernels, and so bits, depend on it. Missing: row-major. */
  readonly stride?: readonly number[];
  /** Other names of the same tensor in a state dict, as of weights that two modules share. */
  readonly ties?: readonly string[];
  /** A parameter that no optimizer changes. */
  readonly frozen?: true;
}

/** A tensor that belongs to the program and not to the state. */
export interface ProgramConstant {
  readonly name: string;
  readonly dtype: ProgramDType;
  readonly shape: readonly number[];
  readonly stride?: readonly number[];
  /** Elements in row-major order, little-endian, in base64. */
  readonly data: string;
}

/** Least and most that a size may be; without `max` it is not limited. */
export interface SizeRange {
  readonly min: number;
  readonly max?: number;
}

/** The limits of a size, which is not limited where there is no range. */
export function limitsOf(range: SizeRange | undefined): Required<SizeRange> {
  return { min: range?.min ?? 0, max: (range && own(range, 'max')) ?? Infinity };
}

/** A model as a list of operator calls over named values. */
export interface Program {
  readonly inputs: readonly ProgramInput[];
  /** Trained by the optimizer. */
  readonly parameters: readonly ProgramTensor[];
  /** Part of the state, changed by operators only (batch norm's statistics). */
  readonly buffers: readonly ProgramTensor[];
  readonly nodes: readonly ProgramNode[];
  readonly outputs: readonly string[];
  readonly constants?: readonly ProgramConstant[];
  /** Sizes of free axes of the inputs, by name. */
  readonly sizes?: Readonly<Record<string, SizeRange>>;
  /** Samples of one batch. Default: any number. */
  readonly batch?: SizeRange;
  /** Why the program cannot evaluate, such as 'aten::randn_like draws random numbers'. Missing: it can. */
  readonly trainsOnly?: string;
  /** Comes from torch.export: it runs as it is, without rewrites that know only the layers of this library. */
  readonly exported?: true;
}

/** Names of the values that a node computes, one after the other. */
export function outputNames({ outputs }: ProgramNode): string[] {
  return outputs.flat().filter((name) => name !== null);
}

/** The nodes with those of their branches. */
export function everyNode(nodes: readonly ProgramNode[]): ProgramNode[] {
  return nodes.flatMap((one) => {
    const branches = own(one, 'branches');
    return [
      one,
      ...(branches ? [branches.whenTrue, branches.whenFalse].flatMap((branch) => everyNode(branch.nodes)) : []),
    ];
  });
}

/** Names of the values in an argument. */
export function valueNames(argument: Argument): string[] {
  if (isReference(argument)) return [argument.value];
  return isList(argument) ? argument.filter(isReference).map((item) => item.value) : [];
}

export function isReference(argument: unknown): argument is ValueRef {
  return typeof argument === 'object' && argument !== null && 'value' in argument;
}

export function isList(argument: Argument): argument is readonly ListItem[] {
  return Array.isArray(argument);
}
