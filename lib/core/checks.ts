// Checks the arguments of every public function before any work starts. The error names the option, the expected value and the
// received one.
//
//  1. An option is an own property of the caller's object. Nothing on Object.prototype counts as an option.
//  2. checkOptions() reads each option once, checks it, and returns a copy without a prototype.
//  3. Functions use only the copy. Later changes of the caller's object, or a getter that returns another value, have no effect.
import { LearnError } from './errors';

/** Throws unless `value` is valid for the option `name`. If it returns a value, that value replaces the option's. */
export type Check = (value: unknown, name: string) => unknown;

/** The largest number in float32, the type in which weights are computed. */
export const largestFloat = (2 - 2 ** -23) * 2 ** 127;

interface Range {
  min?: number;
  /** Exclusive minimum. */
  above?: number;
  max?: number;
  integer?: boolean;
}

/**
 * Checks that `options` has only the keys of `checks`, each undefined or valid, and inherits none of them, because inherited
 * options are not read. Returns a copy without a prototype. `instead`: the replacements of options that were removed.
 */
export function checkOptions<Options extends object>(
  caller: string,
  options: Options,
  checks: Readonly<Record<string, Check>>,
  instead: Readonly<Record<string, string>> = {},
): Options {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(`an object with the options of ${caller}()`, 'options', options);
  }
  refuseInherited(caller, options, checks);
  const copy = Object.create(null);
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) throw unknownOption(caller, name, Object.keys(checks), instead);
    if (value !== undefined) copy[name] = check(value, name) ?? value;
  }
  return copy;
}

/** As checkOptions(), for options whose values are checked later. */
export function ownOptions<Options extends object>(
  caller: string,
  options: Options,
  names: readonly (keyof Options & string)[],
): Options {
  return checkOptions(caller, options, Object.fromEntries(names.map((name) => [name, () => undefined])));
}

function refuseInherited(caller: string, options: object, checks: Readonly<Record<string, Check>>): void {
  let prototype = Object.getPrototypeOf(options);
  // Stops at Object.prototype, also of another realm: properties added there are not meant as options.
  while (prototype !== null && !Object.hasOwn(prototype, 'isPrototypeOf')) {
    const name = Object.getOwnPropertyNames(prototype).find((key) => Object.hasOwn(checks, key));
    if (name !== undefined) {
      throw new LearnError(
        'ERR_INVALID_OPTION',
        `Expected the options of ${caller}() to be properties of the object itself, but "${name}" is inherited; ` +
          `pass a copy, such as { ...defaults, ${name} }`,
      );
    }
    prototype = Object.getPrototypeOf(prototype);
  }
}

export function isNumber(range: Range = {}): Check {
  return (value, name) => {
    if (!inRange(value, range)) throw invalid(rangeText(range), name, value);
  };
}

export const isBoolean: Check = (value, name) => {
  if (typeof value !== 'boolean') throw invalid('true or false', name, value);
};

export const isFunction: Check = (value, name) => {
  if (typeof value !== 'function') throw invalid('a function', name, value);
};

export const isSignal: Check = (value, name) => {
  if (!(value instanceof AbortSignal)) throw invalid('an AbortSignal', name, value);
};

export const isText: Check = (value, name) => {
  if (typeof value !== 'string') throw invalid('a string', name, value);
};

export const isPath: Check = (value, name) => {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw invalid('a file path', name, value);
};

export function isOneOf(words: readonly string[]): Check {
  return (value, name) => {
    if (!words.includes(value as string))
      throw invalid(`one of ${words.map((word) => `'${word}'`).join(', ')}`, name, value);
  };
}

export function isListOf(check: Check): Check {
  return (value, name) => {
    if (!Array.isArray(value)) throw invalid('an array', name, value);
    return Array.from(value, (item, index) => check(item, `${name}[${index}]`) ?? item);
  };
}

/** Two values of one kind. */
export function isPairOf(check: Check): Check {
  return (value, name) => {
    if (!Array.isArray(value) || value.length !== 2) throw invalid('an array of two', name, value);
    return isListOf(check)(value, name);
  };
}

/** One number for both axes, or [height, width]. */
export type Pair = number | readonly [number, number];

export function pair(size: Pair): [number, number] {
  return typeof size === 'number' ? [size, size] : [...size];
}

/** Checks numbers and pairs of numbers of `caller` against one range. */
export function checkNumbers(caller: string, values: Readonly<Record<string, unknown>>, range: Range): void {
  for (const [name, value] of Object.entries(values)) {
    const items = Array.isArray(value) && value.length === 2 ? value : [value];
    if (!items.every((item) => inRange(item, range))) throw invalid(rangeText(range), `${caller}: ${name}`, value);
  }
}

/**
 * Whether `value` is an object whose own keys are the caller's, such as names of inputs. Not so for one that inherits from another than
 * Object.prototype, of any realm: what it inherits would not be read.
 */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.hasOwn(prototype, 'isPrototypeOf');
}

export function invalid(expected: string, name: string, value: unknown): LearnError {
  return new LearnError('ERR_INVALID_OPTION', `Expected ${expected} for "${name}" but received ${valueText(value)}`);
}

function inRange(
  value: unknown,
  { min = -Infinity, above = -Infinity, max = Infinity, integer = false }: Range,
): boolean {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  return value >= min && value > above && value <= max && (!integer || Number.isSafeInteger(value));
}

function rangeText({ min, above, max, integer }: Range): string {
  const noun = integer ? 'an integer' : max === largestFloat ? 'a finite number (as float32)' : 'a finite number';
  if (min !== undefined && max !== undefined && max !== largestFloat) return `${noun} from ${min} to ${max}`;
  if (above !== undefined) return `${noun} above ${above}`;
  if (min !== undefined) return `${noun} of at least ${min}`;
  return noun;
}

/** Describes a value by its type, and by its content if that is short. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `string ('${value.length > 40 ? `${value.slice(0, 40)}…` : value}')`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return `${typeof value} (${value})`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'function') return 'a function';
  // Read from the prototype, because the value may have an own field of that name.
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return `an object (${typeof name === 'string' ? name : 'no prototype'})`;
}

/** Names of options in other libraries that are not close enough in spelling. */
const synonyms: Readonly<Record<string, string>> = {
  lr: 'learningRate',
  batch: 'batchSize',
  dataset: 'data',
  numEpochs: 'epochs',
};

export function unknownOption(
  caller: string,
  name: string,
  known: readonly string[],
  instead: Readonly<Record<string, string>> = {},
): LearnError {
  if (Object.hasOwn(instead, name)) {
    return new LearnError('ERR_INVALID_OPTION', `Unknown option "${name}" of ${caller}(); use ${instead[name]}`);
  }
  const synonym = synonyms[name];
  const suggestion = synonym && known.includes(synonym) ? synonym : nearest(name, known);
  const all = known.length > 0 ? `; it takes ${known.join(', ')}` : '; it takes none';
  const hint = suggestion ? `; did you mean "${suggestion}"?` : all;
  return new LearnError('ERR_INVALID_OPTION', `Unknown option "${name}" of ${caller}()${hint}`);
}

/** Returns the closest word of `known`, if no more than a third of its letters differ from `word`. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(plain(word), plain(candidate));
    if (distance <= Math.max(1, candidate.length / 3) && distance < (best?.distance ?? Infinity))
      best = { word: candidate, distance };
  }
  return best?.word;
}

/** Counts letters to change, insert, delete or swap with their neighbour (optimal string alignment), row by row. */
export function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? previous[j - 2]! + 1 : Infinity;
      next.push(Math.min(replaced, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    previous = row;
    row = next;
  }
  return row[b.length]!;
}

/** Returns a copy without a prototype, for objects of this library with optional fields. */
export function plain<T extends object>(values: T): T {
  return Object.assign(Object.create(null), values);
}

/** A field of an object of this library; undefined if the object itself does not have it. */
export function own<T extends object, Name extends keyof T>(from: T, name: Name): T[Name] | undefined {
  return Object.hasOwn(from, name) ? from[name] : undefined;
}

/** Returns a copy without the fields that are undefined. */
export function defined<T extends object>(values: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
