// Makes a Model of an exported program, or of two: one that trains and one that evaluates.
//
// Names of values in the model's program: parameters and buffers have the first of their names in the state dict, constants and values
// that calls compute have names of their own, and outputs have those of the tree that forward() returns.
import { formatError } from '../checkpoint/errors';
import { frozen } from '../core/family';
import { type Model, type ModelTensor, node, value } from '../program/module';
import {
  everyNode,
  isReference,
  outputNames,
  type Program,
  type ProgramConstant,
  type ProgramNode,
  type ProgramTensor,
  type ValueRef,
} from '../program/program';
import { renamed } from '../program/rename';
import { writesInto } from '../program/writes';
import { type FlatNode, GraphFlattener } from './flat-nodes';
import type { ExportedProgram, ProgramTensor as StoredTensor } from './graph';
import { inBothModes, inMode } from './modes';
import { programDType } from './program-dtypes';
import { batchAxis, laidOut, type Samples, samplesOf, takeTheSame } from './samples';
import { mapInTurns } from './turns';
import { ValueNames } from './value-names';

/** A program, and the elements of each of its tensors that is no part of the state, in base64. */
export interface ProgramSource {
  readonly program: ExportedProgram;
  readonly elements: ReadonlyMap<StoredTensor, string>;
}

export interface Conversion {
  readonly model: Model;
  /** True if the only program was exported in evaluation mode. */
  readonly isEvaluation: boolean;
}

/** Throws ERR_STATE_FORMAT for what cannot be trained or run here, and where the two programs differ in samples or tensors. */
export async function toModel(train: ProgramSource, evaluation?: ProgramSource): Promise<Conversion> {
  const { program } = train;
  const samples = samplesOf(program);
  const tensors = stateTensors(program);
  const taken = new Set(program.state.map(({ name }) => name));
  const twice = samples.inputs.find(({ name }) => taken.has(name));
  if (twice)
    throw formatError(
      `An input of the model has the name of its tensor ${JSON.stringify(twice.name)}; rename the argument of forward()`,
    );
  const names = new ValueNames([...samples.inputs, ...program.state].map(({ name }) => name));
  const outputs = outputsOf(program, samples, names);
  const first = await part(train, samples, tensors, names);
  const returned = await returning(first, outputs);
  const kept = new Set([...tensors.buffers, ...first.constants].map(({ name }) => name));
  const modes = evaluation ? undefined : await inBothModes(returned, kept);
  const second = evaluation && (await alike(evaluation, { samples, tensors, outputs, names }));
  const constants = [...first.constants, ...(second?.constants ?? [])];
  const made: Program = {
    inputs: samples.inputs,
    ...{ parameters: tensors.parameters, buffers: tensors.buffers },
    nodes: modes?.nodes ?? [...inMode(returned, 'training'), ...(second?.nodes ?? [])],
    outputs: outputs.map(({ name }) => name),
    ...(constants.length > 0 && { constants }),
    ...(Object.keys(samples.sizes).length > 0 && { sizes: samples.sizes }),
    batch: samples.batch,
    exported: true,
    ...(modes?.obstacle !== undefined && { trainsOnly: modes.obstacle }),
  };
  const model = { name: nameOf(program), program: made, tensors: tensors.model, modules: modulesOf(program) };
  return { model: frozen(model), isEvaluation: modes?.isEvaluation ?? false };
}

interface StateTensors {
  readonly parameters: readonly ProgramTensor[];
  readonly buffers: readonly ProgramTensor[];
  readonly model: readonly ModelTensor[];
  /** The name of a tensor in nodes, by each of its names in the state dict. */
  readonly primary: ReadonlyMap<string, string>;
  /** Role, dtype and shape, by the same names. */
  readonly forms: ReadonlyMap<string, string>;
}

/** The tensors of the state dict: each once in the order of its first name, and by all names for the model. */
function stateTensors({ state, tensors }: ExportedProgram): StateTensors {
  const byTensor = new Map<number, string[]>();
  for (const { name, tensor } of state) byTensor.set(tensor, [...(byTensor.get(tensor) ?? []), name]);
  const entries = [...byTensor].map(([index, [name, ...ties]]) => {
    const { role, dtype, shape, stride, requiresGrad } = tensors[index]!;
    const form: ProgramTensor = {
      ...{ name: name!, dtype: programDType(dtype, `the tensor "${name}"`), shape },
      ...(!isRowMajor(shape, stride) && { stride }),
      ...(ties.length > 0 && { ties }),
      ...(role === 'parameter' && !requiresGrad && { frozen: true as const }),
    };
    return { role, form };
  });
  const formOf = new Map(entries.flatMap(({ form }) => [form.name, ...(form.ties ?? [])].map((name) => [name, form])));
  return {
    parameters: entries.filter(({ role }) => role === 'parameter').map(({ form }) => form),
    buffers: entries.filter(({ role }) => role !== 'parameter').map(({ form }) => form),
    model: state.map(({ name }) => ({ name, dtype: formOf.get(name)!.dtype, shape: formOf.get(name)!.shape })),
    primary: new Map([...formOf].map(([name, form]) => [name, form.name])),
    forms: new Map(state.map(({ name, tensor }) => [name, formText(tensors[tensor]!)])),
  };
}

const formText = ({ role, dtype, shape }: StoredTensor) => `a ${role} of ${dtype} and shape [${shape}]`;

export function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return shape.includes(0);
    expected *= shape[axis]!;
  }
  return true;
}

interface Part {
  readonly nodes: readonly FlatNode[];
  /** What the graph's outputs are, in the order of the program's. */
  readonly outputs: readonly unknown[];
  readonly constants: readonly ProgramConstant[];
}

/** The calls of one program over the tensors of the state. */
async function part(
  { program, elements }: ProgramSource,
  samples: Samples,
  { primary, forms }: StateTensors,
  names: ValueNames,
): Promise<Part> {
  const { nodes, values } = laidOut(program, samples, names);
  const constants: ProgramConstant[] = [];
  const bound = new Map<string, ValueRef>(values);
  for (const tensor of program.tensors) {
    const known = tensor.names.map((name) => (tensor.persistent ? primary.get(name) : undefined));
    const name = known.find((each) => each !== undefined);
    if (tensor.persistent && name === undefined)
      throw formatError(
        `The program "${program.name}" has a tensor "${tensor.names[0]}", which the one that trains lacks`,
      );
    const different = tensor.persistent && tensor.names.find((each) => forms.get(each) !== formText(tensor));
    if (different)
      throw formatError(
        `The program "${program.name}" has ${JSON.stringify(different)} as ${formText(tensor)}, but the one that trains as ${forms.get(different) ?? 'none'}`,
      );
    const defined = name ?? names.define(tensor.names[0]!);
    if (name === undefined) constants.push(constantOf(tensor, defined, elements.get(tensor)!));
    for (const each of tensor.values) bound.set(each, value(defined));
  }
  const flattener = new GraphFlattener(names);
  const outputs = await flattener.add(
    program.graph,
    program.graph.inputs.map((input) => (input ? bound.get(input.name) : undefined)),
  );
  return { ...overCopies([...nodes.map(asFlat), ...flattener.nodes], outputs, samples, names), constants };
}

/** The calls over copies of the inputs that they change in place: samples may be used again, as those of a replay buffer. */
function overCopies(
  nodes: readonly FlatNode[],
  outputs: readonly unknown[],
  { inputs }: Samples,
  names: ValueNames,
): Pick<Part, 'nodes' | 'outputs'> {
  const all = everyNode(nodes.map((one) => one.node));
  const changed = new Set(writesInto(all, new Set(inputs.map(({ name }) => name))).map(({ name }) => name));
  if (changed.size === 0) return { nodes, outputs };
  const copies = new Map([...changed].map((name) => [name, names.define(name)]));
  const rename = (name: string) => copies.get(name) ?? name;
  const clones = [...copies].map(([name, copy]) => asFlat(node('clone', '', { self: value(name) }, copy)));
  return {
    nodes: [...clones, ...nodes.map((one) => ({ ...one, node: renamed(one.node, rename) }))],
    outputs: outputs.map((output) => (isReference(output) ? value(rename(output.value)) : output)),
  };
}

const asFlat = (made: ProgramNode): FlatNode => ({ node: made, module: undefined });

function constantOf({ dtype, shape, stride }: StoredTensor, name: string, data: string): ProgramConstant {
  const form = { name, dtype: programDType(dtype, `the constant "${name}"`), shape };
  return { ...form, ...(!isRowMajor(shape, stride) && { stride }), data };
}

/** An output that is a tensor. `index`: among all of the program. `axis`: that of its samples. */
interface Output {
  readonly name: string;
  readonly index: number;
  readonly axis: number;
}

/** Names of outputs that are taken where none is named: the first of these that a program has. */
const usual = ['loss', 'logits', 'out'];

/** Outputs, the usual one first: the only one of floats, or one that is called as losses and logits are. */
function outputsOf({ outputs }: ExportedProgram, { batchSize }: Samples, names: ValueNames): Output[] {
  const tensors = outputs.flatMap((output, index) => (output.type === 'tensor' ? [{ ...output, index }] : []));
  const floats = tensors.filter(({ dtype }) => dtype.includes('float'));
  const named = usual
    .map((name) => tensors.find((output) => output.name === name))
    .find((output) => output !== undefined);
  const chosen = (floats.length === 1 ? floats[0] : named) ?? floats[0] ?? tensors[0];
  const inOrder = tensors.filter((output) => output !== chosen);
  return (chosen ? [chosen, ...inOrder] : inOrder).map(({ name, index, shape }) => ({
    ...{ name: names.define(name), index, axis: batchAxis(shape, batchSize) },
  }));
}

/** The calls of a part, with those that return `outputs` by their names. */
function returning({ nodes, outputs: values }: Part, outputs: readonly Output[]): Promise<FlatNode[]> {
  const computed = new Set(nodes.flatMap((one) => outputNames(one.node)));
  const renames = new Map<string, string>();
  const added: FlatNode[] = [];
  for (const { name, index, axis } of outputs) {
    const from = values[index];
    if (!isReference(from)) throw formatError(`Expected a tensor for the output "${name}" of the model`);
    if (axis <= 0 && computed.has(from.value) && !renames.has(from.value)) renames.set(from.value, name);
    else if (axis > 0) added.push(asFlat(node('movedim', 'int', { self: from, source: axis, destination: 0 }, name)));
    else added.push(asFlat(node('alias', '', { self: from }, name)));
  }
  const rename = (name: string) => renames.get(name) ?? name;
  const named = (one: FlatNode) => ({ ...one, node: frozen(renamed(one.node, rename)) });
  return mapInTurns([...nodes, ...added], named, undefined);
}

/** The program that evaluates, over the tensors of the one that trains and with its names of outputs. */
async function alike(
  source: ProgramSource,
  of: { samples: Samples; tensors: StateTensors; outputs: readonly Output[]; names: ValueNames },
): Promise<{ nodes: ProgramNode[]; constants: readonly ProgramConstant[] }> {
  const samples = samplesOf(source.program);
  if (!takeTheSame(of.samples, samples))
    throw formatError(
      `Expected the program "${source.program.name}" to take the inputs of the one that trains; export both with the same example inputs`,
    );
  const own = outputsOf(source.program, samples, new ValueNames([]));
  // Auxiliary outputs may be missing in evaluation, and the usual one may then have no name.
  const outputs = of.outputs.flatMap(({ name }, i) => {
    const found = own.find((output) => output.name === name) ?? (i === 0 ? own[0] : undefined);
    return found ? [{ ...found, name }] : [];
  });
  const made = await part(source, samples, of.tensors, of.names);
  return { nodes: inMode(await returning(made, outputs), 'evaluation'), constants: made.constants };
}

/** The class of the model, such as 'Net'. */
function nameOf({ modules, name }: ExportedProgram): string {
  return modules[0]?.type?.split('.').at(-1) || name;
}

/** MNASNet builds other layers while it loads a state dict of version 1. */
const secondVersion = /^torch\.nn\.modules\.(batchnorm|instancenorm)\.|^torchvision\.models\.mnasnet\.MNASNet$/;

/** The `_version` of modules, which a program does not have: 2 for batch and instance norms and MNASNet, 1 for others. */
function modulesOf({ modules, state }: ExportedProgram): [string, number][] {
  const held = new Set(state.map(({ name }) => name));
  return modules.map(({ path, type }) => {
    const counted = held.has(path === '' ? 'num_batches_tracked' : `${path}.num_batches_tracked`);
    return [path, counted || secondVersion.test(type ?? '') ? 2 : 1];
  });
}
