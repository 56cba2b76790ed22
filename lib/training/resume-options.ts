// Finds the model, its optimizer and its schedulers in the checkpoint that a training resumes. For checkpoint.ts.
import { formatError } from '../checkpoint/errors';
import type { Value } from '../checkpoint/values';
import { type Check, checkOptions, isPath, isText } from '../core/checks';
import { type State, treeOf } from '../state/state';
import type { Dict } from './optimizer-names';
import { isSchedulerState } from './scheduler-state';

/** The file from which a run resumes, and the place of the model in it. */
export interface ResumeOptions {
  path: string;
  /** As for loadState(). Default: 'model', 'model_state_dict' or 'state_dict', whichever comes first. */
  key?: string;
  /** As for loadState(). Default: none. */
  stripPrefix?: string;
}

export const isResume: Check = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return isPath(value, name);
  const own = checkOptions(name, value as ResumeOptions, { path: isPath, key: isText, stripPrefix: isText });
  isPath(own.path, `${name}.path`);
  return own;
};

/** The dicts around the model's, from the innermost on, without the model. */
export function dictsAround(state: State): ReadonlyMap<unknown, unknown>[] {
  const dicts: ReadonlyMap<unknown, unknown>[] = [state.metadata];
  for (const key of treeOf(state).path.slice(0, -1)) {
    const inner = dicts[0]!.get(key);
    if (inner instanceof Map) dicts.unshift(inner);
  }
  return dicts;
}

/** The optimizer under a usual key, otherwise the only one under any key: to resume without it would be another run. */
export function optimizerIn(dicts: readonly ReadonlyMap<unknown, unknown>[]): Value | undefined {
  for (const dict of dicts) {
    const usual = dict.get('optimizer') ?? dict.get('optimizer_state_dict');
    if (usual !== undefined && usual !== null) return usual as Value;
    const found = [...dict].flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value])
        .filter((item): item is ReadonlyMap<Value, Value> => item instanceof Map && item.has('param_groups'))
        .map((item) => ({ name, item })),
    );
    if (found.length > 1)
      throw formatError(
        `Expected the state of one optimizer but found ${found.length}, under ${found.map(({ name }) => name).join(', ')}; ` +
          'save the one of the model under the key optimizer',
      );
    if (found.length === 1) return found[0]!.item;
  }
  return undefined;
}

/** The states of learning-rate schedulers, by what PyTorch's and Lightning's hold, and the keys under which they are. */
export function schedulersIn(dicts: readonly ReadonlyMap<unknown, unknown>[]): { key: string; dict: Dict }[] {
  return dicts.flatMap((dict) =>
    [...dict].flatMap(([key, value]) =>
      (Array.isArray(value) ? value : [value])
        .filter(isSchedulerState)
        .map((state) => ({ key: String(key), dict: state })),
    ),
  );
}
