// Samples on which the model fails, such as one with a token beyond its vocabulary: an operator refuses what it cannot look up. They
// are found before a batch is recorded. Otherwise the batch fails as a whole, and one caller ends the learner for all.
import { LearnError } from '../core/errors';
import { part, type Values } from '../core/sample-values';
import { everyNode, type Program } from '../program/program';
import type { Engine } from './engine';
import type { BatchRecord } from './storage/records';

/** True if the program looks something up, and fails where it does not exist. Floats may become indices within the model. */
export function looksUp({ nodes }: Program): boolean {
  return everyNode(nodes).some(({ op }) => /embedding|gather|index|one_hot|scatter|take/.test(op));
}

/** The samples of a batch on which the model fails, by their indices, with its error. */
export async function failingSamples(
  engine: Engine,
  { ids, inputs }: Pick<BatchRecord, 'ids' | 'inputs'>,
): Promise<Map<number, string>> {
  const failing = new Map<number, string>();
  if (!engine.context.looksUp) return failing;
  if (!(await errorOf(engine, inputs))) return failing;
  for (const index of ids.keys()) {
    const own = inputs.map((values) => {
      const size = values.length / ids.length;
      return part(values, index * size, (index + 1) * size);
    });
    const error = await errorOf(engine, own);
    if (error) failing.set(index, error.message);
  }
  return failing;
}

/** The error of the model; undefined: it takes the samples. */
async function errorOf(engine: Engine, inputs: readonly Values[]): Promise<LearnError | undefined> {
  try {
    await engine.tryOut(inputs);
    return undefined;
  } catch (cause) {
    if (cause instanceof LearnError && cause.code === 'ERR_TORCH') return cause;
    throw cause;
  }
}
