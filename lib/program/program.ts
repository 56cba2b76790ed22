// A Program is a model as plain data: a list of ATen operator calls over named values. One small executor in C++
// (src/program/) runs and trains it. Layers, imported graphs and the reference script's Net all become programs.

/** A reference to a value: an input, a parameter, a buffer, or an output of an earlier node. */
export interface ValueRef {
  readonly value: string;
}

/** An argument of an operator. Numbers become integers or floats as the operator's schema asks. */
export type Argument = ValueRef | readonly ValueRef[] | number | boolean | null | string | readonly number[];

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
  /** Names of the values that the operator returns. */
  readonly outputs: readonly string[];
  /** Runs only in this mode. Default: in both. */
  readonly only?: 'training' | 'evaluation';
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
