// Joins states into one, and averages them.
import { TensorValue } from '../checkpoint/values';
import { invalid } from '../core/checks';
import { fromNative, LearnError } from '../core/errors';
import { native } from '../native/native';
import { merged, namesOf, rebuilt } from './edit';
import { derivedState, heldHandle, holding, State, stateHandle, treeOf } from './state';

/**
 * One state with the tensors of all, in this order, which share the memory of theirs. Throws ERR_INVALID_OPTION, naming it, if two have a
 * tensor of the same name. `_metadata` has the modules of all; what else a file held is that of the first state's.
 *
 * @example
 * ```ts
 * const [backbone, head] = [await loadState('pretrained.pth'), await loadState('head.pth')];
 * const state = merge(backbone.without('fc'), head.select('fc'));
 * ```
 */
export function merge(...states: readonly [State, ...State[]]): State {
  for (const state of checkedStates(states)) stateHandle(state);
  return derivedState(merged([treeOf(states[0]), ...states.slice(1).map(treeOf)]), states);
}

/**
 * The mean of states of the same names, shapes and dtypes, such as checkpoints of one run: `(sum(t.double() for t in tensors) /
 * len(tensors)).to(dtype)` in Python, bit for bit. Integers, such as the counts of batch norms, are those of the last state, as
 * `torch.optim.swa_utils.AveragedModel` takes them. Running means and variances of batch norms are averaged like
 * weights; `torch.optim.swa_utils.update_bn` computes better ones. Of what else the files held, only `_metadata` is kept.
 *
 * @example
 * ```ts
 * const soup = await averageStates([await loadState('a.pth'), await loadState('b.pth')]);
 * ```
 */
export async function averageStates(states: readonly State[]): Promise<State> {
  const [first, ...more] = checkedStates(states);
  for (const [i, state] of more.entries()) checkAlike(first, state, i + 1);
  const held = (rest: readonly State[], work: () => Promise<State>): Promise<State> =>
    rest.length === 0 ? work() : holding(rest[0], () => held(rest.slice(1), work));
  return held([first, ...more], () => average([first, ...more]));
}

async function average(states: readonly [State, ...State[]]): Promise<State> {
  const [first] = states;
  const names = first.names;
  // Other states may have the tensors in another order.
  const ordered = states.map((state) => {
    const indices = new Map(state.names.map((name, index) => [name, index]));
    const places = Int32Array.from(names.flatMap((name) => [0, indices.get(name)!]));
    return native().shareTensors({ names, states: [heldHandle(state)], places });
  });
  try {
    const handle = await fromNative(() => native().averageStates(ordered));
    const { part, stripped } = treeOf(first);
    const values = namesOf(treeOf(first)).map(
      (name, index) => [name, new TensorValue({ handle }, index, first.tensors[index]!)] as const,
    );
    // The dict alone: two optimizers have no mean.
    const tree = { root: part, path: [], part, ...(stripped && { stripped }) };
    try {
      return derivedState(rebuilt(tree, values), []);
    } finally {
      native().disposeState(handle);
    }
  } finally {
    for (const handle of ordered) native().disposeState(handle);
  }
}

function checkedStates(states: readonly State[]): [State, ...State[]] {
  if (!Array.isArray(states) || states.length === 0) throw invalid('at least one State', 'states', states);
  for (const [i, state] of states.entries())
    if (!(state instanceof State)) throw invalid('a State', `states[${i}]`, state);
  return [...states] as [State, ...State[]];
}

/** Throws, naming the first difference, unless both have the same names, shapes and dtypes. */
function checkAlike(first: State, state: State, number: number): void {
  const found = new Map(state.tensors.map((tensor) => [tensor.name, tensor]));
  const text = ({ dtype, shape }: { dtype: string; shape: readonly number[] }) => `${dtype} [${shape.join(', ')}]`;
  for (const tensor of first.tensors) {
    const other = found.get(tensor.name);
    if (!other) throw differs(number, `has no ${tensor.name}, which the first one has`);
    if (text(other) !== text(tensor))
      throw differs(number, `has ${tensor.name} as ${text(other)}, and the first one as ${text(tensor)}`);
  }
  const names = new Set(first.names);
  const more = state.names.find((name) => !names.has(name));
  if (more !== undefined) throw differs(number, `has ${more}, which the first one does not have`);
}

function differs(number: number, how: string): LearnError {
  return new LearnError(
    'ERR_STATE_MISMATCH',
    `Expected states of the same names, shapes and dtypes to average, but states[${number}] ${how}. Average checkpoints of one model`,
  );
}
