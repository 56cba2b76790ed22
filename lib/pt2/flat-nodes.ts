// Writes the graphs of an exported program as one list of calls: graphs inside graphs are inlined, with what they run under noted at
// each call. An inner graph's inputs are other names for its operands.
import { formatError } from '../checkpoint/errors';
import { TimeSlice } from '../core/time-slice';
import { value } from '../program/module';
import {
  type Branch,
  isList,
  isReference,
  type ListItem,
  type OutputName,
  type Argument as ProgramArgument,
  type ProgramNode,
  type ValueRef,
} from '../program/program';
import type {
  Argument,
  ConditionNode,
  Constant,
  Graph,
  GraphNode,
  ModuleCall,
  OperatorNode,
  Place,
  Result,
  Scalar,
} from './graph';
import { isProgramDType } from './program-dtypes';
import type { ValueNames } from './value-names';

/** A call, and the module that it is made in. */
export interface FlatNode {
  readonly node: ProgramNode;
  readonly module: ModuleCall | undefined;
}

/** What a name of a graph stands for. */
type Bound = ValueRef | TypedScalar;

/** A constant number of a program here, or a word. */
type TypedScalar = Exclude<ListItem, ValueRef> | string;

type Surroundings = Pick<ProgramNode, 'gradient' | 'autocast'>;

/** Checks of what was fixed at export; the executor checks sizes and types itself. */
const dropped = new Set([
  'aten::_assert_tensor_metadata',
  'aten::_assert_scalar',
  'aten::_assert_async',
  'aten::sym_constrain_range',
  'aten::sym_constrain_range_for_size',
]);

/** Overloads that return what the overload `out` writes into an argument, where they have another name than ''. */
const returning: Readonly<Record<string, string>> = {
  'aten::add': 'Tensor',
  'aten::div': 'Tensor',
  'aten::mul': 'Tensor',
  'aten::sub': 'Tensor',
};

export class GraphFlattener {
  readonly nodes: FlatNode[] = [];
  readonly #names: ValueNames;
  readonly #slice = new TimeSlice();
  #regions = 0;

  constructor(names: ValueNames) {
    this.#names = names;
  }

  /** Adds the nodes of `graph`. `inputs`: what its inputs stand for. Returns what its outputs stand for. */
  async add(graph: Graph, inputs: readonly (Bound | undefined)[], around: Surroundings = {}): Promise<Bound[]> {
    const scope = new Map<string, Bound>();
    graph.inputs.forEach((input, i) => {
      const bound = inputs[i];
      if (input && bound !== undefined) scope.set(input.name, bound);
    });
    for (const node of graph.nodes) {
      await this.#add(node, scope, around);
      if (this.#slice.isOver) await this.#slice.rest();
    }
    return graph.outputs.map((output) => boundOf(output, scope));
  }

  async #add(node: GraphNode, scope: Map<string, Bound>, around: Surroundings): Promise<void> {
    if (node.kind === 'operator') {
      this.#addOperator(node, scope, around);
      return;
    }
    const place = placeText(node.place);
    if (node.kind === 'scalar') {
      const [a, b, c] = node.operands.map((operand) => boundOf(operand, scope));
      const args = { ...(a !== undefined && { a }), ...(b !== undefined && { b }), ...(c !== undefined && { c }) };
      const outputs = [this.#define(node.output, scope)];
      this.#push({ op: `scalar::${node.operation}`, overload: '', args, outputs, ...place }, node.place);
      return;
    }
    if (node.kind === 'condition') {
      const branches = {
        whenTrue: await this.#branch(node.whenTrue, node, scope),
        whenFalse: await this.#branch(node.whenFalse, node, scope),
      };
      const condition = isReference(node.condition) ? boundOf(node.condition, scope) : node.condition;
      const args = { condition, operands: node.operands.map((operand) => boundOf(operand, scope)).filter(isReference) };
      const outputs = node.outputs.map((output) => this.#define(output, scope));
      this.#push({ op: 'control::condition', overload: '', args, outputs, branches, ...around, ...place }, node.place);
      return;
    }
    const inner = this.#surroundings(node.settings, around);
    const results = await this.add(
      node.graph,
      node.operands.map((operand) => boundOf(operand, scope)),
      inner,
    );
    node.outputs.forEach((output, i) => {
      if (output !== null) scope.set(output, results[i]!);
    });
  }

  /** A graph over inputs of its own, but for constants. */
  async #branch(graph: Graph, { operands, place }: ConditionNode, scope: ReadonlyMap<string, Bound>): Promise<Branch> {
    const inputs: string[] = [];
    const bound = operands.map((operand, i) => {
      const given = boundOf(operand, scope);
      if (!isReference(given)) return given;
      inputs.push(this.#names.define(graph.inputs[i]?.name ?? 'unused'));
      return value(inputs.at(-1)!);
    });
    const flattener = new GraphFlattener(this.#names);
    const outputs = (await flattener.add(graph, bound)).map((output) => {
      if (isReference(output)) return output.value;
      throw formatError(
        `Expected a branch of torch.cond to return tensors (in ${placeText(place).place ?? 'the model'})`,
      );
    });
    return { inputs, nodes: flattener.nodes.map(({ node }) => node), outputs };
  }

  #addOperator(node: OperatorNode, scope: Map<string, Bound>, around: Surroundings): void {
    const { op, overload } = node;
    if (dropped.has(op)) return;
    // Calls of these are other kinds of nodes in a file.
    if (/^(scalar|control):/.test(op)) throw formatError(`The operator ${op} is not one of PyTorch's`);
    const args = Object.fromEntries(
      Object.entries(node.args).map(([name, argument]) => [name, argumentOf(argument, scope, node)]),
    );
    const place = placeText(node.place);
    if (overload !== 'out' || args.out === undefined) {
      const outputs = node.outputs.map((output) => this.#defineResult(output, scope));
      this.#push({ op, overload, args, outputs, ...around, ...place }, node.place);
      return;
    }
    // Programs have no overloads that write into an argument: what they return is copied there.
    const { out, ...others } = args;
    const result = this.#names.define(`${op} for out`);
    const functional = { op, overload: returning[op] ?? '', args: others, outputs: [result] };
    this.#push({ ...functional, ...around, ...place }, node.place);
    const outputs = node.outputs.map((output) => this.#defineResult(output, scope));
    const copy = { op: 'aten::copy_', overload: '', args: { self: out, src: value(result) }, outputs };
    this.#push({ ...copy, ...around, ...place }, node.place);
  }

  #push(node: ProgramNode, { module }: Place): void {
    this.nodes.push({ node, module });
  }

  #surroundings(settings: Extract<GraphNode, { kind: 'region' }>['settings'], around: Surroundings): Surroundings {
    if ('grad' in settings) {
      const { gradient: _, ...others } = around;
      return settings.grad ? others : { ...others, gradient: false };
    }
    const { enabled, dtype } = settings.autocast;
    const chosen = dtype ?? 'bfloat16';
    if (enabled && !isProgramDType(chosen)) throw formatError(`torch.autocast with ${chosen} is not supported`);
    this.#regions++;
    return { ...around, autocast: { dtype: enabled && isProgramDType(chosen) && chosen, region: this.#regions } };
  }

  #define(name: string | null, scope: Map<string, Bound>): OutputName {
    if (name === null) return null;
    const defined = this.#names.define(name);
    scope.set(name, value(defined));
    return defined;
  }

  #defineResult(result: Result, scope: Map<string, Bound>): OutputName | readonly OutputName[] {
    return result === null || typeof result === 'string'
      ? this.#define(result, scope)
      : result.map((name) => this.#define(name, scope));
  }
}

function boundOf(operand: ValueRef | Scalar, scope: ReadonlyMap<string, Bound>): Bound {
  return isReference(operand) ? scope.get(operand.value)! : scalarOf(operand);
}

function scalarOf(scalar: Scalar): TypedScalar {
  if (typeof scalar !== 'object' || scalar === null || !('int' in scalar)) return scalar;
  return { int: typeof scalar.int === 'bigint' ? String(scalar.int) : scalar.int };
}

function argumentOf(argument: Argument, scope: ReadonlyMap<string, Bound>, { op }: OperatorNode): ProgramArgument {
  if (isItems(argument)) return argument.map((item) => itemOf(boundOf(item, scope), op));
  if (isReference(argument)) return boundOf(argument, scope);
  return constantOf(argument, op);
}

const isItems = isList as (argument: Argument) => argument is readonly (ValueRef | Scalar)[];

function itemOf(item: Bound, op: string): ListItem {
  if (typeof item === 'string')
    throw formatError(`Expected no words in a list of ${op} but found ${JSON.stringify(item)}`);
  return item;
}

function constantOf(constant: Constant, op: string): ProgramArgument {
  if (typeof constant !== 'object' || constant === null || 'int' in constant || 'float' in constant)
    return scalarOf(constant);
  if ('device' in constant) return { run: 'device' };
  if (!('dtype' in constant)) return constant;
  const { dtype } = constant;
  if (isProgramDType(dtype)) return { dtype };
  throw formatError(`The dtype ${dtype} in ${op} is not supported`);
}

/** 'the module "encoder.layer.0", timm/layers/drop.py:187', for messages. Folders of the machine that exported are left out. */
function placeText({ module, line }: Place): { place?: string } {
  const file = line.split(/[/\\]site-packages[/\\]/).at(-1)!;
  const short = file === line ? line.split(/[/\\]/).slice(-2).join('/') : file;
  const parts = [module?.path && `the module "${module.path}"`, short].filter((part) => part);
  return parts.length > 0 ? { place: parts.join(', ') } : {};
}
