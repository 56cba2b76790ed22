// A checkpoint's metadata for people, as an indented tree, and for machines, as JSON. Used by `inspect`.
import { Opaque, TensorValue } from '../checkpoint/values';

const maxDepth = 6;
const maxItems = 12;
const maxText = 60;

/** One line a value; what is too long, too deep or too many is cut, and says so. */
export function treeLines(metadata: ReadonlyMap<unknown, unknown>, depth = 0): string[] {
  const items = [...metadata];
  const lines = items.slice(0, maxItems).flatMap(([key, value]) => {
    const inner = insideOf(value);
    const isOpen = inner !== undefined && inner.size > 0 && depth < maxDepth;
    return [`${'  '.repeat(depth)}${String(key)}: ${summary(value)}`, ...(isOpen ? treeLines(inner, depth + 1) : [])];
  });
  const more = items.length - maxItems;
  return more > 0 ? [...lines, `${'  '.repeat(depth)}… ${more} more (all of it with --json)`] : lines;
}

/** What of a value goes on lines of its own; undefined where its summary says it all. */
function insideOf(value: unknown): ReadonlyMap<unknown, unknown> | undefined {
  if (value instanceof Map) return value;
  if (value instanceof Opaque && value.state instanceof Map) return value.state;
  const isLong = Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null);
  return isLong ? new Map(value.entries()) : undefined;
}

function summary(value: unknown): string {
  if (value instanceof Map) return value.size === 0 ? '{}' : '';
  if (value instanceof TensorValue) return `tensor, ${value.dtype} [${value.shape.join(', ')}]`;
  if (value instanceof Opaque) return `${value.name}, an object of a class that is not known here`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (insideOf(value)) return `list of ${(value as unknown[]).length}`;
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(forJson(value)) ?? String(value));
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
}

/** Maps as objects, whatever their keys; tensors and opaque objects by what they are. */
export function forJson(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof TensorValue) return { tensor: { dtype: value.dtype, shape: value.shape } };
  if (value instanceof Opaque) {
    const { name, args, state, items, entries } = value;
    return {
      opaque: name,
      args: forJson(args),
      state: forJson(state),
      items: forJson(items),
      entries: forJson(entries),
    };
  }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Set || Array.isArray(value)) return Array.from(value, forJson);
  const entries = value instanceof Map ? [...value].map(([key, item]) => [String(key), item]) : Object.entries(value);
  // Own properties whatever the key: assignment would take __proto__ for something else.
  return Object.fromEntries(entries.map(([key, item]) => [key, forJson(item)]));
}
