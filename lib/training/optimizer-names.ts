// Recognises the optimizer of PyTorch whose state_dict() a file holds. The file does not name it: the keys of its parameter
// groups, and of its state of each parameter, show it. For optimizer-state.ts.
import { TensorValue, type Value } from '../checkpoint/values';

export type Dict = ReadonlyMap<Value, Value>;

/** Keys that schedulers of PyTorch and timm keep in groups; optimizers ignore them. */
const schedulerKeys = ['initial_lr', 'min_lr', 'max_lr', 'base_momentum', 'max_momentum', 'swa_lr', 'lr_scale'];
/** Keys of the groups of every optimizer, of one release or another. */
const commonKeys = ['params', 'param_names', 'maximize', 'foreach', 'capturable', 'differentiable', 'fused'];

/** Optimizers by keys that no other one of torch.optim has; the first key that a group or a parameter's state has counts. */
const signatures: readonly (readonly [key: string, name: string])[] = [
  ['ns_coefficients', 'Muon'],
  ['beta2_decay', 'Adafactor'],
  ['momentum_decay', 'NAdam'],
  ['centered', 'RMSprop'],
  ['rho', 'Adadelta'],
  ['lr_decay', 'Adagrad'],
  ['lambd', 'ASGD'],
  ['etas', 'Rprop'],
  ['history_size', 'LBFGS'],
  ['exp_inf', 'Adamax'],
];

/** The names in torch.optim of those whose state this may be: more than one where groups of old releases do not say. */
export function optimizerNames(groups: readonly Dict[], states: readonly Dict[]): readonly string[] {
  for (const dict of [...groups, ...states]) {
    const signature = signatures.find(([key]) => dict.has(key));
    if (signature) return [signature[1]];
  }
  const group = groups.find((one) => one.has('betas'));
  return group ? namesByBetas(group) : ['SGD'];
}

function namesByBetas(group: Dict): readonly string[] {
  const isDecoupled = group.get('decoupled_weight_decay');
  if (group.has('amsgrad')) {
    if (typeof isDecoupled === 'boolean') return [isDecoupled ? 'AdamW' : 'Adam'];
    return ['Adam', 'AdamW'];
  }
  if (!group.has('weight_decay')) return ['SparseAdam'];
  return isDecoupled === undefined ? ['RAdam', 'Adamax', 'another with betas'] : ['RAdam'];
}

/** A key of `group` that such an optimizer does not have, and that is not a text, which can only be a label. */
export function foreignKey(group: Dict, ownKeys: readonly string[]): Value | undefined {
  const known = new Set<Value>([...ownKeys, ...commonKeys, ...schedulerKeys]);
  return [...group].find(([key, value]) => !known.has(key) && typeof value !== 'string')?.[0];
}

export function shown(value: Value | undefined): string {
  if (value instanceof TensorValue) return 'a tensor';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
