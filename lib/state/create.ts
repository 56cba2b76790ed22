// Creates states with new weights, for models that are trained from scratch.

import { checkOptions, isNumber } from '../core/checks';
import { fromNative, LearnError } from '../core/errors';
import { isModel } from '../models';
import { native } from '../native/native';
import type { InitialDraw } from '../native/state-plans';
import { drawsOf, type Model } from '../program/module';
import { makeState, type State } from './state';

/** Options of {@link createState}. */
export interface CreateStateOptions {
  /** As `torch.manual_seed(seed)` just before the model is made. Default: 0. */
  seed?: number;
}

/**
 * A state initialised as PyTorch's modules initialise theirs, bit for bit.
 *
 * @example
 * ```ts
 * const state = await createState(net(), { seed: 0 });
 * await saveState(state, 'pretrained_model.pth');
 * ```
 */
export async function createState(model: Model, options: CreateStateOptions = {}): Promise<State> {
  isModel(model, 'model');
  const { seed = 0 } = checkOptions('createState', options, { seed: isNumber({ integer: true, min: 0 }) });
  const drawn = drawsOf(model);
  if (drawn === undefined)
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected a model of layers, which knows how its weights are initialised, but ${model.name} comes from a file: ` +
        'use the state that loadModel() returns with it',
    );
  const indices = new Map(model.tensors.map(({ name }, index) => [name, index]));
  const indexOf = (name: string) => {
    const index = indices.get(name);
    if (index !== undefined) return index;
    throw new LearnError('ERR_INVALID_OPTION', `${model.name} initialises "${name}", which it does not have`);
  };
  const draws = drawn.map(
    ({ tensor, init }): InitialDraw => ({
      tensor: indexOf(tensor),
      init: init.kind === 'copy' ? { ...init, tensor: indexOf(init.tensor) } : init,
    }),
  );
  const handle = await fromNative(() => native().createState(model.tensors, draws, seed));
  return makeState(handle, modulesOf(model));
}

/** Returns the `_metadata` of the model's `state_dict()` in Python. */
export function modulesOf(model: Model): Map<string, Map<string, number>> {
  return new Map(model.modules.map(([path, version]) => [path, new Map([['version', version]])]));
}
