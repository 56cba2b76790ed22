// Reads a graph: its inputs, its nodes in their order, its outputs; and the graphs inside its nodes, each with names of its own.
import { isReference } from '../program/program';
import { readArgument, readItem, readItems, readResult, Scope } from './arguments';
import { checkDevice, dtypeOf } from './enums';
import type {
  Argument,
  ConditionNode,
  Graph,
  GraphNode,
  OperatorNode,
  Place,
  RegionNode,
  Result,
  ScalarNode,
  Value,
  ValueType,
} from './graph';
import { maxGraphDepth } from './limits';
import { Located } from './located';
import { Places, shownPlace } from './places';
import { scalarOperations } from './scalar-operators';
import { mapInTurns } from './turns';

type Item = Graph['outputs'][number];

const operatorTarget = /^torch\.ops\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)$/;
const higherOrder = 'torch.ops.higher_order.';
const argumentName = /^_?[A-Za-z]\w*$/;

export class GraphReader {
  readonly places = new Places();
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** `depth`: the number of graphs around it. */
  async read(place: Located, depth = 0): Promise<Graph> {
    if (depth >= maxGraphDepth) throw place.error(`graphs are nested deeper than ${maxGraphDepth}`);
    const scope = new Scope();
    const each = <Result>(key: string, map: (item: Located) => Result | Promise<Result>) =>
      mapInTurns(place.field(key).list(), map, this.#signal);
    const inputs = await each('inputs', (input) => readInput(input, scope));
    const nodes = await each('nodes', (node) => this.#node(node, scope, depth));
    const outputs = await each('outputs', (output) => readItem(output, scope));
    return Object.freeze({
      inputs: Object.freeze(inputs),
      values: Object.freeze(scope.values),
      nodes: Object.freeze(nodes),
      outputs: Object.freeze(outputs),
    });
  }

  #node(place: Located, scope: Scope, depth: number): GraphNode | Promise<GraphNode> {
    const target = place.field('target').name();
    const origin = this.places.of(place);
    const [, namespace, name, overload] = operatorTarget.exec(target) ?? [];
    if (target.startsWith(higherOrder)) return this.#higherOrder(place, target, origin, scope, depth);
    if (namespace !== undefined)
      return readOperator(place, `${namespace}::${name}`, overload === 'default' ? '' : overload!, origin, scope);
    const scalar = scalarOperations.get(target);
    if (scalar) return readScalar(place, scalar.operation, scalar.operands, origin, scope);
    throw unsupported(place, target, origin);
  }

  async #higherOrder(place: Located, target: string, origin: Place, scope: Scope, depth: number): Promise<GraphNode> {
    const args = place
      .field('inputs')
      .list()
      .map((input) => input.field('arg'));
    const name = target.slice(higherOrder.length);
    if (name === 'wrap_with_set_grad_enabled' && args.length >= 2) {
      const settings = Object.freeze({ grad: flagOf(args[0]!) });
      return this.#region(place, settings, args.slice(1), origin, scope, depth);
    }
    if (name === 'wrap_with_autocast' && args.length >= 5) {
      const settings = Object.freeze({ autocast: autocastOf(args) });
      return this.#region(place, settings, args.slice(4), origin, scope, depth);
    }
    if (name === 'cond' && args.length >= 3) return this.#condition(place, args, origin, scope, depth);
    throw unsupported(place, target, origin);
  }

  async #region(
    place: Located,
    settings: RegionNode['settings'],
    [inner, ...rest]: readonly Located[],
    origin: Place,
    scope: Scope,
    depth: number,
  ): Promise<RegionNode> {
    const operands = Object.freeze(rest.map((operand) => readItem(operand, scope)));
    const graph = await this.#inner(inner!, operands, scope, depth);
    const outputs = flatResults(place, scope);
    checkOutputs(place, outputs, graph, scope);
    return Object.freeze({ kind: 'region', settings, graph, operands, outputs, place: origin });
  }

  async #condition(
    place: Located,
    [first, yes, no, ...rest]: readonly Located[],
    origin: Place,
    scope: Scope,
    depth: number,
  ): Promise<ConditionNode> {
    const condition = readItem(first!, scope);
    const type = typeOf(condition, scope);
    if (type !== 'tensor' && type !== 'bool') throw first!.expected('a condition');
    const operands = Object.freeze(rest.flatMap((operand) => readItems(operand, scope)));
    const whenTrue = await this.#inner(yes!, operands, scope, depth);
    const whenFalse = await this.#inner(no!, operands, scope, depth);
    const outputs = flatResults(place, scope);
    for (const graph of [whenTrue, whenFalse]) checkOutputs(place, outputs, graph, scope);
    return Object.freeze({
      kind: 'condition',
      condition: condition as ConditionNode['condition'],
      whenTrue,
      whenFalse,
      operands,
      outputs,
      place: origin,
    });
  }

  /** Reads a graph inside a node, and checks that the operands fit its inputs. */
  async #inner(place: Located, operands: readonly Item[], scope: Scope, depth: number): Promise<Graph> {
    const graph = await this.read(place.field('as_graph').field('graph'), depth + 1);
    if (graph.inputs.length !== operands.length)
      throw place.error(`a graph of ${graph.inputs.length} inputs is called with ${operands.length} operands`);
    graph.inputs.forEach((input, i) => {
      const type = typeOf(operands[i]!, scope);
      if (input && input.type !== type)
        throw place.error(`the input ${JSON.stringify(input.name)} of type ${input.type} is called with ${type}`);
    });
    return graph;
  }
}

function readOperator(place: Located, op: string, overload: string, origin: Place, scope: Scope): OperatorNode {
  const args = new Map<string, Argument>();
  for (const input of place.field('inputs').list()) {
    const name = input.field('name').text();
    if (!argumentName.test(name)) throw input.field('name').expected('the name of an argument');
    if (args.has(name)) throw input.error(`the argument ${name} is given twice`);
    const value = input.field('arg');
    if (value.kind()[0] === 'as_graph') throw value.error(`a graph is not an argument of ${op}${shownPlace(origin)}`);
    args.set(name, readArgument(value, scope));
  }
  return Object.freeze({
    kind: 'operator',
    op,
    overload,
    args: Object.freeze(Object.fromEntries(args)),
    outputs: Object.freeze(resultsOf(place, scope)),
    place: origin,
  });
}

function readScalar(place: Located, operation: string, count: number, origin: Place, scope: Scope): ScalarNode {
  const operands = place
    .field('inputs')
    .list()
    .map((input) => {
      const operand = readItem(input.field('arg'), scope);
      const type = typeOf(operand, scope);
      if (type === 'int' || type === 'float' || type === 'bool') return operand;
      throw input.error(`Expected a number for ${operation} but found ${type}${shownPlace(origin)}`);
    });
  if (operands.length !== count)
    throw place.error(`${operation} takes ${count} operands but is given ${operands.length}${shownPlace(origin)}`);
  const [output, ...more] = resultsOf(place, scope);
  if (output === undefined || more.length > 0 || (typeof output === 'object' && output !== null))
    throw place.field('outputs').expected('one number');
  if (output !== null && scope.typeOf(output) === 'tensor')
    throw place.field('outputs').expected('a number, not a tensor,');
  return Object.freeze({ kind: 'scalar', operation, operands: Object.freeze(operands), output, place: origin });
}

function resultsOf(place: Located, scope: Scope): Result[] {
  return place
    .field('outputs')
    .list()
    .map((output) => readResult(output, scope));
}

/** torch 2.6 writes the outputs of an inner graph as one list, newer versions one by one. */
function flatResults(place: Located, scope: Scope): readonly (string | null)[] {
  return Object.freeze(resultsOf(place, scope).flat() as (string | null)[]);
}

/** Compares what a node makes of an inner graph with what that returns. A result that nothing uses may have no name. */
function checkOutputs(place: Located, outputs: readonly (string | null)[], graph: Graph, scope: Scope): void {
  if (outputs.length !== graph.outputs.length)
    throw place.error(`a graph of ${graph.outputs.length} outputs has ${outputs.length} results`);
  const types = new Map(graph.values.map(({ name, type }) => [name, type]));
  outputs.forEach((name, i) => {
    const inner = graph.outputs[i]!;
    const type = isReference(inner) ? types.get(inner.value)! : constantType(inner);
    if (name !== null && scope.typeOf(name) !== type)
      throw place.error(`the result ${JSON.stringify(name)} of type ${scope.typeOf(name)} is made of ${type}`);
  });
}

/** Reads an input of a graph and defines its value. Inputs that were fixed at export are constants, and have no value. */
function readInput(place: Located, scope: Scope): Value | null {
  const [kind, inner] = place.kind();
  if (kind === 'as_tensor') return scope.define(inner.field('name'), 'tensor');
  for (const [symbolic, type] of symbolicInputs)
    if (kind === symbolic) return inner.kind()[0] === 'as_name' ? scope.define(inner.field('as_name'), type) : null;
  readItem(place, new Scope());
  return null;
}

const symbolicInputs: readonly (readonly [string, ValueType])[] = [
  ['as_sym_int', 'int'],
  ['as_sym_float', 'float'],
  ['as_sym_bool', 'bool'],
];

function typeOf(item: Item, scope: Scope): ValueType | 'a string' | 'None' {
  return isReference(item) ? scope.typeOf(item.value)! : constantType(item);
}

function constantType(item: Exclude<Item, { readonly value: string }>): ValueType | 'a string' | 'None' {
  if (item === null) return 'None';
  if (typeof item === 'boolean') return 'bool';
  if (typeof item === 'string') return 'a string';
  return 'int' in item ? 'int' : 'float';
}

function flagOf(place: Located): boolean {
  return place.field('as_bool').flag();
}

/** wrap_with_autocast(device, dtype, enabled, cache, graph, …). */
function autocastOf([device, dtype, enabled, cache]: readonly Located[]) {
  const type = new Map([['type', device!.field('as_string').text()]]);
  return Object.freeze({
    device: checkDevice(new Located(type, 'autocast')),
    dtype: dtype!.kind()[0] === 'as_none' ? null : dtypeOf(dtype!.field('as_scalar_type')),
    enabled: flagOf(enabled!),
    cache: cache!.kind()[0] === 'as_none' ? null : flagOf(cache!),
  });
}

function unsupported(place: Located, target: string, origin: Place) {
  return place.error(
    `the program uses ${target.slice(0, 200)}, which is not supported${shownPlace(origin)}; express it with operators of aten and ` +
      'export the model again',
  );
}
