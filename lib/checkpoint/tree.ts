// Builds the tree of all values in a checkpoint, with the dict of the state's tensors at its place. State.metadata is read
// from the tree, and saving writes the tree again.
import { formatError } from './errors';
import { kindOf, PickleDict, type PickleValue, step } from './pickle/values';
import { isUnicode } from './pickle/wtf8';
import { type Stripped, stripped, strippedModules } from './prefixes';
import { type Resolver, TensorList } from './resolve';
import type { Part } from './select';
import { isTensor, type StoredTensor, type TensorReader } from './tensors';
import { Float, OrderedDict, TensorValue, unboxed, type Value } from './values';

export interface Tree {
  readonly root: Value;
  /** Keys from the root to the state's dict; empty if it is the root. */
  readonly path: readonly Value[];
  /** The state's dict: tensors by name, and any other values among them. */
  readonly part: ReadonlyMap<Value, Value>;
  /** The prefix that "stripPrefix" removed from the names, and the tensors that it left out of the state. */
  readonly stripped?: Omit<Stripped, 'names'>;
}

/** The tensors of a state. */
export class NamedTensors extends TensorList {
  readonly names: string[] = [];

  addNamed(name: string, tensor: StoredTensor): TensorValue {
    this.names.push(name);
    return this.add(tensor);
  }
}

interface Tools {
  reader: TensorReader;
  resolver: Resolver;
  named: NamedTensors;
  stripPrefix: string | undefined;
}

/** Resolves the part first, so that its tensors are numbered in their order, and strictly. The rest is resolved leniently. */
export function buildTree(root: PickleValue, { value, path, module }: Part, tools: Tools): Tree {
  const { resolver, reader, named } = tools;
  const place = path.map(step).join('');
  const entries = module ?? [...(value as PickleDict).entries];
  const { names, prefix, leftOut } = stripped(namesIn(entries, place), tools.stripPrefix);
  // Tensors that are left out are kept as attributes, which only an OrderedDict has.
  const isOrdered = !(value instanceof PickleDict) || value.isOrdered || leftOut.length > 0;
  const part = isOrdered ? new OrderedDict() : new Map<Value, Value>();
  const put = (key: Value, item: Value, at: string) => {
    if (part.has(key)) throw formatError(`${at} has, without its prefix, the name of something else`);
    part.set(key, item);
  };
  const left: [string, PickleValue][] = [];
  const used = new Set<unknown>();
  for (const [key, item] of entries) {
    const at = place + step(key);
    if (!isTensor(item)) put(resolver.key(key, place, true, used), resolver.resolve(item, at, true), at);
    else if (!names.has(key as string)) left.push([key as string, item]);
    else put(names.get(key as string)!, named.addNamed(names.get(key as string)!, reader.read(item, at)), at);
  }
  if (part instanceof OrderedDict && value instanceof PickleDict && value.attributes) {
    const attributes = resolver.dict(value.attributes, place, false);
    checkModules(attributes.get('_metadata'));
    part.attributes = strippedModules(attributes, prefix);
  }
  if (part instanceof OrderedDict && left.length > 0)
    part.attributes = new Map([
      ...(part.attributes ?? []),
      ...left.map(([name, item]): [Value, Value] => [name, resolver.resolve(item, place + step(name), false)]),
    ]);
  resolver.define(value, part);
  const tree = { root: resolver.resolve(root, '', false), path: path as readonly Value[], part };
  return { ...tree, stripped: { prefix, leftOut } };
}

/** Returns the keys of the tensors, which must be strings. */
function namesIn(entries: readonly (readonly [PickleValue, PickleValue])[], place: string): string[] {
  const keys = entries.flatMap(([key, item]) => (isTensor(item) ? [key] : []));
  const other = keys.find((key) => typeof key !== 'string');
  if (other !== undefined)
    throw formatError(`Expected names for the tensors of ${place || 'the file'} but found ${kindOf(other)}`);
  const names = keys as string[];
  const broken = names.find((name) => !isUnicode(name));
  if (broken !== undefined) throw formatError(`the name ${JSON.stringify(broken)} of a tensor is not valid Unicode`);
  return names;
}

function checkModules(modules: Value | undefined): void {
  if (modules === undefined) return;
  const isSound =
    modules instanceof Map && [...modules].every(([path, facts]) => typeof path === 'string' && facts instanceof Map);
  if (!isSound) throw formatError('Expected a dict of dicts by the names of modules for _metadata of the state dict');
}

/** Returns what callers see as State.metadata: everything but the state's tensors, and attributes such as `_metadata`. */
export function metadataOf({ root, path, part }: Tree): Map<string, unknown> {
  const seen = new Map<Value, unknown>();
  const metadata = new Map<string, unknown>();
  const attributes = part instanceof OrderedDict ? part.attributes : undefined;
  for (const [key, value] of [...around(root, path, part), ...(attributes ?? [])]) {
    // Each string of a safetensors file's metadata becomes an entry of its own.
    const entries = key === '__metadata__' && value instanceof Map ? value : [[key, value] as const];
    for (const [name, item] of entries) metadata.set(nameOf(name), unboxed(item, seen));
  }
  return metadata;
}

/** Limits of a tuple that is shown as a key. */
const mostParts = 100;
const longestPart = 1000;

/** Returns a key as text. Only a short, flat tuple is written out: values that share others can be endless as text. */
function nameOf(key: Value): string {
  const isPlain = (value: Value) => typeof value !== 'object' || value === null;
  if (isPlain(key)) return String(key);
  if (key instanceof Float) return String(key.value);
  const isShort = (value: Value) => typeof value !== 'string' || value.length <= longestPart;
  const isNamed = Array.isArray(key) && key.length <= mostParts && key.every((part) => isPlain(part) && isShort(part));
  return isNamed ? `(${key.join(', ')})` : `a key that is ${key.constructor.name}`;
}

/** Returns the entries of a dict without the part at `path` in it. */
function around(value: Value, [key, ...path]: readonly Value[], part: Tree['part']): ReadonlyMap<Value, Value> {
  if (value === part) return new Map([...part].filter(([, item]) => !(item instanceof TensorValue)));
  if (!(value instanceof Map)) return new Map();
  const kept = new Map<Value, Value>();
  for (const [name, item] of value) {
    const rest = name === key ? around(item, path, part) : undefined;
    if (!rest) kept.set(name, item);
    else if (rest.size > 0) kept.set(name, rest);
  }
  return kept;
}
