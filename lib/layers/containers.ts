// Layers made of layers: torch.nn.Sequential, and the sum of two branches that residual networks are built from.

import { checkNumbers, invalid, ownOptions } from '../core/checks';
import { LearnError } from '../core/errors';
import { frozen } from '../core/family';
import { isBuilt, isLayer, type Model, type Module, type ModuleCall, node, value } from '../program/module';
import type { ProgramNode } from '../program/program';
import { renamed } from '../program/rename';

/**
 * Named layers in running order. An object gives the names of a class's attributes (`{ conv1: …, fc: … }`); a list counts
 * them, as `torch.nn.Sequential` does; a list of pairs gives any names (`[['2', relu()], ['0', linear(8, 2)]]`). Names that
 * look like numbers need a list: JavaScript moves such keys of an object to its front.
 */
export type Layers = Readonly<Record<string, Layer>> | readonly Layer[] | readonly NamedLayer[];

/** A layer: also a model that sequential() or a function of the zoo made. */
export type Layer = Module | Model;

/** A layer with its name in the state dict. */
export type NamedLayer = readonly [name: string, layer: Layer];

/** One layer after the other. As `torch.nn.Sequential`. `input`: what the first takes. */
export function chain(layers: Layers, input = 'input'): Module {
  const children = childrenOf(layers);
  return frozen({ type: 'Sequential', version: 1, tensors: [], children, steps: chained(children, input, 'output') });
}

/** Options of {@link residual}. */
export interface ResidualOptions {
  /** What the input passes through before it is added. Default: nothing. */
  shortcut?: Readonly<Record<string, Layer>>;
  /** What the sum passes through, such as `relu()`; it has no tensors. Default: nothing. */
  after?: Module;
}

/**
 * body(x) + shortcut(x): He et al. 2016, eq. 1 and 2. The names of the body's and the shortcut's layers stand side by side,
 * as in torchvision's BasicBlock: `residual({ conv1, bn1, relu, conv2, bn2 }, { shortcut: { downsample } })`.
 *
 * @example
 * ```ts
 * const block = residual({ conv1: conv2d(16, 16, 3, { padding: 1 }), relu: relu(), conv2: conv2d(16, 16, 3, { padding: 1 }) });
 * ```
 */
export function residual(body: Layers, options: ResidualOptions = {}): Module {
  const { shortcut = {}, after } = ownOptions('residual', options, ['shortcut', 'after']);
  const main = childrenOf(body);
  const side = Object.keys(shortcut).length === 0 ? [] : childrenOf(shortcut);
  const sum = after === undefined ? 'output' : 'sum';
  const steps = [
    ...chained(main, 'input', 'main'),
    ...chained(side, 'input', 'side'),
    node('add', 'Tensor', { self: value('main'), other: value(side.length === 0 ? 'input' : 'side') }, sum),
    ...(after === undefined ? [] : stepsAfter(after)),
  ];
  return frozen({ type: 'Residual', version: 1, tensors: [], children: [...main, ...side], steps });
}

/** The steps of a layer without tensors, which has no name in the state dict, on the value `sum`. */
function stepsAfter(after: Module): ProgramNode[] {
  const isPlain = isLayer(after) && !isBuilt(after) && after.tensors.length + after.children.length === 0;
  if (!isPlain) throw invalid('a layer without weights, such as relu(),', 'after', after);
  const names = new Map([
    ['input', 'sum'],
    ['output', 'output'],
  ]);
  return (after.steps as readonly ProgramNode[]).map((step) =>
    renamed(step, (local) => names.get(local) ?? `after/${local}`),
  );
}

/** Options of {@link concatenate}. */
export interface ConcatenateOptions {
  /** The axis along which the results are joined. Default: 1, the channels. */
  dim?: number;
}

/**
 * Runs every branch on the same input and joins what they return along an axis, as Inception blocks do (Szegedy et al. 2015). The names of the
 * branches are those in the state dict.
 *
 * @example
 * ```ts
 * concatenate({ near: conv2d(16, 8, 1), wide: conv2d(16, 8, 5, { padding: 2 }) }); // [n, 16, h, w] to [n, 16, h, w]
 * ```
 */
export function concatenate(branches: Layers, options: ConcatenateOptions = {}): Module {
  const { dim = 1 } = ownOptions('concatenate', options, ['dim']);
  checkNumbers('concatenate', { dim }, { integer: true });
  const children = childrenOf(branches);
  const results = children.map(([name]) => `branch/${name}`);
  const steps = [
    ...children.map(([name], i): ModuleCall => ({ module: name, input: 'input', output: results[i]! })),
    node('cat', '', { tensors: results.map(value), dim }),
  ];
  return frozen({ type: 'Concatenate', version: 1, tensors: [], children, steps });
}

function childrenOf(layers: Layers): (readonly [string, Layer])[] {
  const children: (readonly [string, Layer])[] = Array.isArray(layers)
    ? layers.map((layer: Layer | NamedLayer, index) =>
        isNamed(layer) ? ([layer[0], layer[1]] as const) : ([String(index), layer] as const),
      )
    : Object.entries(layers as Readonly<Record<string, Layer>>);
  if (children.length === 0)
    throw new LearnError('ERR_INVALID_OPTION', 'Expected at least one layer but received none');
  const names = children.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new LearnError('ERR_INVALID_OPTION', `Two layers have the name "${twice}"`);
  for (const [name, module] of children) {
    if (!Array.isArray(layers) && /^(0|[1-9]\d*)$/.test(name)) {
      throw new LearnError(
        'ERR_INVALID_OPTION',
        `The name "${name}" looks like a number, and JavaScript moves such keys to the front of an object: pass a list of layers, ` +
          `or of pairs such as [['${name}', relu()], …]`,
      );
    }
    if (typeof name !== 'string' || name === '' || name.includes('.'))
      throw invalid('names of layers that hold no dot, such as conv1,', 'layers', name);
    if (!isLayer(module)) throw invalid('a layer, such as conv2d(3, 16, 3),', name, module);
  }
  return children;
}

function isNamed(layer: Layer | NamedLayer): layer is NamedLayer {
  return Array.isArray(layer);
}

function chained(children: readonly (readonly [string, Layer])[], input: string, output: string): ModuleCall[] {
  return children.map(([name], index) => ({
    module: name,
    input: index === 0 ? input : `${output}/${children[index - 1]?.[0]}`,
    output: index === children.length - 1 ? output : `${output}/${name}`,
  }));
}
