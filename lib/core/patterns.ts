// Patterns that choose names of tensors and parameters: of states to edit, of parameter groups, of what is frozen.
//
//  1. A pattern matches whole names. `*` stands for any text, with dots or empty.
//  2. A pattern also matches everything below what it matches: 'fc' means 'fc' and 'fc.*'.
//  3. A pattern that matches nothing is an error, because it is a misspelling.
import { type Check, editDistance, invalid } from './checks';
import { LearnError } from './errors';

/** One pattern, or several of which any may match. */
export type Patterns = string | readonly string[];

/** Error messages compare a pattern with no more names than this, to be quick. */
const maxCompared = 2000;

/** Checks one pattern or an array of at least one; returns a frozen array. */
export const isPatterns: Check = (value, name) => {
  const patterns: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value];
  if (patterns.length === 0 || !patterns.every((pattern) => typeof pattern === 'string' && pattern !== ''))
    throw invalid("a pattern such as 'fc' or 'layer1.*', or an array of them,", name, value);
  return Object.freeze(patterns);
};

/**
 * Returns a function that says whether a name matches one of `patterns`. Its time is linear in the length of the name, for any
 * number of `*`.
 */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  const parts = patterns.flatMap((pattern) => [pattern.split('*'), `${pattern}.*`.split('*')]);
  return (name) => parts.some((texts) => matchesParts(name, texts));
}

/** Whether `name` is the texts in this order, with anything between two of them. */
function matchesParts(name: string, texts: readonly string[]): boolean {
  const last = texts.length - 1;
  if (last === 0) return name === texts[0];
  if (!name.startsWith(texts[0]!)) return false;
  let at = texts[0]!.length;
  for (const text of texts.slice(1, last)) {
    const found = name.indexOf(text, at);
    if (found < 0) return false;
    at = found + text.length;
  }
  return name.length - texts[last]!.length >= at && name.endsWith(texts[last]!);
}

/**
 * The names that match one of `patterns`, in their order. Throws ERR_INVALID_OPTION for a pattern that matches none of `names`,
 * with the nearest of them. `option`: the option that holds the patterns. `of`: whose names they are, such as 'the state'.
 */
export function matching(
  names: readonly string[],
  patterns: readonly string[],
  { option, of }: { option: string; of: string },
): string[] {
  for (const pattern of patterns) {
    if (!names.some(matcher([pattern]))) throw matchesNothing(pattern, names, { option, of });
  }
  return names.filter(matcher(patterns));
}

/** The error for a name or a pattern that `names` do not have. */
export function matchesNothing(
  pattern: string,
  names: readonly string[],
  { option, of }: { option: string; of: string },
): LearnError {
  const near = nearestNames(pattern, names).map((name) => `'${name}'`);
  const hint = near.length > 0 ? `; the nearest are ${near.join(', ')}` : '';
  return new LearnError(
    'ERR_INVALID_OPTION',
    `Expected the name of something in ${of}, or a pattern such as 'layer1.*', for "${option}", but '${pattern}' ` +
      `matches none of its ${names.length} names${hint}`,
  );
}

/** Up to three of `names`, and of the modules that they are in, whose spelling is nearest to `pattern`. */
export function nearestNames(pattern: string, names: readonly string[]): string[] {
  const candidates = new Set<string>();
  for (const name of names) {
    if (candidates.size >= maxCompared) break;
    for (let end = name.indexOf('.'); end >= 0; end = name.indexOf('.', end + 1)) candidates.add(name.slice(0, end));
    candidates.add(name);
  }
  const word = pattern.replace(/\.?\*/g, '').slice(0, 100);
  return [...candidates]
    .filter((name) => name !== '')
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase().slice(0, 100)) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}
