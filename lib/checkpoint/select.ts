// Finds in a checkpoint the part that a state is made of: the file's only dict of tensors, or the one that is asked for.
// Also whole pickled modules, whose tensors hang in a tree of inert objects.
import { formatError } from './errors';
import { kindOf, PickleCall, PickleDict, type PickleGlobal, type PickleValue, step } from './pickle/values';
import { isTensor } from './tensors';
import { refuseUnknown } from './unsafe-names';
import { ModuleWalker } from './whole-models';

/** Keys of the dicts around a part, from the root's on; empty for the root itself. */
export type PartPath = readonly PickleValue[];

export interface Part {
  path: PartPath;
  value: PickleDict | PickleCall;
  /** A module, not a dict: its tensors in the order of model.state_dict(). */
  module: [string, PickleValue][] | undefined;
  /** Why they are not those of model.state_dict(). */
  problem: string | undefined;
}

/** How deep below the root a part is looked for where no key is given; 2 is {'checkpoint': {'model': …}}. */
const searchDepth = 8;

export interface Selection {
  part: Part;
  /** All that could have been meant, the part among them. */
  candidates: readonly Part[];
}

/** `globals`: all that the file names. */
export function selectPart(
  root: PickleValue,
  key: string | readonly string[] | undefined,
  globals: readonly PickleGlobal[],
): Selection {
  const walker = new ModuleWalker();
  const candidates = searched(root, walker);
  if (key !== undefined) return { part: whole(partAt(root, oneOf(root, key), candidates, walker)), candidates };
  if (candidates.length > 0) return { part: whole(candidates[0]!), candidates };
  refuseUnknown(root, globals);
  throw nothingIn(root);
}

/** The part, which without some of its weights would be another model. */
function whole(part: Part): Part {
  if (part.problem === undefined) return part;
  throw formatError(`${part.problem}. In Python, save model.state_dict() before the model is quantised or hooked`);
}

/** Of several keys the first that the root has. */
function oneOf(root: PickleValue, key: string | readonly string[]): string {
  if (typeof key === 'string') return key;
  return key.find((name) => root instanceof PickleDict && root.entries.has(name)) ?? key[0]!;
}

/** Throws unless there was only one choice. */
export function checkUnique({ candidates }: Selection): void {
  if (candidates.length === 1) return;
  throw formatError(
    `Expected one state dict but found ${candidates.length}: ${listed(candidates)}. Name the one that is wanted with the ` +
      `option "key", for example key: ${JSON.stringify(keyOf(candidates[0]!))}`,
  );
}

/** As the option "key" names it. */
export function keyOf({ path }: Part): string {
  return path.join('.');
}

/** Shallow ones first: what lies beside weights, such as averages of them, is often deeper. */
function searched(root: PickleValue, walker: ModuleWalker): Part[] {
  // What many dicts hold is looked at once: the ways to it can be more than can be walked.
  const seen = new Set<PickleValue>();
  let level: { value: PickleValue; path: PartPath }[] = [{ value: root, path: [] }];
  for (let depth = 0; depth <= searchDepth; depth++) {
    const parts = level.flatMap(({ value, path }) => {
      const part = asPart(value, path, walker);
      return part && (isWhole(part) || depth > 0) ? [part] : [];
    });
    if (parts.length > 0) return parts;
    level = level.flatMap(({ value, path }) => (isOptimizer(value) ? [] : childrenOf(value, path, seen)));
  }
  // A dict of tensors and other things, with nothing better in it.
  const part = asPart(root, [], walker);
  return part ? [part] : [];
}

/** Of a dict that is looked for by its words; a key of a megabyte may be that of many dicts. */
const longestName = 200;

function childrenOf(value: PickleValue, path: PartPath, seen: Set<PickleValue>) {
  if (!(value instanceof PickleDict)) return [];
  const isNew = (item: PickleValue) =>
    (item instanceof PickleDict || item instanceof PickleCall) && !seen.has(item) && seen.add(item);
  const isRandom = (key: string) => /(^|_)(rng|random)(_|$)/.test(key.slice(0, longestName));
  return [...value.entries]
    .filter(([key, item]) => typeof key === 'string' && typeof item === 'object' && !isRandom(key) && isNew(item))
    .map(([key, item]) => ({ value: item, path: [...path, key] }));
}

/** optimizer.state_dict() holds dicts of tensors too. */
function isOptimizer(value: PickleValue): boolean {
  return value instanceof PickleDict && value.entries.has('param_groups');
}

/** A part if there is a tensor in it, under a name. */
function asPart(value: PickleValue, path: PartPath, walker: ModuleWalker): Part | undefined {
  if (value instanceof PickleCall) {
    const found = walker.tensorsOf(value);
    return found && { path, value, module: found.tensors, problem: found.problem };
  }
  if (!(value instanceof PickleDict)) return undefined;
  if (value.size === 0) return path.length === 0 ? { path, value, module: undefined, problem: undefined } : undefined;
  const holds = [...value.entries].some(([name, item]) => typeof name === 'string' && isTensor(item));
  return holds ? { path, value, module: undefined, problem: undefined } : undefined;
}

/** Nothing but tensors: a state dict, whatever else the file may hold. */
function isWhole({ value, module }: Part): boolean {
  return module !== undefined || (value instanceof PickleDict && [...value.entries.values()].every(isTensor));
}

function partAt(root: PickleValue, key: string, candidates: readonly Part[], walker: ModuleWalker): Part {
  const path = pathOf(root, key);
  const value = path.reduce<PickleValue | undefined>(
    (inner, name) => (inner instanceof PickleDict ? inner.entries.get(name) : undefined),
    root,
  );
  if (value === undefined) {
    const held = candidates.length > 0 ? listed(candidates) : kindOf(root);
    throw formatError(`There is nothing under the key ${JSON.stringify(key)}. It holds ${held}`);
  }
  const part =
    asPart(value, path, walker) ??
    (value instanceof PickleDict && value.size === 0
      ? { path, value, module: undefined, problem: undefined }
      : undefined);
  if (part) return part;
  throw formatError(`Expected a dict of tensors under the key ${JSON.stringify(key)} but found ${kindOf(value)}`);
}

/** 'a.b' is the key 'a.b' if there is one, else 'b' in 'a'. */
function pathOf(root: PickleValue, key: string): string[] {
  if (key === '') return [];
  if (!(root instanceof PickleDict) || root.entries.has(key)) return [key];
  for (let dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1)) {
    const inner = root.entries.get(key.slice(0, dot));
    if (inner instanceof PickleDict) return [key.slice(0, dot), ...pathOf(inner, key.slice(dot + 1))];
  }
  return [key];
}

function listed(parts: readonly Part[]): string {
  const more = parts.length > 20 ? ` and ${parts.length - 20} more` : '';
  return parts
    .slice(0, 20)
    .map(({ path, value, module }) => {
      const items = module ?? [...(value as PickleDict).entries].filter(([, item]) => isTensor(item));
      return `${path.map(step).join('') || 'the whole file'} (${items.length} tensor${items.length === 1 ? '' : 's'})`;
    })
    .join(', ')
    .concat(more);
}

function nothingIn(root: PickleValue) {
  if (!(root instanceof PickleDict)) {
    return formatError(`Expected a state dict but found ${kindOf(root)}; in Python, save model.state_dict()`);
  }
  const odd = [...root.entries].find(([, value]) => !isTensor(value));
  const why = odd
    ? `${step(odd[0])} is ${kindOf(odd[1])}`
    : `its tensors have keys such as ${step([...root.entries.keys()][0]!)}`;
  return formatError(
    `Expected a state dict, but no tensors with names are there: ${why}. In Python, save model.state_dict()`,
  );
}
