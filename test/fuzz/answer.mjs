// Describes a file's content as this library reads it, in the same form as python.py describes Python's reading: nested lists that
// begin with the kind of value. Numbers are compared by value, tensors by dtype, shape and a hash of their bytes.
import { createHash } from 'node:crypto';
import { loadState } from 'torch-incremental';
import { CheckpointFile } from '../../dist/checkpoint/containers/file.js';
import { readZipDirectory } from '../../dist/checkpoint/containers/zip-directory.js';
import { dtypes } from '../../dist/checkpoint/dtypes.js';
import { inspectFile } from '../../dist/checkpoint/inspect.js';
import { Float, Opaque, OrderedDict, TensorValue, Tuple } from '../../dist/checkpoint/values.js';
import { treeOf } from '../../dist/state/state.js';

const mostBytes = 2 ** 22;
const mostNodes = 20_000;
const tooLarge = new Error('too large to be compared');

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

function number(value) {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return ['n', String(value === 0 ? 0 : value)];
  if (Number.isNaN(value)) return ['n', 'nan'];
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return ['n', bytes.toString('hex')];
}

/** With `names`, a tensor of the state is read by its name, as callers do. */
class Walker {
  #nodes = 0;
  #tensors = new Map();

  walk(value) {
    if (++this.#nodes > mostNodes) throw tooLarge;
    if (value === null || typeof value === 'boolean' || typeof value === 'string')
      return value?.toWellFormed?.() ?? value;
    if (typeof value !== 'object') return number(value);
    if (value instanceof Float) return number(value.value);
    if (value instanceof Uint8Array) return ['b', Buffer.from(value).toString('hex')];
    if (value instanceof TensorValue) return this.#tensor(value);
    if (value instanceof Opaque) return ['?', value.name];
    if (Array.isArray(value)) return [value instanceof Tuple ? 't' : 'l', ...value.map((item) => this.walk(item))];
    if (value instanceof Set) return ['s', ...sorted([...value].map((item) => this.walk(item)))];
    const isOrdered = value instanceof OrderedDict;
    return [
      isOrdered ? 'o' : 'd',
      this.#pairs(value),
      ...(isOrdered ? [this.#pairs(value.attributes ?? new Map())] : []),
    ];
  }

  #pairs(map) {
    return [...map].map(([key, item]) => [this.walk(key), this.walk(item)]);
  }

  #tensor(value) {
    const known = this.#tensors.get(value);
    if (known) return known;
    const { dtype, shape } = value;
    const bytes = shape.reduce((product, size) => product * size, dtypes[dtype].bytes);
    const facts = ['T', dtype, [...shape], bytes > mostBytes ? 'large' : hash(value.data)];
    this.#tensors.set(value, facts);
    return facts;
  }
}

function sorted(items) {
  return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

export function treeOfState(state) {
  try {
    return { tree: new Walker().walk(treeOf(state).root) };
  } catch (error) {
    if (error === tooLarge) return { large: true };
    throw error;
  }
}

/** Loads the first of several dicts of tensors: the tree around them is the same. */
export async function loadAny(file) {
  try {
    return await loadState(file);
  } catch (error) {
    if (!/Expected one state dict but found/.test(error.message)) throw error;
    const { key } = await inspectFile(file);
    return loadState(file, { key });
  }
}

/** Returns the names in a zip file, sorted. */
export function zipNames(file) {
  return CheckpointFile.with(file, async (opened) => {
    const { archive, records } = await readZipDirectory(opened);
    return [...records.keys()].map((name) => `${archive}/${name}`).sort();
  });
}
