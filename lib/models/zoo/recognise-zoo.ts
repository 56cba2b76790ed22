// Recognises the architecture of the zoo that a state belongs to, by the names and shapes of its tensors, whatever its head is.
import { createHash } from 'node:crypto';
import { linear } from '../../layers/linear';
import type { Model } from '../../program/module';
import { fingerprints } from './fingerprints';
import { getModel, headNames, headOf, type ModelOptions } from './get-model';
import type { Architecture } from './index';

type Shapes = ReadonlyMap<string, readonly number[]>;

/** What a state is of: a model, or an architecture with a head that leaves no trace of how it computes. */
export type Recognised = { readonly model: Model } | { readonly architecture: Architecture; readonly head: string };

/** Layers that make classes of features, and those that do so beside them while an Inception network trains. */
const headed = new RegExp(`^(${[...headNames, 'aux1', 'aux2', 'AuxLogits'].join('|')})\\.`);
/** Absent from states of before PyTorch 0.4.1. */
const isCounter = (name: string) => name.endsWith('num_batches_tracked');

/** Sixteen hexadecimal digits that tell architectures apart: of the names and shapes of all tensors but the heads'. */
export function fingerprintOf(shapes: Shapes): string {
  const lines = [...shapes].flatMap(([name, shape]) =>
    headed.test(name) || isCounter(name) ? [] : [`${name} ${shape.join()}`],
  );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 16);
}

/** The name and the shape of the first tensor, as far as it has no counterpart in others. */
export function firstOf(shapes: Shapes): string {
  const [name, shape] = [...shapes].find(([each]) => each.endsWith('.weight'))!;
  return `${name} ${shape.join()}`;
}

const architectures = new Map(Object.entries(fingerprints).map(([name, [digest]]) => [digest, name as Architecture]));

/** The architecture that begins as the state does and has most nearly as many tensors; undefined if none begins so. */
export function nearestArchitecture(shapes: Shapes): Model | undefined {
  const isHeld = (first: string) => {
    const [name, sizes] = first.split(' ');
    return shapes.get(name!)?.join() === sizes;
  };
  const distance = ([, [, tensors]]: (typeof entries)[number]) => Math.abs(tensors - shapes.size);
  const entries = Object.entries(fingerprints).filter(([, [, , first]]) => isHeld(first));
  const nearest = entries.sort((a, b) => distance(a) - distance(b))[0];
  return nearest && getModel(nearest[0] as Architecture);
}

/** Returns undefined for a state of no architecture of the zoo. */
export function recogniseArchitecture(shapes: Shapes): Recognised | undefined {
  const architecture = architectures.get(fingerprintOf(shapes));
  if (architecture === undefined) return undefined;
  const auxiliary = [...shapes.keys()].some((name) => /^(aux1|AuxLogits)\./.test(name));
  const options = (
    /^(googlenet|inception_v3)$/.test(architecture) ? { auxLogits: auxiliary } : {}
  ) as ModelOptions<Architecture>;
  const head = headOf(architecture);
  const layers = [...shapes].filter(([name]) => name.startsWith(`${head}.`));
  const last = layers.findLast(([name]) => name.endsWith('.weight'))?.[1];
  if (last === undefined) return { architecture, head };
  const model = getModel(architecture, { ...options, numClasses: last[0]! });
  const wanted = model.tensors.filter(({ name }) => name.startsWith(`${head}.`));
  const isOwn = wanted.length === layers.length && wanted.every(({ name, shape }) => isShape(shapes.get(name), shape));
  if (isOwn) return { model };
  const names = layers.map(([name]) => name.slice(head.length + 1)).sort();
  const isLinear = last.length === 2 && /^(bias,)?weight$/.test(names.join());
  if (!isLinear) return { architecture, head };
  const layer = linear(last[1]!, last[0]!, { bias: names.length === 2 });
  return { model: getModel(architecture, { ...options, head: layer }) };
}

function isShape(found: readonly number[] | undefined, shape: readonly number[]): boolean {
  return found?.join() === shape.join();
}
