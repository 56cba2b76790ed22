// Finds in a checkpoint the part that a state is made of: the file's only dict of tensors, or the one that is asked for.
// Also whole pickled modules, whose tensors hang in a tree of inert objects.
import { formatError } from './errors';
import { refuseUnknown } from './globals';
import { maxDepth, maxModules } from './limits';
import { kindOf, PickleCall, PickleDict, PickleGlobal, type PickleValue, step } from './pickle-values';
import { isTensor } from './tensors';

/** Keys of the dicts around a part, from the root's on; empty for the root itself. */
export type PartPath = readonly PickleValue[];

export interface Part {
  path: PartPath;
  value: PickleDict | PickleCall;
  /** A module, not a dict: its tensors in the order of model.state_dict(). */
  module?: [string, PickleValue][];
}

/** How deep below the root a part is looked for where no key is given: {'model': …} and {'checkpoint': {'model': …}}. */
const searchDepth = 2;

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
  const candidates = searched(root);
  if (key !== undefined) return { part: partAt(root, oneOf(root, key), candidates), candidates };
  if (candidates.length > 0) return { part: candidates[0]!, candidates };
  refuseUnknown(root, globals);
  throw nothingIn(root);
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
function searched(root: PickleValue): Part[] {
  let level: { value: PickleValue; path: PartPath }[] = [{ value: root, path: [] }];
  for (let depth = 0; depth <= searchDepth; depth++) {
    const parts = level.flatMap(({ value, path }) => {
      const part = asPart(value, path);
      return part && (isWhole(part) || depth > 0) ? [part] : [];
    });
    if (parts.length > 0) return parts;
    level = level.flatMap(({ value, path }) => (isOptimizer(value) ? [] : childrenOf(value, path)));
  }
  // A dict of tensors and other things, with nothing better in it.
  const part = asPart(root, []);
  return part ? [part] : [];
}

function childrenOf(value: PickleValue, path: PartPath) {
  if (!(value instanceof PickleDict)) return [];
  return [...value.entries]
    .filter(([key]) => typeof key === 'string' && !/(^|_)(rng|random)(_|$)/.test(key))
    .map(([key, item]) => ({ value: item, path: [...path, key] }));
}

/** optimizer.state_dict() holds dicts of tensors too. */
function isOptimizer(value: PickleValue): boolean {
  return value instanceof PickleDict && value.entries.has('param_groups');
}

/** A part if there is a tensor in it, under a name. */
function asPart(value: PickleValue, path: PartPath): Part | undefined {
  if (value instanceof PickleCall) {
    const module = moduleTensors(value);
    return module && { path, value, module };
  }
  if (!(value instanceof PickleDict)) return undefined;
  if (value.size === 0) return path.length === 0 ? { path, value } : undefined;
  const holds = [...value.entries].some(([name, item]) => typeof name === 'string' && isTensor(item));
  return holds ? { path, value } : undefined;
}

/** Nothing but tensors: a state dict, whatever else the file may hold. */
function isWhole({ value, module }: Part): boolean {
  return module !== undefined || (value instanceof PickleDict && [...value.entries.values()].every(isTensor));
}

function partAt(root: PickleValue, key: string, candidates: readonly Part[]): Part {
  const path = pathOf(root, key);
  const value = path.reduce<PickleValue | undefined>(
    (inner, name) => (inner instanceof PickleDict ? inner.entries.get(name) : undefined),
    root,
  );
  if (value === undefined) {
    const held = candidates.length > 0 ? listed(candidates) : kindOf(root);
    throw formatError(`There is nothing under the key ${JSON.stringify(key)}. It holds ${held}`);
  }
  const part = asPart(value, path) ?? (value instanceof PickleDict && value.size === 0 ? { path, value } : undefined);
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
  return parts
    .map(({ path, value, module }) => {
      const items = module ?? [...(value as PickleDict).entries].filter(([, item]) => isTensor(item));
      return `${path.map(step).join('') || 'the whole file'} (${items.length} tensor${items.length === 1 ? '' : 's'})`;
    })
    .join(', ');
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

/** The inert tree that torch.save(model) makes: objects with _parameters, _buffers and _modules. */
function moduleTensors(root: PickleCall): [string, PickleValue][] | undefined {
  if (!isModule(root)) return undefined;
  const tensors: [string, PickleValue][] = [];
  let visited = 0;
  const open: { module: PickleCall; prefix: string; depth: number }[] = [{ module: root, prefix: '', depth: 0 }];
  for (let place = open.pop(); place; place = open.pop()) {
    const { module, prefix, depth } = place;
    // A module that holds another twice, which does so too, and so on, is small in the file and endless when walked.
    if (depth > maxDepth || ++visited > maxModules) throw formatError('its modules are nested without end');
    const hidden = attribute(module, '_non_persistent_buffers_set');
    const isHidden = (name: PickleValue) => hidden instanceof PickleCall && namesIn(hidden).includes(name);
    for (const [name, item] of [...entriesOf(module, '_parameters'), ...entriesOf(module, '_buffers')]) {
      if (typeof name === 'string' && item !== null && !isHidden(name)) tensors.push([prefix + name, item]);
    }
    const children = entriesOf(module, '_modules').filter(([, child]) => child !== null);
    for (const [name, child] of children.reverse()) {
      if (!(child instanceof PickleCall) || !isModule(child) || typeof name !== 'string')
        throw formatError(`the module ${JSON.stringify(prefix + name)} is ${kindOf(child)}`);
      open.push({ module: child, prefix: `${prefix}${name}.`, depth: depth + 1 });
    }
  }
  return tensors;
}

/** Of set([…]) as protocol 2 writes it. */
function namesIn({ args }: PickleCall): readonly PickleValue[] {
  const [items] = 'items' in Object(args) ? (args as { items: readonly PickleValue[] }).items : [];
  return Array.isArray(items) ? items : [];
}

function isModule(value: PickleCall): boolean {
  return (
    value.callee instanceof PickleGlobal &&
    attribute(value, '_modules') instanceof PickleDict &&
    attribute(value, '_parameters') instanceof PickleDict
  );
}

function attribute(module: PickleCall, name: string): PickleValue | undefined {
  return module.state instanceof PickleDict ? module.state.entries.get(name) : undefined;
}

function entriesOf(module: PickleCall, name: string): [PickleValue, PickleValue][] {
  const dict = attribute(module, name);
  return dict instanceof PickleDict ? [...dict.entries] : [];
}
