// A Program is a model as plain data: a list of ATen operator calls over named values. One small executor in C++
// (src/program/) runs and trains it. Layers, imported graphs and the reference script's Net all become programs.

/** A reference to a value: an input, a parameter, a buffer, or an output of an earlier node. */
export interface ValueRef {
  readonly value: string;
}

/** Data types that a program may name. */
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

/**
 * A constant of a known type, where an operator's result depends on it: `2` and `2.0` of a Scalar are `{ int: 2 }` and `{ float: 2 }`.
 * `{ run: 'training' }` is whether the run trains, `{ run: 'device' }` the device that it computes on.
 */
export type TypedConstant =
  | { readonly int: number | bigint }
  | { readonly float: number }
  | { readonly dtype: ProgramDType }
  | { readonly memoryFormat: 'contiguous' | 'channelsLast' | 'channelsLast3d' | 'preserve' }
  | { readonly layout: 'strided' }
  | { readonly run: 'training' | 'device' };

/** An item of a list: null where a list of optional tensors has none. */
export type ListItem =
  | ValueRef
  | number
  | boolean
  | null
  | { readonly int: number | bigint }
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
  /** As `torch.autocast` with this dtype, or without (false). Default: as the run says. */
  readonly autocast?: ProgramDType | false;
}

/** An input of a program. */
export interface ProgramInput {
  readonly name: string;
  /** Data types that can be cast to it without loss are accepted too. */
  readonly dtype: 'float32' | 'int64' | 'int32' | 'uint8';
  /** Shape of one sample, such as [3, 32, 32]. Missing: the program takes any that its operators take. */
  readonly shape?: readonly number[];
}

/** The shape of one sample, if the input fixes it. */
export function fixedShape(input: ProgramInput): readonly number[] | undefined {
  return Object.hasOwn(input, 'shape') ? input.shape : undefined;
}

/** A parameter or a buffer of a program. */
export interface ProgramTensor {
  readonly name: string;
  readonly dtype: 'float32' | 'int64';
  readonly shape: readonly number[];
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
}

/** Names of the values that a node computes, one after the other. */
export function outputNames({ outputs }: ProgramNode): string[] {
  return outputs.flat().filter((name) => name !== null);
}

/** Names of the values in an argument. */
export function valueNames(argument: Argument): string[] {
  if (typeof argument !== 'object' || argument === null) return [];
  if ('value' in argument) return [argument.value];
  if (!isList(argument)) return [];
  return argument.flatMap((item) => (typeof item === 'object' && item !== null && 'value' in item ? [item.value] : []));
}

export function isList(argument: Argument): argument is readonly ListItem[] {
  return Array.isArray(argument);
}
