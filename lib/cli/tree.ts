// Formats a checkpoint's metadata as an indented tree and as JSON. Used by `inspect`. A value that many others contain is
// written for each of them, so that a small file could ask for endless text: both forms are bounded.
import { Opaque, TensorValue } from '../checkpoint/values';
import { printable, shortened } from '../core/printable';

const maxDepth = 6;
const maxItems = 12;
const maxText = 60;
/** Length of a key, which may be a name. */
const maxKey = 200;
const maxLines = 2000;

/** Formats one line per value. Values that are too long, too deep or too many are cut, and marked as such. */
export function treeLines(metadata: ReadonlyMap<unknown, unknown>): string[] {
  const lines: string[] = [];
  addLines(metadata, metadata.size, 0, lines);
  if (lines.length <= maxLines) return lines;
  return [...lines.slice(0, maxLines), '… more (see --json)'];
}

function addLines(items: Iterable<readonly [unknown, unknown]>, size: number, depth: number, lines: string[]): void {
  const indent = '  '.repeat(depth);
  let count = 0;
  for (const [key, value] of items) {
    if (lines.length > maxLines || ++count > maxItems) break;
    lines.push(`${indent}${shortened(keyText(key), maxKey)}: ${summary(value)}`);
    const inner = depth < maxDepth ? insideOf(value) : undefined;
    if (inner) addLines(inner.entries(), entryCount(inner), depth + 1, lines);
  }
  if (size > maxItems) lines.push(`${indent}… ${size - maxItems} more (all of it with --json)`);
}

type Inside = ReadonlyMap<unknown, unknown> | readonly unknown[];

/** Returns the part of a value that is printed on lines of its own; undefined if its summary is complete. */
function insideOf(value: unknown): Inside | undefined {
  if (value instanceof Map) return value;
  if (value instanceof Opaque && value.state instanceof Map) return value.state;
  const isLong = Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null);
  return isLong ? (value as unknown[]) : undefined;
}

function entryCount(inside: Inside): number {
  return 'size' in inside ? inside.size : inside.length;
}

function summary(value: unknown): string {
  if (value instanceof Map) return value.size === 0 ? '{}' : '';
  if (value instanceof TensorValue) return `tensor, ${value.dtype} [${value.shape.join(', ')}]`;
  if (value instanceof Opaque) return `${printable(value.name)}, an object of an unknown class`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (insideOf(value)) return `list of ${(value as unknown[]).length}`;
  if (typeof value === 'bigint') return String(value);
  // As much as fills the line.
  const text = JSON.stringify(new JsonTree(maxText, 2 * maxText).of(value)) ?? String(value);
  return shortened(text, maxText);
}

/** Returns a key as text. Only a short, flat list is written out: values that share others can be endless as text. */
function keyText(key: unknown): string {
  if (typeof key !== 'object' || key === null) return String(key);
  const isPlain = Array.isArray(key) && key.length <= 100 && key.every((part) => typeof part !== 'object');
  return isPlain ? key.map((part) => String(part).slice(0, maxKey)).join(',') : `a key that is ${key.constructor.name}`;
}

/** Limits of the JSON: values, and characters of texts. Real metadata stays far below them. */
const mostValues = 1_000_000;
const mostCharacters = 2 ** 25;

/**
 * Converts values to JSON: Maps become objects, tensors and opaque objects their descriptions. Values beyond the limits are
 * replaced by { omitted: true }.
 */
export class JsonTree {
  /** Whether something was left out. */
  isCut = false;
  #values: number;
  #characters: number;

  constructor(values = mostValues, characters = mostCharacters) {
    this.#values = values;
    this.#characters = characters;
  }

  of(value: unknown): unknown {
    this.#values--;
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
    if (typeof value === 'string') return this.#text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (this.#isOver()) return { omitted: true };
    if (value instanceof TensorValue) return { tensor: { dtype: value.dtype, shape: value.shape } };
    if (value instanceof Opaque) return this.#opaque(value);
    if (value instanceof Uint8Array) return { bytes: this.#text(Buffer.from(value).toString('base64')) };
    if (value instanceof Set || Array.isArray(value)) return this.#list(value);
    return this.#object(value instanceof Map ? value : Object.entries(value));
  }

  #opaque({ name, args, state, items, entries }: Opaque): unknown {
    return {
      opaque: this.#text(name),
      args: this.of(args),
      state: this.of(state),
      items: this.of(items),
      entries: this.of(entries),
    };
  }

  #list(items: Iterable<unknown>): unknown[] {
    const list: unknown[] = [];
    for (const item of items) {
      if (this.#isOver()) {
        list.push({ omitted: true });
        break;
      }
      list.push(this.of(item));
    }
    return list;
  }

  /** Makes own properties for all keys: an assignment to __proto__ would set the prototype. */
  #object(items: Iterable<readonly [unknown, unknown]>): unknown {
    const entries: [string, unknown][] = [];
    for (const [key, item] of items) {
      if (this.#isOver()) {
        entries.push(['omitted', true]);
        break;
      }
      entries.push([this.#text(keyText(key)), this.of(item)]);
    }
    return Object.fromEntries(entries);
  }

  #text(text: string): string {
    this.#characters -= text.length;
    if (this.#characters >= 0) return text;
    this.isCut = true;
    return `${text.slice(0, Math.max(0, this.#characters + text.length))}…`;
  }

  #isOver(): boolean {
    if (this.#values > 0 && this.#characters > 0) return false;
    this.isCut = true;
    return true;
  }
}
