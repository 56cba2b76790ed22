// Trees of modules as torchvision writes its classes, and the loops over them with which its models are initialised.
import { checkOptions, isNumber } from '../../core/checks';
import { frozen } from '../../core/family';
import type { Layer } from '../../layers/containers';
import { kaimingNormal } from '../../layers/initialisers';
import { buildModel, imageInput } from '../../program/build-model';
import { type Draw, type Initialiser, isBuilt, type Model, type Module, type ModuleCall } from '../../program/module';
import type { ProgramNode } from '../../program/program';

/** Children in the order in which PyTorch registers them. */
export type Children = readonly (readonly [name: string, layer: Layer])[];

/** A module without tensors of its own. */
export function tree(type: string, children: Children, steps: readonly (ProgramNode | ModuleCall)[]): Module {
  return frozen({ type, version: 1, tensors: [], children, steps });
}

/** Calls of modules, one after the other, from the value `input` to the value `output`. */
export function calls(names: readonly string[], input = 'input', output = 'output'): ModuleCall[] {
  return names.map((module, i) => ({
    module,
    input: i === 0 ? input : `${output}/${i}`,
    output: i === names.length - 1 ? output : `${output}/${i + 1}`,
  }));
}

/** Every module of a tree with its path, as modules() yields them. */
export function* modulesIn(root: Layer, path = ''): Generator<[path: string, module: Module]> {
  if (isBuilt(root)) return;
  yield [path, root];
  for (const [name, child] of root.children) yield* modulesIn(child, path === '' ? name : `${path}.${name}`);
}

/** What a loop over modules() draws. `of`: the draws of one module, by the names of its own tensors. */
export function drawnAgain(
  root: Module,
  of: (module: Module, path: string) => Readonly<Record<string, Initialiser>>,
): Draw[] {
  return [...modulesIn(root)].flatMap(([path, module]) =>
    Object.entries(of(module, path)).map(([name, init]) => ({ tensor: path === '' ? name : `${path}.${name}`, init })),
  );
}

/** The model of a tree that takes images and is then initialised again. */
export function imageModel(
  name: string,
  root: Module,
  draws: readonly Draw[],
  outputs: readonly string[] = ['output'],
): Model {
  return buildModel(name, { ...root, draws }, [imageInput()], outputs);
}

export function shapeOf(module: Module, tensor: string): readonly number[] {
  return module.tensors.find(({ name }) => name === tensor)!.shape;
}

/** `kaiming_normal_(weight, mode='fan_out', nonlinearity='relu')` of a convolution. */
export function kaimingNormalOut([out, , ...kernel]: readonly number[]): Initialiser {
  return kaimingNormal(out! * kernel.reduce((product, size) => product * size, 1));
}

/** Options of every architecture. */
export interface ClassifierOptions {
  /** Number of classes. Default: 1000. */
  numClasses?: number;
}

/** Checks the options of an architecture; `checks` are those beside `numClasses`. */
export function architectureOptions<Options extends ClassifierOptions>(
  name: string,
  options: Options,
  checks: Parameters<typeof checkOptions>[2] = {},
): Options & { numClasses: number } {
  const given = checkOptions(name, options, { numClasses: isNumber({ integer: true, min: 1 }), ...checks });
  return { ...given, numClasses: given.numClasses ?? 1000 };
}
