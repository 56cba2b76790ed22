// The rows of a layer that grows, in the dict of a state and in copies of its model in the checkpoint. For extend-classes.ts.
import { OrderedDict, TensorValue, type Value } from '../checkpoint/values';
import { biasUniform, kaimingUniform } from '../layers/initialisers';
import type { GrownTensor } from '../native/state-plans';
import type { Classifier } from './classifier';
import type { Dict } from './optimizer-names';

/** A tensor that gets more rows, and how. */
export interface Grown {
  tensor: TensorValue;
  plan: GrownTensor;
}

/** The tensors of the layer in `dict`, whose names have `prefix`; empty if it does not hold this layer. */
export function grownRows(dict: Dict, layer: Classifier, classes: number, prefix = ''): Grown[] {
  const { weight, bias, old, features } = layer;
  const wanted = [
    { name: weight, shape: [old, features], init: kaimingUniform(features) },
    ...(bias === undefined ? [] : [{ name: bias, shape: [old], init: biasUniform(features) }]),
  ];
  const rows = wanted.flatMap(({ name, shape, init }): Grown[] => {
    const tensor = dict.get(prefix + name);
    if (!(tensor instanceof TensorValue) || String(tensor.shape) !== String(shape) || !isDrawn(tensor)) return [];
    return [{ tensor, plan: { name, state: tensor.handle, index: tensor.index, rows: classes, init } }];
  });
  return rows.length === wanted.length ? rows : [];
}

/** Whether PyTorch draws weights of this dtype. */
function isDrawn({ dtype }: TensorValue): boolean {
  return /^b?float(16|32|64)$/.test(dtype);
}

/**
 * The layer in other weights of the model inside `root`: in every AveragedModel.state_dict() of torch.optim.swa_utils, and in the best by
 * validation of a run of this library. Each is to get the same rows. Another dict may hold anything by these names.
 */
export function grownCopies(root: Value, layer: Classifier, classes: number): Grown[][] {
  const averages = dictsIn(root).filter((dict) => dict.has('n_averaged'));
  const isOwn = root instanceof Map && root.get('options') instanceof Map;
  const best = isOwn ? root.get('best') : undefined;
  return [
    ...averages.map((dict) => grownRows(dict, layer, classes, 'module.')),
    ...(best instanceof Map ? [grownRows(best, layer, classes)] : []),
  ];
}

/** Every dict inside `root`, itself included. Each value is visited once. */
export function dictsIn(root: Value): Dict[] {
  const seen = new Set<Value>([root]);
  for (const value of seen) {
    const attributes = value instanceof OrderedDict && value.attributes ? [value.attributes] : [];
    const inside = Array.isArray(value) ? value : value instanceof Map ? [...value.values(), ...attributes] : [];
    for (const item of inside) if (typeof item === 'object' && item !== null) seen.add(item);
  }
  return [...seen].filter((value) => value instanceof Map) as Dict[];
}
