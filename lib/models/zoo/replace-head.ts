// Gives a model another head: the layers at one path, which come last, are replaced.
import { LearnError } from '../../core/errors';
import { frozen } from '../../core/family';
import type { Layer } from '../../layers/containers';
import { buildModel, layerOf } from '../../program/build-model';
import { drawsOf, isBuilt, type Model } from '../../program/module';
import { outputNames, type ProgramNode, valueNames } from '../../program/program';
import { renamed } from '../../program/rename';

/**
 * The model with `head` instead of the layers at `path`, as `model.fc = …` in PyTorch. Its weights are drawn after all others, without the draws of
 * the layers that it replaces. Throws ERR_INVALID_OPTION if the layers at `path` take more than one value.
 */
export function replaceHead(model: Model, path: string, head: Layer): Model {
  const { program } = model;
  const isOf = (name: string) => name === path || name.startsWith(`${path}.`);
  const inHead = program.nodes.map((node) => isOf(layerOf(node)));
  const first = inHead.indexOf(true);
  const last = inHead.lastIndexOf(true);
  const nodes = program.nodes.slice(first, last + 1);
  const taken = inputsOf(nodes, isOf);
  if (first < 0 || taken.length !== 1)
    throw new LearnError('ERR_INVALID_OPTION', `${model.name} has no head "${path}" that could be replaced`);
  const built = isBuilt(head) ? head : buildModel(path, head);
  const drawn = drawsOf(built);
  const held = new Set(built.tensors.map(({ name }) => name));
  const output = outputNames(nodes.at(-1)!)[0]!;
  const inner = (name: string) => (name === '' ? path : `${path}.${name}`);
  const global = (local: string) => {
    if (local === built.program.inputs[0]!.name) return taken[0]!;
    if (local === built.program.outputs[0]) return output;
    return held.has(local) ? inner(local) : `${path}:${local}`;
  };
  const placed = (node: ProgramNode): ProgramNode => ({
    ...renamed(node, global),
    place: `the layer "${inner(layerOf(node))}"`,
  });
  const replaced = <Item>(items: readonly Item[], nameOf: (item: Item) => string, others: readonly Item[]): Item[] => {
    const place = items.findIndex((item) => isOf(nameOf(item)));
    const kept = items.filter((item) => !isOf(nameOf(item)));
    return [...kept.slice(0, place), ...others, ...kept.slice(place)];
  };
  const named = <Tensor extends { readonly name: string }>(tensors: readonly Tensor[]) =>
    tensors.map((tensor) => ({ ...tensor, name: inner(tensor.name) }));
  return frozen({
    ...model,
    program: {
      ...program,
      parameters: replaced(program.parameters, ({ name }) => name, named(built.program.parameters)),
      buffers: [...program.buffers.filter(({ name }) => !isOf(name)), ...named(built.program.buffers)],
      nodes: [...program.nodes.slice(0, first), ...built.program.nodes.map(placed), ...program.nodes.slice(last + 1)],
    },
    tensors: replaced(model.tensors, ({ name }) => name, named(built.tensors)),
    modules: replaced(
      model.modules,
      ([name]) => name,
      built.modules.map(([name, version]) => [inner(name), version] as const),
    ),
    ...(drawn && {
      draws: [
        ...drawsOf(model)!.filter(({ tensor }) => !isOf(tensor)),
        ...drawn.map(({ tensor, init }) => ({ tensor: inner(tensor), init })),
      ],
    }),
  });
}

/** The values that these nodes take from others. */
function inputsOf(nodes: readonly ProgramNode[], isOwn: (tensor: string) => boolean): string[] {
  const made = new Set(nodes.flatMap(outputNames));
  const read = nodes.flatMap(({ args }) => Object.values(args).flatMap(valueNames));
  return [...new Set(read.filter((name) => !made.has(name) && !isOwn(name)))];
}
