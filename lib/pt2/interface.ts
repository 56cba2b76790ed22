// Reads what callers of a program see: its inputs and outputs by name, with their dtype and sizes.
import { formatError } from '../checkpoint/errors';
import { isReference } from '../program/program';
import { readConstant } from './arguments';
import { dtypeOf } from './enums';
import type { Graph, ProgramInput, ProgramOutput, Scalar, ValueType } from './graph';
import type { Located } from './located';
import type { InputSpec } from './signature';
import { checkNames, joinedPath, type LeafPath, readSpec } from './specs';
import { readShape } from './symbols';

/** Names an output that is alone. */
const onlyOutput = 'output';

/** The signature of the model's own forward(), if the program has it. */
function signatureOf(module: Located): Located | undefined {
  return module.field('module_call_graph').list()[0]?.optional('signature');
}

export async function readInputs(module: Located, specs: readonly InputSpec[]): Promise<readonly ProgramInput[]> {
  const given = specs.filter(({ kind }) => kind === 'user_input' || kind === 'constant_input');
  const names = await inputNames(module, given);
  checkNames(names, 'inputs');
  const graph = module.field('graph');
  const inputs = given.map((spec, i) => Object.freeze(inputOf(spec, names[i]!, graph)));
  return Object.freeze(inputs);
}

function inputOf({ kind, place, value }: InputSpec, name: string, graph: Located): ProgramInput {
  if (kind === 'constant_input') return { type: 'constant', name, constant: readConstant(place.field('value')) };
  if (value === null) return { type: 'constant', name, constant: readConstant(place.field('arg')) };
  const { type, name: input } = value;
  return type === 'tensor' ? { type, name, value: input, ...metaOf(graph, input) } : { type, name, value: input };
}

function metaOf(graph: Located, value: string) {
  const meta = graph.field('tensor_values').field(value);
  return { dtype: dtypeOf(meta.field('dtype')), shape: readShape(meta) };
}

/**
 * Names the leaves of (args, kwargs): a keyword argument by its keyword, a positional one by the parameter of forward() if the program
 * records it (torch 2.8 and newer), otherwise by the input of the graph. Parts of an argument have its name and their own: 'pair.0'.
 */
async function inputNames(module: Located, given: readonly InputSpec[]): Promise<string[]> {
  const signature = signatureOf(module);
  if (!signature) return given.map(ownName);
  const leaves = await readSpec(signature.field('in_spec'), undefined);
  if (leaves.length !== given.length)
    throw signature.error(`its in_spec has ${leaves.length} leaves but the program has ${given.length} inputs`);
  const recorded = signature.optional('forward_arg_names');
  const positional = recorded?.list().map((name) => name.name()) ?? [];
  return leaves.map((path, i) => inputName(path, positional, () => ownName(given[i]!, i)));
}

/** `path` begins with 0 for args and 1 for kwargs. */
function inputName([part, first, ...rest]: LeafPath, positional: readonly string[], own: () => string): string {
  const whole = part === 0 ? positional[first as number] : first;
  return whole === undefined ? own() : joinedPath([whole, ...rest]);
}

function ownName({ place, value }: InputSpec, index: number): string {
  return value?.name ?? place.optional('name')?.name() ?? `input_${index}`;
}

export async function readOutputs(module: Located, graph: Graph): Promise<readonly ProgramOutput[]> {
  const specs = module.field('signature').field('output_specs').list();
  if (specs.length !== graph.outputs.length)
    throw module.error(`its signature has ${specs.length} outputs but its graph has ${graph.outputs.length}`);
  const signature = signatureOf(module);
  const paths = signature
    ? await readSpec(signature.field('out_spec'), module.optional('treespec_namedtuple_fields'))
    : specs.map((_, i) => (specs.length === 1 ? [] : [i]));
  if (paths.length !== specs.length)
    throw module.error(`its out_spec has ${paths.length} leaves but the program has ${specs.length} outputs`);
  const types = new Map(graph.values.map(({ name, type }) => [name, type]));
  const outputs = specs.map((spec, i) => {
    const [kind, place] = spec.kind();
    if (kind !== 'user_output')
      throw spec.error(
        `an output of kind ${kind.slice(0, 60)} is not supported: save what torch.export.export() returns, without run_decompositions()`,
      );
    const path = Object.freeze(paths[i]!);
    const named = { name: path.length === 0 ? onlyOutput : joinedPath(path), path };
    return outputOf(named, place.field('arg'), graph.outputs[i]!, types, module.field('graph'));
  });
  checkNames(
    outputs.map(({ name }) => name),
    'outputs',
  );
  if (outputs.every(({ type }) => type !== 'tensor')) throw formatError('the program returns no tensor');
  return Object.freeze(outputs);
}

function outputOf(
  named: Pick<ProgramOutput, 'name' | 'path'>,
  arg: Located,
  output: Graph['outputs'][number],
  types: ReadonlyMap<string, ValueType>,
  graph: Located,
): ProgramOutput {
  const stated = statedName(arg);
  if (stated !== (isReference(output) ? output.value : null)) throw arg.error('it is not the output of the graph');
  if (!isReference(output)) return Object.freeze({ ...named, type: 'constant', constant: output as Scalar });
  const [value, type] = [output.value, types.get(output.value)!];
  return Object.freeze(
    type === 'tensor' ? { ...named, type, value, ...metaOf(graph, value) } : { ...named, type, value },
  );
}

/** The value that an output of the signature names; null for a constant. */
function statedName(arg: Located): string | null {
  const [kind, inner] = arg.kind();
  if (kind === 'as_tensor') return inner.field('name').name();
  if (!kind.startsWith('as_sym_')) return null;
  return inner.optional('as_name')?.name() ?? null;
}
