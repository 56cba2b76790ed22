// Reads the inputs of a program's signature, and checks that they are those of its graph.
import type { Graph, Value } from './graph';
import type { Located } from './located';
import { mapInTurns } from './turns';

/** One input of the signature, with the input of the graph that belongs to it. */
export interface InputSpec {
  readonly kind: string;
  readonly place: Located;
  /** The graph's input; null for one that was fixed at export. */
  readonly value: Value | null;
}

const kinds: ReadonlySet<string> = new Set(['parameter', 'buffer', 'tensor_constant', 'user_input', 'constant_input']);

export function inputSpecs(module: Located, graph: Graph, signal: AbortSignal | undefined): Promise<InputSpec[]> {
  const specs = module.field('signature').field('input_specs').list();
  if (specs.length !== graph.inputs.length)
    throw module.error(`its signature has ${specs.length} inputs but its graph has ${graph.inputs.length}`);
  return mapInTurns(specs, (spec, i) => inputSpec(spec, graph.inputs[i]!), signal);
}

function inputSpec(spec: Located, input: Value | null): InputSpec {
  const [kind, place] = spec.kind();
  if (!kinds.has(kind))
    throw spec.error(
      `an input of kind ${kind.slice(0, 60)} is not supported; export a module of tensors and plain values`,
    );
  const stated = kind === 'constant_input' ? null : statedValue(place, kind);
  if (stated?.name !== input?.name || stated?.type !== input?.type)
    throw spec.error(`it does not belong to the input of the graph, ${input ? JSON.stringify(input) : 'a constant'}`);
  return { kind, place, value: input };
}

/** The value that an input of the signature is; null for a constant. */
function statedValue(place: Located, kind: string): Value | null {
  const arg = place.field('arg');
  if (kind !== 'user_input') return { name: arg.field('name').name(), type: 'tensor' };
  const [form, inner] = arg.kind();
  if (form === 'as_tensor') return { name: inner.field('name').name(), type: 'tensor' };
  const type = symbolic.get(form);
  return type && inner.kind()[0] === 'as_name' ? { name: inner.field('as_name').name(), type } : null;
}

const symbolic: ReadonlyMap<string, Value['type']> = new Map([
  ['as_sym_int', 'int'],
  ['as_sym_float', 'float'],
  ['as_sym_bool', 'bool'],
]);
