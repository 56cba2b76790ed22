// A Program: a model as plain data. A list of ATen operator calls over named values, run and trained by one small
// executor in C++ (src/program/). Layers, imported graphs and the seed's Net all become one.

/** A reference to a value: an input, a parameter, a buffer, or an output of an earlier node. */
export interface ValueRef {
  readonly value: string;
}

/** An argument of an operator. Numbers become integers or floats as the operator's schema asks. */
export type Argument = ValueRef | readonly ValueRef[] | number | boolean | null | string | readonly number[];

export interface ProgramNode {
  /** The operator with its namespace, such as 'aten::conv2d'. */
  readonly op: string;
  /** Its overload, such as 'Tensor' for add; '' for none. */
  readonly overload: string;
  /**
   * Arguments by schema name; those left out take the schema's default. Arguments named `train` or `training`, and those
   * of type Generator, are not given: the executor fills them from the run.
   */
  readonly args: Readonly<Record<string, Argument>>;
  /** Names given to what the operator returns. */
  readonly outputs: readonly string[];
  /** Runs in this mode only. Default: in both. */
  readonly only?: 'training' | 'evaluation';
}

export interface ProgramTensor {
  readonly name: string;
  readonly dtype: 'float32' | 'int64';
  readonly shape: readonly number[];
}

export interface Program {
  readonly inputs: readonly string[];
  /** Trained by the optimizer. */
  readonly parameters: readonly ProgramTensor[];
  /** Part of the state, changed by operators only (batch norm's statistics). */
  readonly buffers: readonly ProgramTensor[];
  readonly nodes: readonly ProgramNode[];
  readonly outputs: readonly string[];
}
