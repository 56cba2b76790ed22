// The builder for models of one's own.

import { ownOptions } from '../core/checks';
import { chain, type Layers } from '../layers/containers';
import { buildModel, imageInput, type Model } from '../program/module';

/** Options of {@link sequential}. */
export interface SequentialOptions {
  /** Shape of one sample, such as [3, 32, 32]; `predict` and the checks before a run use it. Default: any. */
  input?: readonly number[];
  /** For messages. Defaults to 'Sequential'. */
  name?: string;
}

/**
 * A model that runs its layers one after the other; the keys become the names in the state dict.
 *
 * @example
 * ```ts
 * const model = sequential({ fc1: linear(8, 16), relu: relu(), fc2: linear(16, 2) }, { input: [8] });
 * const state = await createState(model, { seed: 0 });
 * ```
 */
export function sequential(layers: Layers, options: SequentialOptions = {}): Model {
  const { input, name = 'Sequential' } = ownOptions('sequential', options, ['input', 'name']);
  return buildModel(name, chain(layers), [imageInput(input)]);
}
