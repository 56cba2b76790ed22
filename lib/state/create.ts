// Creates states with new weights, for models that are trained from scratch.

import { checkOptions, isNumber } from '../core/checks';
import { fromNative } from '../core/errors';
import { isModel } from '../models';
import { native } from '../native/native';
import type { Model } from '../program/module';
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
  const handle = await fromNative(() => native().createState(model.tensors, seed));
  return makeState(handle, modulesOf(model));
}

/** Returns the `_metadata` of the model's `state_dict()` in Python. */
export function modulesOf(model: Model): Map<string, Map<string, number>> {
  return new Map(model.modules.map(([path, version]) => [path, new Map([['version', version]])]));
}
