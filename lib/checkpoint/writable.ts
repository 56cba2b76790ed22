// Which values a checkpoint can hold so that PyTorch's weights_only, and this library, read them again. What it cannot hold
// is left out and named. For pickle-tree.ts.
import { LearnError } from '../core/errors';
import {
  maxDepth,
  maxPickleBytes,
  maxPickleCalls,
  maxPickleContainers,
  maxPickleDicts,
  maxPickleInstructions,
  maxStringBytes,
} from './limits';
import { op } from './pickle/opcodes';
import type { Pickler } from './pickle/pickler';
import { step } from './pickle/values';
import { isPlainName } from './pickle/weights-only';
import { Float, Opaque, Tuple, type Value } from './values';

/** What is known of a value with all that is in it. */
interface Whole {
  /** Why some of it cannot be written. */
  why: string | undefined;
  /** The same for a key, or an item of a set, which Python finds by its hash. */
  whyNoKey: string | undefined;
  /** Values inside values. */
  height: number;
}

const unhashable = 'no key of a dict or item of a set that weights_only makes';

/** Looks at each container once: values can hold one another in more ways than can be walked. */
export class Writability {
  readonly #known = new Map<Value, Whole>();

  /** Why the value cannot be written, whatever else is in it, which is left out by itself. undefined where it can. */
  whyNot(value: Value, depth: number): string | undefined {
    if (value instanceof Opaque) return this.#within(this.#whole(value), 'why', depth);
    return whyNotPlain(value) ?? (isContainer(value) && depth > maxDepth ? tooDeep : undefined);
  }

  /** The same for a key, or an item of a set. */
  whyNotKey(value: Value, depth: number): string | undefined {
    return this.#within(this.#whole(value), 'whyNoKey', depth);
  }

  #within(whole: Whole, which: 'why' | 'whyNoKey', depth: number): string | undefined {
    return whole[which] ?? (depth + whole.height > maxDepth ? tooDeep : undefined);
  }

  #whole(value: Value): Whole {
    if (!isContainer(value)) {
      const why = whyNotPlain(value);
      return { why, whyNoKey: why, height: 0 };
    }
    const known = this.#known.get(value);
    if (known) return known;
    const whole = value instanceof Opaque ? this.#opaque(value) : this.#container(value);
    this.#known.set(value, whole);
    return whole;
  }

  #container(value: Value[] | Set<Value> | ReadonlyMap<Value, Value>): Whole {
    const keys = [...(Array.isArray(value) ? [] : value.keys())].map((key) => this.#whole(key));
    const items = [...(value instanceof Set ? [] : value.values())].map((item) => this.#whole(item));
    const why = keys.find(({ whyNoKey }) => whyNoKey)?.whyNoKey ?? items.find((item) => item.why)?.why;
    const whyNoKey = value instanceof Tuple ? items.find((item) => item.whyNoKey)?.whyNoKey : unhashable;
    const height = [...keys, ...items].reduce((most, inner) => Math.max(most, inner.height + 1), 0);
    return { why, whyNoKey: why ?? whyNoKey, height };
  }

  /** weights_only is to accept it again, and what it accepts to say all there is to say of it. */
  #opaque({ name, how, args, state, items, entries }: Opaque): Whole {
    const isPlain = isPlainName(name) && how !== 'new' && state === undefined && !items.length && !entries.size;
    if (isPlain && how === 'name') return { why: undefined, whyNoKey: undefined, height: 0 };
    const inner = this.#whole(args);
    if (!isPlain || !(args instanceof Tuple) || inner.why !== undefined)
      return { why: name, whyNoKey: name, height: 0 };
    const isMutable = name === 'builtins.bytearray' || name === 'collections.Counter';
    return { why: undefined, whyNoKey: isMutable ? unhashable : undefined, height: inner.height + 1 };
  }
}

const tooDeep = `nested deeper than ${maxDepth}`;

function isContainer(value: Value): value is Value[] | Set<Value> | ReadonlyMap<Value, Value> | Opaque {
  return Array.isArray(value) || value instanceof Set || value instanceof Map || value instanceof Opaque;
}

function whyNotPlain(value: Value): string | undefined {
  if (typeof value === 'string') return lengthOf(value) > maxStringBytes ? 'a text of over 1 MiB' : undefined;
  // In protocol 2 bytes are a text, in which those from 128 on take two.
  if (!(value instanceof Uint8Array)) return undefined;
  const length = value.reduce((sum, byte) => sum + 1 + (byte >> 7), 0);
  return length > maxStringBytes ? 'bytes that as a text are of over 1 MiB' : undefined;
}

/** In UTF-8; halves of surrogate pairs take three bytes there too. */
function lengthOf(text: string): number {
  return text.length > maxStringBytes ? text.length : Buffer.byteLength(text);
}

/** A step of a path to what is under a key, which may be anything. */
export function stepTo(key: Value): string {
  if (typeof key !== 'object' || key === null) return step(key);
  if (key instanceof Float) return step(key);
  return `[a key that is ${key instanceof Opaque ? key.name : key.constructor.name}]`;
}

/** Throws for a pickle that is larger than those that are read. */
export function checkReadable(bytes: number, { counts, orderedDicts }: Pickler): void {
  const sum = (...codes: number[]) => codes.reduce((total, code) => total + counts[code]!, 0);
  const tuples = sum(op.EMPTY_TUPLE, op.TUPLE1, op.TUPLE2, op.TUPLE3, op.TUPLE);
  const containers = tuples + sum(op.EMPTY_LIST, op.EMPTY_DICT, op.GLOBAL, op.REDUCE, op.BINPERSID);
  const over = [
    ['bytes', bytes, maxPickleBytes],
    ['instructions', counts.reduce((total, count) => total + count, 0), maxPickleInstructions],
    ['lists, tuples and dicts', containers, maxPickleContainers],
    ['dicts', sum(op.EMPTY_DICT), maxPickleDicts],
    ['calls', sum(op.REDUCE) - orderedDicts, maxPickleCalls],
  ].find(([, count, most]) => count! > most!);
  if (!over) return;
  const [what, count, most] = over;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Cannot write a checkpoint whose pickle has ${count} ${what}: files of more than ${most} are not read again. ` +
      "Save the weights alone with format: 'safetensors'",
  );
}
