// Finds the linear layer of a model whose outputs are the classes.
import { LearnError } from '../core/errors';
import { nearestNames } from '../core/patterns';
import type { Model } from '../program/module';
import { type Argument, outputNames, type ProgramNode, valueNames } from '../program/program';

/** A linear layer by the names of its tensors. */
export interface Classifier {
  /** [old, features] */
  weight: string;
  /** [old] */
  bias: string | undefined;
  old: number;
  features: number;
}

/** Operators whose result has as many classes as what they are given, and that take any number of them. */
const forAnyNumber = new Set([
  ...['alias', 'clone', 'contiguous', 'detach', 'relu', 'gelu', 'silu', 'tanh', 'sigmoid', 'softmax', 'log_softmax'],
  // Of these dropout is made, and arithmetic of the outputs with numbers or with one another.
  ...['dropout', 'empty_like', 'bernoulli', 'add', 'sub', 'mul', 'div'],
]);

function isForAnyNumber({ op, args }: ProgramNode, names: ReadonlySet<string>): boolean {
  const name = op.replace(/^aten::/, '').replace(/_$/, '');
  return (
    forAnyNumber.has(name) && Object.values(args).every((arg) => valueNames(arg).every((value) => names.has(value)))
  );
}

const isLinear = ({ op }: ProgramNode) => op === 'aten::linear';

/** The layer at the path `layer`, or the only one whose output is the model's. Throws ERR_INVALID_OPTION where no linear layer is. */
export function classifierOf(model: Model, layer: string | undefined): Classifier {
  const { nodes } = model.program;
  const linears = nodes.filter(isLinear);
  const found =
    layer === undefined
      ? linears.filter((node) => reachesOutput(model, node) === undefined).at(-1)
      : linears.find((node) => pathOf(node) === layer);
  if (!found) throw notFound(model, layer, linears.map(pathOf));
  const obstacle = reachesOutput(model, found);
  if (obstacle !== undefined) throw fixed(model, found, obstacle);
  return tensorsOf(model, found);
}

function notFound({ name }: Model, layer: string | undefined, paths: readonly string[]): LearnError {
  const near = (layer === undefined ? paths : nearestNames(layer, paths)).map((path) => `'${path}'`).join(', ');
  return new LearnError(
    'ERR_INVALID_OPTION',
    layer === undefined
      ? `The output of ${name} is not that of a linear layer, which could have more classes; its linear layers are ${near || 'none'}`
      : `Expected the path of a linear layer of ${name} for "layer" but received '${layer}'; the nearest are ${near || 'none'}`,
  );
}

function tensorsOf(model: Model, node: ProgramNode): Classifier {
  const { parameters, buffers } = model.program;
  const weight = nameOf(node.args.weight)!;
  const bias = nameOf(node.args.bias);
  const shape = [...parameters, ...buffers].find(({ name }) => name === weight)?.shape;
  if (shape?.length !== 2) throw fixed(model, node, `its weight ${weight} is computed and no tensor of the state`);
  for (const name of [weight, bias]) {
    const other = model.program.nodes.find(
      (one) =>
        one !== node && Object.values(one.args).some((arg) => name !== undefined && valueNames(arg).includes(name)),
    );
    if (other) throw fixed(model, node, `${other.op} uses ${name} too`);
  }
  return { weight, bias, old: shape[0]!, features: shape[1]! };
}

/** Why more classes cannot pass from the layer to the model's output; undefined where they can. */
function reachesOutput({ program: { nodes, outputs } }: Model, layer: ProgramNode): string | undefined {
  const names = new Set(outputNames(layer));
  for (const node of nodes.slice(nodes.indexOf(layer) + 1)) {
    if (!Object.values(node.args).some((arg) => valueNames(arg).some((value) => names.has(value)))) continue;
    if (!isForAnyNumber(node, names)) return `its output goes through ${node.op}, which may need a number of classes`;
    for (const output of outputNames(node)) names.add(output);
  }
  return outputs.some((output) => names.has(output)) ? undefined : 'its output is no output of the model';
}

function nameOf(argument: Argument | undefined): string | undefined {
  return argument === undefined ? undefined : valueNames(argument)[0];
}

function pathOf(node: ProgramNode): string {
  return (nameOf(node.args.weight) ?? '').replace(/\.?[^.]*$/, '');
}

function fixed(model: Model, node: ProgramNode, why: string): LearnError {
  return new LearnError(
    'ERR_INVALID_OPTION',
    `The layer "${pathOf(node)}" of ${model.name} cannot have more classes: ${why}`,
  );
}
