// Reads the inputs of a program's signature, and checks that they are those of its graph.
import type { Graph } from './graph';
import type { Located } from './located';

/** One input of the signature, with the input of the graph that belongs to it. */
export interface InputSpec {
  readonly kind: string;
  readonly place: Located;
  /** Name of the graph's input; null for one that was fixed at export. */
  readonly value: string | null;
}

const kinds: ReadonlySet<string> = new Set(['parameter', 'buffer', 'tensor_constant', 'user_input', 'constant_input']);

export function inputSpecs(module: Located, graph: Graph): InputSpec[] {
  const specs = module.field('signature').field('input_specs').list();
  if (specs.length !== graph.inputs.length)
    throw module.error(`its signature has ${specs.length} inputs but its graph has ${graph.inputs.length}`);
  return specs.map((spec, i) => {
    const [kind, place] = spec.kind();
    if (!kinds.has(kind))
      throw spec.error(
        `an input of kind ${kind.slice(0, 60)} is not supported; export a module of tensors and plain values`,
      );
    const value = kind === 'constant_input' ? null : named(place, kind);
    const input = graph.inputs[i] ?? null;
    if (kind === 'constant_input' ? input !== null : value !== (input?.name ?? null))
      throw spec.error(`it does not belong to the input ${JSON.stringify(input?.name ?? null)} of the graph`);
    if (value !== null && kind !== 'user_input' && input?.type !== 'tensor') throw spec.expected('a tensor');
    return { kind, place, value };
  });
}

/** The name of the value that an input of the signature is; null for a constant. */
function named(place: Located, kind: string): string | null {
  const arg = place.field('arg');
  if (kind !== 'user_input') return arg.field('name').name();
  const [form, inner] = arg.kind();
  if (form === 'as_tensor') return inner.field('name').name();
  return form.startsWith('as_sym_') && inner.kind()[0] === 'as_name' ? inner.field('as_name').name() : null;
}
