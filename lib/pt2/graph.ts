// An exported program as checked, frozen, plain data. graph-reader.ts and program.ts make it: every name is defined once and before
// it is used, every reference has the type that its place needs, and every tensor lies in its record.
import type { DType } from '../checkpoint/dtypes';
import type { StoredBytes } from '../checkpoint/storages';
import type { MemoryFormat, ValueRef } from '../program/program';

/** What a value is while the program runs. Numbers are made by nodes such as aten::sym_size and combined by scalar nodes. */
export type ValueType = 'tensor' | 'int' | 'float' | 'bool';

/** A value of one graph. Inner graphs have names of their own, which may repeat those of outer ones. */
export interface Value {
  readonly name: string;
  readonly type: ValueType;
}

/** An integer is exact: a number where that is safe, otherwise a bigint. A float may be infinite or NaN, or integral: 2.0. */
export type Scalar = { readonly int: number | bigint } | { readonly float: number } | boolean | string | null;

/** null is Python's None, which differs from an argument that was left out. */
export type Constant =
  | Scalar
  | { readonly dtype: DType }
  /** Whichever device the program was exported on: the one that it runs on. */
  | { readonly device: 'run' }
  | { readonly layout: 'strided' }
  | { readonly memoryFormat: MemoryFormat };

/** Lists mix values and constants: [batch, 2, -1] of a view, [None, rows] of an index. */
export type Argument = ValueRef | Constant | readonly (ValueRef | Scalar)[];

/** What a node returns: the name of a value, a list of them, or null for what has none. */
export type Result = string | null | readonly (string | null)[];

/** Where a node comes from, for messages, and for rules on modules. */
export interface Place {
  /** The innermost module; the same object for all nodes of one call of it. Missing if the program does not say. */
  readonly module?: ModuleCall;
  /** The line of the model's code, outside torch: its file and number, as in net:12; empty if the program does not say. */
  readonly line: string;
}

export interface ModuleCall {
  /** Path as in named_modules(); '' is the model itself. The second call of a module has the suffix '@1'. */
  readonly path: string;
  /** Its class: 'torch.nn.modules.linear.Linear'. */
  readonly type: string;
}

/** A call of an operator. */
export interface OperatorNode {
  readonly kind: 'operator';
  /** With its namespace: 'aten::linear'. */
  readonly op: string;
  /** '' for the default one. */
  readonly overload: string;
  /** By schema name. Those that are missing have the schema's default. */
  readonly args: Readonly<Record<string, Argument>>;
  readonly outputs: readonly Result[];
  readonly place: Place;
}

/** A calculation with numbers, as Python does it: of sizes, mostly. */
export interface ScalarNode {
  readonly kind: 'scalar';
  /** 'mul', 'floordiv', 'ge' … : a name of scalar-operators.ts. */
  readonly operation: string;
  readonly operands: readonly (ValueRef | Scalar)[];
  /** The only result. */
  readonly output: string | null;
  readonly place: Place;
}

/** Nodes that run under other settings: the operands become the inputs of `graph`, its outputs become `outputs`, in order. */
export interface RegionNode {
  readonly kind: 'region';
  readonly settings:
    | { readonly grad: boolean }
    | {
        readonly autocast: {
          readonly device: 'run';
          readonly dtype: DType | null;
          readonly enabled: boolean;
          readonly cache: boolean | null;
        };
      };
  readonly graph: Graph;
  readonly operands: readonly (ValueRef | Scalar)[];
  readonly outputs: readonly (string | null)[];
  readonly place: Place;
}

/** torch.cond: one of two graphs runs. */
export interface ConditionNode {
  readonly kind: 'condition';
  readonly condition: ValueRef | boolean;
  readonly whenTrue: Graph;
  readonly whenFalse: Graph;
  readonly operands: readonly (ValueRef | Scalar)[];
  readonly outputs: readonly (string | null)[];
  readonly place: Place;
}

export type GraphNode = OperatorNode | ScalarNode | RegionNode | ConditionNode;

export interface Graph {
  /** null for an input whose value was fixed when the program was exported, and which nothing uses. */
  readonly inputs: readonly (Value | null)[];
  /** Every value in the order in which it is defined, the inputs first: a slot each. */
  readonly values: readonly Value[];
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly (ValueRef | Scalar)[];
}

/** A size: a number, a symbol of ExportedProgram.symbols, or an expression of symbols, which is not interpreted. */
export type Size = number | { readonly symbol: string } | { readonly expression: string };

/** The sizes that a free axis may have. */
export interface SizeRange {
  readonly name: string;
  readonly min: number;
  /** Infinity if it is not limited. */
  readonly max: number;
}

/** An argument of forward(). `name`: as its caller knows it. `value`: the input of the graph. */
export type ProgramInput =
  | {
      readonly type: 'tensor';
      readonly name: string;
      readonly value: string;
      readonly dtype: DType;
      readonly shape: readonly Size[];
    }
  | { readonly type: 'int' | 'float' | 'bool'; readonly name: string; readonly value: string }
  /** An argument that was fixed at export. It takes no value. */
  | { readonly type: 'constant'; readonly name: string; readonly constant: Scalar };

/** A leaf of what forward() returns. `path`: [] for a lone tensor, ['logits'], ['aux', 1]; `name`: its steps, joined by dots. */
export type ProgramOutput = { readonly name: string; readonly path: readonly (string | number)[] } & (
  | { readonly type: 'tensor'; readonly value: string; readonly dtype: DType; readonly shape: readonly Size[] }
  | { readonly type: 'int' | 'float' | 'bool'; readonly value: string }
  | { readonly type: 'constant'; readonly constant: Scalar }
);

/** A tensor of the program. Tied ones are one: one tensor, one gradient, several names. */
export interface ProgramTensor {
  readonly role: 'parameter' | 'buffer' | 'constant';
  /** Full names, such as 'layer1.0.weight', in the order of the program's inputs. */
  readonly names: readonly string[];
  /** The inputs of the graph that are this tensor, one for each name. Nodes use any of them. */
  readonly values: readonly string[];
  /** Whether it is part of state_dict(): false for constants and non-persistent buffers. */
  readonly persistent: boolean;
  /** False for frozen parameters, and for all that are not parameters. */
  readonly requiresGrad: boolean;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** In elements, as is `offset`. Kept in training: other strides take other kernels and give other bits. */
  readonly stride: readonly number[];
  readonly offset: number;
  /** Index into ExportedProgram.storages. Tensors that share one without being tied are views of the same bytes. */
  readonly storage: number;
}

export interface ExportedProgram {
  /** 'model', or what package_pt2() was given. */
  readonly name: string;
  /** The PyTorch that exported it: '2.9.1+cpu'. */
  readonly torchVersion: string;
  readonly inputs: readonly ProgramInput[];
  readonly outputs: readonly ProgramOutput[];
  /** Free axes by their symbols. */
  readonly symbols: readonly SizeRange[];
  readonly tensors: readonly ProgramTensor[];
  /** Names of state_dict() in its order, and the tensor that each names. */
  readonly state: readonly { readonly name: string; readonly tensor: number }[];
  /** Modules in the order of named_modules(), with their class if a node of theirs names it. */
  readonly modules: readonly { readonly path: string; readonly type: string | undefined }[];
  readonly graph: Graph;
  /** Records of the archive that hold the tensors. Usable while the archive is open. */
  readonly storages: readonly StoredBytes[];
}
