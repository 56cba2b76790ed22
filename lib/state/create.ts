// Creates states with new weights, for models that are trained from scratch.

import { checkOptions, isNumber, own } from '../core/checks';
import { fromNative, LearnError } from '../core/errors';
import { isModel } from '../models';
import { native } from '../native/native';
import type { InitialTensor, Model, ModelTensor } from '../program/module';
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
  const tensors = model.tensors.map((tensor): InitialTensor => {
    if (isInitial(tensor)) return tensor;
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected a model of layers, which knows how its weights are initialised, but ${model.name} comes from a file: ` +
        'use the state that loadModel() returns with it',
    );
  });
  const handle = await fromNative(() => native().createState(tensors, seed));
  return makeState(handle, modulesOf(model));
}

function isInitial(tensor: ModelTensor): tensor is InitialTensor {
  return own(tensor, 'init') !== undefined;
}

/** Returns the `_metadata` of the model's `state_dict()` in Python. */
export function modulesOf(model: Model): Map<string, Map<string, number>> {
  return new Map(model.modules.map(([path, version]) => [path, new Map([['version', version]])]));
}
