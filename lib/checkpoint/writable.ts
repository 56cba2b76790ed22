// Decides which values can be written so that both PyTorch with weights_only and this library can read them. Other values are
// left out, and reported by name. For pickle/write-tree.ts.
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

/** The result for a value together with everything inside it. */
interface Whole {
  /** Reason why part of it cannot be written. */
  why: string | undefined;
  /** Reason why it cannot be a key or a set item, which Python must be able to hash. */
  whyNoKey: string | undefined;
  /** Depth of the values inside it. */
  height: number;
}

const unhashable = 'not hashable, so it cannot be a key of a dict or an item of a set';

/** Checks each container once: shared values can be reached by too many paths to follow. */
export class Writability {
  readonly #known = new Map<Value, Whole>();

  /** Returns why the value itself cannot be written; undefined if it can. Values inside a container are checked by themselves. */
  whyNot(value: Value, depth: number): string | undefined {
    if (value instanceof Opaque) return this.#within(this.#whole(value), 'why', depth);
    return whyNotPlain(value) ?? (isContainer(value) && depth > maxDepth ? tooDeep : undefined);
  }

  /** As whyNot(), for a key or a set item together with everything inside it. */
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

  /** An opaque value can be written if weights_only accepts it and nothing of it would be lost. */
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
  // Protocol 2 writes bytes as a text, in which a byte above 127 takes two.
  if (!(value instanceof Uint8Array)) return undefined;
  const length = value.reduce((sum, byte) => sum + 1 + (byte >> 7), 0);
  return length > maxStringBytes ? 'bytes that take over 1 MiB as a text' : undefined;
}

/** Returns the length in UTF-8, where an unpaired surrogate also takes three bytes. */
function lengthOf(text: string): number {
  return text.length > maxStringBytes ? text.length : Buffer.byteLength(text);
}

/** As step(), for a key that may be any value. */
export function stepTo(key: Value): string {
  if (typeof key !== 'object' || key === null) return step(key);
  if (key instanceof Float) return step(key);
  return `[a key that is ${key instanceof Opaque ? key.name : key.constructor.name}]`;
}

/** Throws for a pickle that exceeds the limits of the reader. */
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
    `Cannot write a checkpoint whose pickle has ${count} ${what}: files of more than ${most} cannot be loaded. ` +
      "Save the weights alone with format: 'safetensors'",
  );
}
