// Parses the JSON of safetensors headers. JSON.parse would keep the last of two equal keys, sort keys that look like numbers,
// and block the event loop for a large header. Only strings and sizes matter: other values may describe tensors in ways that
// the format does not define and its library ignores. For read.ts.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LearnError } from '../../core/errors';
import { formatError } from '../errors';
import { maxHeaderDepth, maxHeaderFacts, maxHeaderItems } from '../limits';

/** A number that is not a size, as written in the text. */
export class OtherNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** For messages. */
  toJSON(): string {
    return this.text;
  }
}

export type Json = null | boolean | string | number | OtherNumber | Json[] | JsonObject;
/** In the order of the text. */
export type JsonObject = Map<string, Json>;

const size = /(?:0|[1-9]\d*)(?![\d.eE])/y;
const otherNumber = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d.eE])/y;
const word = /(?:null|true|false)\b/y;
/** A string of ASCII without escapes. */
const plain = /^"[ !#-[\]-~]*"$/;

/** Entries parsed per turn of the event loop: less than a millisecond, unless a file makes one of them large. */
const entriesPerTurn = 200;

/** Options of {@link parseObject}. */
interface ParsingOptions {
  signal?: AbortSignal | undefined;
  /** The key of an object whose entries are visited themselves, with this key as their third argument. */
  opened?: string;
}

/**
 * Parses `text`, one object that only spaces may follow, and passes its entries to `visit` one by one. `place` names the text
 * in messages.
 */
export async function parseObject(
  text: string,
  place: string,
  visit: (key: string, value: Json, of?: string) => void,
  { signal, opened }: ParsingOptions = {},
): Promise<void> {
  const reader = new JsonReader(text, place);
  let count = 0;
  for (const [key, value, of] of reader.entries(1, opened)) {
    visit(key, value, of);
    if (++count % entriesPerTurn > 0) continue;
    await nextTurn();
    signal?.throwIfAborted();
  }
  reader.end();
}

/** The text of a file's bytes, which must be UTF-8. `place` names it in messages. */
export function textOf(bytes: Buffer, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw formatError(`${place} is not valid UTF-8`);
  }
}

class JsonReader {
  readonly #text: string;
  readonly #place: string;
  #at = 0;

  constructor(text: string, place: string) {
    this.#text = text;
    this.#place = place;
  }

  /** Parses the entries of the object that begins here; in the place of the one called `opened`, those of its object. */
  *entries(depth: number, opened?: string): Generator<[string, Json, of?: string]> {
    const keys = new Set<string>();
    this.#expect('{');
    if (this.#next('}')) return;
    do {
      const key = this.#string();
      if (keys.has(key)) throw this.#error(`the key ${JSON.stringify(key)} occurs twice`);
      keys.add(key);
      if (depth > 1 && keys.size > maxHeaderFacts) throw this.#error(`an object has more than ${maxHeaderFacts} keys`);
      this.#expect(':');
      if (key === opened && this.#isAt('{'))
        for (const [inner, value] of this.entries(depth + 1)) yield [inner, value, opened];
      else yield [key, this.#value(depth)];
    } while (this.#next(','));
    this.#expect('}');
  }

  end(): void {
    this.#passSpace();
    if (this.#at < this.#text.length) throw this.#error('something follows its end');
  }

  #value(depth: number): Json {
    this.#passSpace();
    if (depth > maxHeaderDepth) throw this.#error(`it is nested deeper than ${maxHeaderDepth}`);
    const first = this.#text[this.#at];
    if (first === '"') return this.#string();
    if (first === '{') return this.#object(depth + 1);
    if (first === '[') return this.#list(depth + 1);
    const digits = this.#take(size);
    if (digits !== undefined) return Number(digits);
    const literal = this.#take(word);
    if (literal !== undefined) return JSON.parse(literal) as null | boolean;
    const other = this.#take(otherNumber);
    if (other === undefined) throw this.#error(`a value was expected but ${this.#here()} found`);
    if (!Number.isFinite(Number(other))) throw this.#error('a number is out of range');
    return new OtherNumber(other);
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = new Map();
    for (const [key, value] of this.entries(depth)) object.set(key, value);
    return object;
  }

  #list(depth: number): Json[] {
    const items: Json[] = [];
    this.#expect('[');
    if (this.#next(']')) return items;
    do {
      items.push(this.#value(depth));
      if (items.length > maxHeaderItems) throw this.#error(`a list has more than ${maxHeaderItems} items`);
    } while (this.#next(','));
    this.#expect(']');
    return items;
  }

  #string(): string {
    this.#passSpace();
    if (this.#text[this.#at] !== '"') throw this.#error(`a string was expected but ${this.#here()} found`);
    const end = this.#endOfString();
    const value = this.#unquoted(this.#text.slice(this.#at, end));
    this.#at = end;
    // An unpaired surrogate has no bytes in UTF-8, but may be written as an escape.
    if (/\p{Surrogate}/u.test(value)) throw this.#error('a string is not valid Unicode');
    return value;
  }

  /** Written by hand because a regular expression over millions of escapes exhausts the stack. */
  #endOfString(): number {
    for (let quote = this.#text.indexOf('"', this.#at + 1); quote >= 0; quote = this.#text.indexOf('"', quote + 1)) {
      let slashes = 0;
      while (this.#text[quote - 1 - slashes] === '\\') slashes++;
      if (slashes % 2 === 0) return quote + 1;
    }
    throw this.#error('a string does not end');
  }

  #unquoted(token: string): string {
    // Most strings are names without escapes.
    if (plain.test(token)) return token.slice(1, -1);
    try {
      return JSON.parse(token) as string;
    } catch {
      throw this.#error('a string is not valid');
    }
  }

  #expect(mark: string): void {
    if (!this.#next(mark)) throw this.#error(`${mark} was expected but ${this.#here()} found`);
  }

  /** Skips `mark` if it comes next. Returns whether it did. */
  #next(mark: string): boolean {
    const isThere = this.#isAt(mark);
    if (isThere) this.#at++;
    return isThere;
  }

  #isAt(mark: string): boolean {
    this.#passSpace();
    return this.#text[this.#at] === mark;
  }

  #passSpace(): void {
    for (let code = this.#text.charCodeAt(this.#at); code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; )
      code = this.#text.charCodeAt(++this.#at);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    this.#at += token?.length ?? 0;
    return token;
  }

  #here(): string {
    return this.#at < this.#text.length
      ? `${JSON.stringify(this.#text.slice(this.#at, this.#at + 10))} was`
      : 'its end was';
  }

  #error(problem: string): LearnError {
    return formatError(`${this.#place} is damaged: ${problem} (at character ${this.#at})`);
  }
}
