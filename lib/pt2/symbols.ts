// Reads sizes that are not fixed. Programs write them as expressions of sympy, "Symbol('s77', positive=True, integer=True)", of which
// only a lone symbol is understood: all others are computed by nodes of the graph.
import { maxDimensions } from '../checkpoint/limits';
import type { Size, SizeRange } from './graph';
import type { Located } from './located';

const symbol = /^Symbol\('([A-Za-z_]\w*)'(?:, [a-z]+=(?:True|False))*\)$/;

/** The sizes of a tensor by its description. */
export function readShape(meta: Located): readonly Size[] {
  const sizes = meta
    .field('sizes')
    .list(maxDimensions)
    .map((size): Size => {
      const [kind, place] = size.kind();
      if (kind === 'as_int') return place.count();
      if (kind !== 'as_expr') throw size.expected('as_int or as_expr');
      const text = place.field('expr_str').text();
      const name = symbol.exec(text)?.[1];
      return Object.freeze(name === undefined ? { expression: text } : { symbol: name });
    });
  return Object.freeze(sizes);
}

/** The ranges of free axes. A bound that is null, or beyond exact numbers, does not limit. */
export function readSymbols(constraints: Located): readonly SizeRange[] {
  const ranges = constraints.entries().map(([name, range]) => {
    const min = bound(range, 'min_val', 0);
    const max = bound(range, 'max_val', Number.POSITIVE_INFINITY);
    if (min > max)
      throw range.error(`the sizes of ${JSON.stringify(name.slice(0, 100))} are from ${min} to ${max}: none`);
    return Object.freeze({ name, min, max });
  });
  return Object.freeze(ranges);
}

function bound(range: Located, key: string, missing: number): number {
  const value = range.optional(key)?.integer();
  if (typeof value === 'bigint') return value > 0n ? Number.POSITIVE_INFINITY : 0;
  return value === undefined ? missing : Math.max(0, value);
}
