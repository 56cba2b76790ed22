// Flattens a tree of modules into a model: the list of operator calls that the executor runs, with PyTorch's names for all parameters and
// buffers. Values that a module computes are named after its path, such as `layer1.0:main/relu`.
import { isRecord, own } from '../core/checks';
import { LearnError } from '../core/errors';
import { frozen } from '../core/family';
import { onlyInput } from '../core/sample-values';
import {
  type Draw,
  drawsOf,
  type Initialiser,
  type InitialTensor,
  inputNamed,
  isBuilt,
  isLayer,
  type Model,
  type Module,
  type ModuleCall,
  type ModuleTensor,
} from './module';
import { outputNames, type ProgramInput, type ProgramNode, type ProgramTensor, valueNames } from './program';
import { renamed } from './rename';

/** The input of a model of layers: float32, and of `shape` if the model fixes it. */
export function imageInput(shape?: readonly number[]): ProgramInput {
  return { name: onlyInput, dtype: 'float32', ...(shape && { shape: [...shape] }) };
}

/** Flattens the tree `root`. Its steps use `inputs` and compute `outputs` by their names. Throws ERR_INVALID_OPTION, with the layer's path. */
export function buildModel(
  name: string,
  root: Module,
  inputs: readonly ProgramInput[] = [imageInput()],
  outputs: readonly string[] = ['output'],
): Model {
  const builder = new Builder(inputs.map((input) => input.name));
  builder.declare(root, '');
  const ends = [...inputs.map((input) => input.name), ...outputs];
  builder.emit(root, { path: '', again: '' }, new Map(ends.map((end) => [end, end])));
  for (const output of outputs) builder.check(output, { path: '', again: '' }, root.type);
  const { tensors, draws } = builder;
  const last = new Map(draws.map(({ tensor, init }) => [tensor, init]));
  const isPlain = draws.length === tensors.length && draws.every(({ tensor }, i) => tensor === tensors[i]!.name);
  return frozen({
    name,
    program: {
      inputs,
      parameters: builder.tensorsOf('parameter'),
      buffers: builder.tensorsOf('buffer'),
      nodes: builder.nodes,
      outputs,
    },
    tensors: tensors.map(({ role: _, ...tensor }) => ({ ...tensor, init: last.get(tensor.name) ?? tensor.init })),
    modules: builder.modules,
    ...(!isPlain && { draws }),
  });
}

/** Where a module runs: its path, and which of several runs of it this is: '' for the first. */
interface Place {
  readonly path: string;
  readonly again: string;
}

type Bindings = ReadonlyMap<string, string>;

class Builder {
  readonly nodes: ProgramNode[] = [];
  readonly tensors: (InitialTensor & { role: 'parameter' | 'buffer' })[] = [];
  readonly modules: [string, number][] = [];
  readonly draws: Draw[] = [];
  readonly #inputs: ReadonlySet<string>;
  /** Values that steps may read so far. */
  readonly #known: Set<string>;

  constructor(inputs: readonly string[]) {
    this.#inputs = new Set(inputs);
    this.#known = new Set(inputs);
  }

  /** Adds the tensors of a module and of those in it, in the order in which PyTorch registers them. */
  declare(module: Module | Model, path: string): void {
    if (isBuilt(module)) {
      this.#declareBuilt(module, path);
      return;
    }
    this.modules.push([path, module.version]);
    for (const given of module.tensors) {
      const { name, role, dtype, shape, init } = checkedTensor(given, path, module.type);
      const tensor = { name: joined(path, name), role, dtype, shape, init: within(path, init) };
      this.#addTensor(tensor);
      this.draws.push({ tensor: tensor.name, init: tensor.init });
    }
    for (const [name, child] of module.children) {
      if (typeof name !== 'string' || name === '' || name.includes('.') || !isLayer(child))
        throw invalidAt(path, `(${module.type}) has a child that is not [name, layer], with a name without dots`);
      this.declare(child, joined(path, name));
    }
    for (const { tensor, init } of own(module, 'draws') ?? []) {
      const name = joined(path, tensor);
      if (!this.#known.has(name)) throw invalidAt(path, `initialises "${tensor}", which it does not have`);
      this.draws.push({ tensor: name, init: within(path, init) });
    }
  }

  #declareBuilt(model: Model, path: string): void {
    const { name, program, tensors, modules } = model;
    if (own(program, 'exported'))
      throw invalidAt(path, `is ${name}, a model of loadModel(), which cannot be part of another`);
    const draws = drawsOf(model);
    if (draws === undefined || tensors.some((tensor) => own(tensor, 'init') === undefined))
      throw invalidAt(path, `is ${name}, which does not say how its weights are initialised`);
    const buffers = new Set(program.buffers.map((buffer) => buffer.name));
    for (const [inner, version] of modules) this.modules.push([joined(path, inner), version]);
    for (const tensor of tensors as readonly InitialTensor[])
      this.#addTensor({
        ...tensor,
        name: joined(path, tensor.name),
        init: within(path, tensor.init),
        role: buffers.has(tensor.name) ? 'buffer' : 'parameter',
      });
    for (const { tensor, init } of draws) this.draws.push({ tensor: joined(path, tensor), init: within(path, init) });
  }

  #addTensor(tensor: InitialTensor & { role: 'parameter' | 'buffer' }): void {
    if (this.#known.has(tensor.name)) throw invalidAt('', `has two values called "${tensor.name}"`);
    this.#known.add(tensor.name);
    this.tensors.push(tensor);
  }

  /** Adds the steps of a module. `bindings`: the model's names for values that the module shares with the one that it is in. */
  emit(module: Module | Model, place: Place, bindings: Bindings): void {
    if (isBuilt(module)) {
      this.#emitBuilt(module, place, bindings);
      return;
    }
    const { path } = place;
    const held = new Set(module.tensors.map((tensor) => tensor.name));
    const global = (local: string) => {
      const input = inputNamed(local);
      if (input !== undefined) return this.#inputOf(input, place);
      return bindings.get(local) ?? (held.has(local) ? joined(path, local) : ownValue(place, local));
    };
    const children = new Map(module.children);
    const runs = new Map<string, number>();
    for (const step of module.steps) {
      if (!isCall(step)) {
        this.#addNode(step, global, place, module.type);
        continue;
      }
      const child = children.get(step.module);
      if (!child) throw invalidAt(path, `calls "${step.module}", which it does not have`);
      const run = runs.get(step.module) ?? 0;
      runs.set(step.module, run + 1);
      const again = run === 0 ? place.again : `${place.again}#${run + 1}`;
      const inner = { path: joined(path, step.module), again };
      const inputs = bound(step.input, 'input', global);
      for (const [, name] of inputs) this.check(name, inner, typeOf(child));
      const outputs = bound(step.output, 'output', global);
      this.emit(child, inner, new Map([...inputs, ...outputs]));
      for (const [local, name] of outputs)
        if (!this.#known.has(name)) throw invalidAt(inner.path, `(${typeOf(child)}) computes no value "${local}"`);
    }
    const unused = module.children.find(([name]) => !runs.has(name));
    if (unused) throw invalidAt(path, `never calls "${unused[0]}"`);
  }

  #emitBuilt({ program, name }: Model, place: Place, bindings: Bindings): void {
    const tensors = new Set([...program.parameters, ...program.buffers].map((tensor) => tensor.name));
    const ends = new Map([
      ...program.inputs.map((input, i) => [input.name, bindings.get(i === 0 ? 'input' : input.name)] as const),
      ...program.outputs.map((output, i) => [output, bindings.get(i === 0 ? 'output' : output)] as const),
    ]);
    const inputs = new Set(program.inputs.map((input) => input.name));
    const global = (local: string) => {
      const end = ends.get(local) ?? (inputs.has(local) ? this.#inputOf(local, place) : undefined);
      return end ?? (tensors.has(local) ? joined(place.path, local) : ownValue(place, local));
    };
    for (const node of program.nodes) this.#addNode(node, global, place, name);
  }

  #addNode(step: ProgramNode, global: (local: string) => string, place: Place, type: string): void {
    checkNode(step, place.path, type);
    const node = renamed(step, global);
    for (const argument of Object.values(step.args))
      for (const local of valueNames(argument)) this.check(global(local), place, type, local);
    for (const name of outputNames(node)) this.#known.add(name);
    const path = joined(place.path, layerOf(step));
    this.nodes.push(path === '' ? node : { ...node, place: `the layer "${path}"` });
  }

  /** Throws unless a value is known. `local`: its name in the module. */
  check(name: string, { path }: Place, type: string, local = name): void {
    if (!this.#known.has(name))
      throw invalidAt(path, `(${type}) uses the value "${local}", which no earlier step computes`);
  }

  #inputOf(name: string, { path }: Place): string {
    if (this.#inputs.has(name)) return name;
    throw invalidAt(path, `uses the input "${name}" of the model, whose inputs are ${[...this.#inputs].join(', ')}`);
  }

  tensorsOf(role: 'parameter' | 'buffer'): ProgramTensor[] {
    return this.tensors
      .filter((tensor) => tensor.role === role)
      .map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  }
}

function invalidAt(path: string, problem: string): LearnError {
  const place = path === '' ? 'The model' : `The layer "${path}"`;
  return new LearnError('ERR_INVALID_OPTION', `${place} ${problem}`);
}

/** What a tensor must be, for those who write it by hand. */
function checkedTensor(tensor: ModuleTensor, path: string, type: string): ModuleTensor {
  const isTensor =
    isRecord(tensor) &&
    typeof tensor.name === 'string' &&
    /^[^.]+$/.test(tensor.name) &&
    ['parameter', 'buffer'].includes(tensor.role) &&
    ['float32', 'int64'].includes(tensor.dtype) &&
    Array.isArray(tensor.shape) &&
    tensor.shape.every((size) => Number.isSafeInteger(size) && size >= 0) &&
    isRecord(tensor.init);
  if (isTensor) return tensor;
  throw invalidAt(
    path,
    `(${type}) has a tensor that is not { name, role: 'parameter' or 'buffer', dtype: 'float32' or 'int64', shape, init }`,
  );
}

/** What a step must be, for those who write it by hand. */
function checkNode(step: ProgramNode, path: string, type: string): void {
  const { op, overload, args, outputs } = step;
  const isNode =
    typeof op === 'string' &&
    typeof overload === 'string' &&
    typeof args === 'object' &&
    args !== null &&
    Array.isArray(outputs);
  if (!isNode) throw invalidAt(path, `(${type}) has a step that is no node() and calls no module of it`);
}

/** The path of the layer that a node of a model is in; empty where it is the model itself. */
export function layerOf(node: ProgramNode): string {
  return /^the layer "(.*)"$/.exec(own(node, 'place') ?? '')?.[1] ?? '';
}

/** An initialiser with the model's name for the tensor that it copies. */
function within(path: string, init: Initialiser): Initialiser {
  return init.kind === 'copy' ? { ...init, tensor: joined(path, init.tensor) } : init;
}

function typeOf(child: Module | Model): string {
  return isBuilt(child) ? child.name : child.type;
}

function isCall(step: ProgramNode | ModuleCall): step is ModuleCall {
  return Object.hasOwn(step, 'module');
}

/** The values of a child by its own names, with the model's names for them. */
function bound(names: ModuleCall['input'], only: string, global: (local: string) => string): [string, string][] {
  const entries = typeof names === 'string' ? [[only, names] as const] : Object.entries(names);
  return entries.map(([inner, outer]) => [inner, global(outer)]);
}

function ownValue({ path, again }: Place, local: string): string {
  return `${path}${again}:${local}`;
}

function joined(path: string, name: string): string {
  if (name === '') return path;
  return path === '' ? name : `${path}.${name}`;
}
