// Recognises the optimizer of PyTorch whose state_dict() a file holds. The file does not name it: the keys of its parameter
// groups, and of its state of each parameter, show it. For optimizer-state.ts.
import { TensorValue, type Value } from '../checkpoint/values';

export type Dict = ReadonlyMap<Value, Value>;

/** Keys of torch.optim.SGD's groups: those of PyTorch 0.4, and those that later releases added. */
const sgdKeys = ['lr', 'momentum', 'dampening', 'weight_decay', 'nesterov', 'params'];
const laterSgdKeys = ['maximize', 'foreach', 'differentiable', 'fused', 'param_names'];
/** Keys that schedulers of PyTorch and timm keep there; the optimizer ignores them. */
const schedulerKeys = ['initial_lr', 'min_lr', 'max_lr', 'base_momentum', 'max_momentum', 'swa_lr', 'lr_scale'];
const known = new Set<Value>([...sgdKeys, ...laterSgdKeys, ...schedulerKeys]);

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

/** Optimizers whose groups have `betas`. */
function nameByBetas(group: Dict): string {
  if (group.has('amsgrad')) {
    const isDecoupled = group.get('decoupled_weight_decay');
    if (typeof isDecoupled === 'boolean') return isDecoupled ? 'torch.optim.AdamW' : 'torch.optim.Adam';
    return 'torch.optim.Adam or AdamW';
  }
  if (!group.has('weight_decay')) return 'torch.optim.SparseAdam';
  if (group.has('decoupled_weight_decay')) return 'torch.optim.RAdam';
  return 'torch.optim.RAdam, Adamax or another with betas';
}

/**
 * The optimizer's name; undefined for torch.optim.SGD. `states`: its state of each parameter. A key that SGD does not have
 * changes how weights are computed, unless it is a text, which can only be a label.
 */
export function otherOptimizer(groups: readonly Dict[], states: readonly Value[]): string | undefined {
  const kept = states.filter((state) => state instanceof Map) as Dict[];
  for (const dict of [...groups, ...kept]) {
    const signature = signatures.find(([key]) => dict.has(key));
    if (signature) return `torch.optim.${signature[1]}`;
  }
  for (const group of groups) {
    if (group.has('betas')) return nameByBetas(group);
    const missing = sgdKeys.find((key) => !group.has(key));
    if (missing !== undefined) return `not torch.optim.SGD: its group does not have ${missing}`;
    const other = [...group].find(([key, value]) => !known.has(key) && typeof value !== 'string');
    if (other) return `not torch.optim.SGD, whose groups do not have ${shown(other[0])}`;
  }
  const foreign = kept.flatMap((state) => [...state.keys()]).find((key) => key !== 'momentum_buffer');
  return foreign === undefined ? undefined : `not torch.optim.SGD, which does not keep ${shown(foreign)}`;
}

export function shown(value: Value | undefined): string {
  if (value instanceof TensorValue) return 'a tensor';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
