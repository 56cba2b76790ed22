// Edits of the dict of a state: which tensors it has, under which names. Trees in, trees out; state.ts makes the States.
//
//  1. As in Python after `checkpoint['model'] = edited`, everything else that the file held stays around the dict.
//  2. Tensors are shared, never copied, and tied tensors stay tied.
//  3. `_metadata` follows the names: see modules.ts.
import type { DType } from '../checkpoint/dtypes';
import { isUnicode } from '../checkpoint/pickle/wtf8';
import type { Tree } from '../checkpoint/tree';
import { Float, mapped, OrderedDict, type TensorSource, TensorValue, type Value } from '../checkpoint/values';
import { invalid, isRecord } from '../core/checks';
import { LearnError } from '../core/errors';
import { isPatterns, matcher, matchesNothing, matching, type Patterns } from '../core/patterns';
import { shortened } from '../core/printable';
import type { StateHandle } from '../native/handles';
import type { SharePlan } from '../native/state-plans';
import { keptModules, mergedInOrder, renamedModules } from './modules';

/** A tree for a state that is still to be made of `tensors`; `source` is to get its handle. */
export interface Edited {
  readonly tensors: readonly NamedTensor[];
  readonly source: TensorSource;
  readonly tree: Tree;
}

/** A tensor of another state, and its name in the new one. */
interface NamedTensor {
  readonly name: string;
  readonly tensor: TensorValue;
}

/** The plan by which the addon makes a state of these tensors. */
export function sharing(tensors: readonly NamedTensor[]): SharePlan {
  const states = [...new Set(tensors.map(({ tensor }) => tensor.handle))];
  const numbers = new Map(states.map((handle, number) => [handle, number]));
  const places = tensors.flatMap(({ tensor }) => [numbers.get(tensor.handle)!, tensor.index]);
  return { names: tensors.map(({ name }) => name), states, places: Int32Array.from(places) };
}

type Entry = readonly [Value, Value];

/** The tree of a state dict without tensors, and with nothing around it: a plain dict. */
export function emptyTree(): Tree {
  const part = new Map<Value, Value>();
  return { root: part, path: [], part };
}

/** Makes the tree of torch.save(model.state_dict()): an OrderedDict of tensors with the attribute `_metadata`. */
export function newTree(
  handle: StateHandle,
  tensors: readonly { readonly name: string; readonly dtype: DType; readonly shape: readonly number[] }[],
  modules: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
): Tree {
  const part = new OrderedDict(
    tensors.map((tensor, index) => [tensor.name, new TensorValue({ handle }, index, tensor)] as const),
  );
  part.attributes = new Map([['_metadata', new OrderedDict(modules as ReadonlyMap<Value, Value>)]]);
  return { root: part, path: [], part };
}

export function selected(tree: Tree, given: Patterns): Edited {
  const patterns = isPatterns(given, 'patterns') as readonly string[];
  const names = namesOf(tree);
  return keeping(tree, new Set(matching(names, patterns, { option: 'patterns', of: 'the state' })));
}

export function without(tree: Tree, given: Patterns): Edited {
  const patterns = isPatterns(given, 'patterns') as readonly string[];
  const names = namesOf(tree);
  matching(names, patterns, { option: 'patterns', of: 'the state' });
  const isLeftOut = matcher(patterns);
  return keeping(tree, new Set(names.filter((name) => !isLeftOut(name))));
}

function keeping(tree: Tree, kept: ReadonlySet<string>): Edited {
  const entries = [...tree.part].filter(([key, item]) => !(item instanceof TensorValue) || kept.has(key as string));
  const names = namesOf(tree);
  return rebuilt(
    tree,
    entries,
    withModules(attributesOf(tree), (modules) => keptModules(modules, names, [...kept])),
  );
}

/** New names by old ones, or a function that returns the new name of each. */
export type NewNames = Readonly<Record<string, string>> | ReadonlyMap<string, string> | ((name: string) => string);

export function renamed(tree: Tree, given: NewNames): Edited {
  const names = newNames(namesOf(tree), given);
  const entries = [...tree.part].map(
    ([key, item]): Entry => [item instanceof TensorValue ? names.get(key as string)! : key, item],
  );
  const used = new Set<Value>();
  for (const [key] of entries) {
    if (used.has(key)) throw nameTaken(String(key), 'Two things would have', 'give each a name of its own');
    used.add(key);
  }
  return rebuilt(
    tree,
    entries,
    withModules(attributesOf(tree), (modules) => renamedModules(modules, names)),
  );
}

function newNames(names: readonly string[], given: NewNames): Map<string, string> {
  if (typeof given === 'function') {
    return new Map(names.map((name) => [name, checkedName(given(name), `the new name of ${name}`)]));
  }
  const isMap = given instanceof Map;
  if (!isMap && !isRecord(given)) throw invalid('new names by old ones, or a function,', 'names', given);
  const entries = [...(isMap ? given : Object.entries(given))];
  const known = new Set(names);
  const changed = new Map<string, string>();
  for (const [from, to] of entries) {
    if (!known.has(from)) throw matchesNothing(String(from), names, { option: 'names', of: 'the state' });
    changed.set(from, checkedName(to, `names["${from}"]`));
  }
  return new Map(names.map((name) => [name, changed.get(name) ?? name]));
}

/** Throws unless a tensor can have this name in a file. */
export function checkedName(name: unknown, option: string): string {
  if (typeof name === 'string' && isUnicode(name)) return name;
  throw invalid('a name of valid Unicode', option, name);
}

/** The same with each of these tensors in the place of the one of its name, or at the end. */
export function withTensors(tree: Tree, given: readonly (readonly [string, TensorValue])[]): Edited {
  const entries = new Map(tree.part);
  for (const [name, tensor] of given) {
    const old = entries.get(name);
    if (old !== undefined && !(old instanceof TensorValue))
      throw nameTaken(name, 'Something else in the dict of the state has', 'choose another');
    entries.set(name, tensor);
  }
  return rebuilt(tree, [...entries]);
}

/** The entries of all, one dict after the other. What else there is around the dict is that of the first. */
export function merged([first, ...more]: readonly [Tree, ...Tree[]]): Edited {
  let entries: ReadonlyMap<Value, Value> = first.part;
  let attributes = attributesOf(first);
  for (const tree of more) {
    const twice = [...tree.part].find(
      ([key, item]) => entries.has(key) && (item instanceof TensorValue || entries.get(key) instanceof TensorValue),
    );
    if (twice) {
      const others = [...tree.part.keys()].filter((key) => key !== twice[0] && entries.has(key)).length;
      const more = others > 0 ? `, as have ${others} others` : '';
      throw nameTaken(
        String(twice[0]),
        'Two of the states have',
        `leave it out of one with without(), or rename it${more}`,
      );
    }
    entries = mergedInOrder(entries, tree.part);
    attributes = mergedAttributes(attributes, attributesOf(tree));
  }
  return rebuilt(first, [...entries], attributes);
}

function mergedAttributes(a: Tree['part'] | undefined, b: Tree['part'] | undefined): Tree['part'] | undefined {
  if (!a || !b) return a ?? b;
  const [modules, others] = [a.get('_metadata'), b.get('_metadata')];
  const both = new Map([...a, ...[...b].filter(([key]) => !a.has(key))]);
  if (modules instanceof Map && others instanceof Map)
    both.set('_metadata', new OrderedDict(mergedInOrder<Value, Value>(modules, others)));
  return both;
}

/**
 * The tree with these entries in the place of its dict's. TensorValues among them become the tensors of the new state. `replaced`: other
 * values that are replaced wherever they are.
 */
export function rebuilt(
  tree: Tree,
  entries: readonly Entry[],
  attributes: Tree['part'] | undefined = attributesOf(tree),
  replaced: ReadonlyMap<Value, Value> = new Map(),
): Edited {
  const source: TensorSource = {};
  const tensors: NamedTensor[] = [];
  const isOrdered = tree.part instanceof OrderedDict || attributes !== undefined;
  const part = isOrdered ? new OrderedDict() : new Map<Value, Value>();
  const change = replacing(new Map([...replaced, [tree.part as Value, part]]));
  for (const [key, item] of entries) {
    if (!(item instanceof TensorValue)) part.set(key, change(item));
    else {
      part.set(key, new TensorValue(source, tensors.length, item));
      tensors.push({ name: key as string, tensor: item });
    }
  }
  if (part instanceof OrderedDict && attributes) part.attributes = change(attributes) as Tree['part'];
  return { tensors, source, tree: { ...tree, root: change(tree.root), part } };
}

/** Returns a function that copies a value with some of the values in it replaced. What occurs twice is copied once. */
function replacing(by: ReadonlyMap<Value, Value>): (value: Value) => Value {
  const known = new Map(by);
  const change = (value: Value): Value => {
    if (typeof value !== 'object' || value === null) return value;
    const found = known.get(value);
    if (found !== undefined) return found;
    if (value instanceof TensorValue || value instanceof Float || value instanceof Uint8Array) return value;
    const copy = mapped(value, change);
    known.set(value, copy);
    return copy;
  };
  return change;
}

export function namesOf({ part }: Tree): string[] {
  return [...part].flatMap(([key, item]) => (item instanceof TensorValue ? [key as string] : []));
}

function attributesOf({ part }: Tree): Tree['part'] | undefined {
  return part instanceof OrderedDict ? part.attributes : undefined;
}

type Modules = ReadonlyMap<Value, Value>;

function withModules(attributes: Tree['part'] | undefined, change: (modules: Modules) => Modules) {
  const modules = attributes?.get('_metadata');
  if (!attributes || !(modules instanceof Map)) return attributes;
  return new Map<Value, Value>([...attributes, ['_metadata', new OrderedDict(change(modules))]]);
}

function nameTaken(name: string, what: string, advice: string): LearnError {
  return new LearnError('ERR_INVALID_OPTION', `${what} the name '${shortened(name, 200)}'; ${advice}`);
}
