// Selects the part of a checkpoint that becomes the state: its only dict of tensors, or the one that "key" names. A whole
// pickled module counts too; its tensors are in a tree of inert objects (whole-models.ts).
import { formatError } from './errors';
import { kindOf, PickleCall, PickleDict, type PickleGlobal, type PickleValue, step } from './pickle/values';
import { isTensor } from './tensors';
import { refuseUnknown } from './unsafe-names';
import { ModuleWalker } from './whole-models';

/** Keys from the root to a part; empty for the root itself. */
export type PartPath = readonly PickleValue[];

export interface Part {
  path: PartPath;
  value: PickleDict | PickleCall;
  /** Tensors of a module in the order of model.state_dict(); undefined for a dict. */
  module: [string, PickleValue][] | undefined;
  /** Reason why model.state_dict() would return other tensors. */
  problem: string | undefined;
}

/** Depth below the root that is searched if no key is given; {'checkpoint': {'model': …}} has depth 2. */
const searchDepth = 8;

export interface Selection {
  part: Part;
  /** All parts that could be meant, including `part`. */
  candidates: readonly Part[];
}

/** `globals`: all Python names in the file. */
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

/** Returns the part, and throws if the file does not hold all of its weights. */
function whole(part: Part): Part {
  if (part.problem === undefined) return part;
  throw formatError(`${part.problem}. In Python, save model.state_dict() before the model is quantised or hooked`);
}

/** Returns the first of several keys that the root has. */
function oneOf(root: PickleValue, key: string | readonly string[]): string {
  if (typeof key === 'string') return key;
  return key.find((name) => root instanceof PickleDict && root.entries.has(name)) ?? key[0]!;
}

/** Throws unless there is exactly one candidate. */
export function checkUnique({ candidates }: Selection): void {
  if (candidates.length === 1) return;
  throw formatError(
    `Expected one state dict but found ${candidates.length}: ${listed(candidates)}. Choose one with the ` +
      `option "key", for example key: ${JSON.stringify(keyOf(candidates[0]!))}`,
  );
}

/** Returns the value of the option "key" that names the part. */
export function keyOf({ path }: Part): string {
  return path.join('.');
}

/** Searches level by level: other dicts of tensors, such as averages of the weights, are often deeper than the weights. */
function searched(root: PickleValue, walker: ModuleWalker): Part[] {
  // Each value is visited once: shared values can be reached by too many paths to follow.
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
  // No dict of tensors alone: the root qualifies if it holds tensors among other things.
  const part = asPart(root, [], walker);
  return part ? [part] : [];
}

/** Length up to which a key is searched for words; a key of a megabyte may be shared by many dicts. */
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

/** Recognises optimizer.state_dict(), which also holds dicts of tensors. */
function isOptimizer(value: PickleValue): boolean {
  return value instanceof PickleDict && value.entries.has('param_groups');
}

/** Returns the value as a part if it holds a named tensor. */
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

/** Whether the part holds nothing but tensors, as a state dict does. */
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

/** Splits a key: 'a.b' is the key 'a.b' if it exists, otherwise 'b' in 'a'. */
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
  return formatError(`Expected a state dict but found no named tensors: ${why}. In Python, save model.state_dict()`);
}
