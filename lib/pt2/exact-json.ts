// Parses JSON without losing what a program's arguments need: 9223372036854775807 stays that integer, and 2.0 stays a float.
//
//  1. Integers are numbers where those are exact and bigints beyond, up to 64 bits. All other numbers are a Float.
//  2. Objects are Maps: __proto__ is an ordinary key. A key that occurs twice is refused, because readers differ on it.
//  3. No recursion: nesting cannot exhaust the stack. Every length, depth and sum of memory is compared with limits.ts.
//  4. The event loop gets a turn after half a millisecond, which JSON.parse() and the packages for exact numbers do not give.

import { formatError } from '../checkpoint/errors';
import { Float } from '../checkpoint/values';
import type { LearnError } from '../core/errors';
import { TimeSlice } from '../core/time-slice';
import { jsonBytesPerPiece, maxJsonBytes, maxJsonDepth, maxJsonDigits, maxJsonMemory, maxJsonString } from './limits';

export type Json = null | boolean | string | number | bigint | Float | Json[] | JsonObject;
export type JsonObject = Map<string, Json>;

/** `place` names the text in messages, such as that of a record. */
export async function parseJson(text: Buffer, place: string, signal?: AbortSignal): Promise<Json> {
  if (text.length > maxJsonBytes)
    throw formatError(`${place} of ${text.length} bytes is larger than the ${maxJsonBytes} that are read`);
  const parser = new Parser(text, place);
  const slice = new TimeSlice();
  while (!parser.run(jsonBytesPerPiece)) {
    if (!slice.isOver) continue;
    await slice.rest();
    signal?.throwIfAborted();
  }
  return parser.root!;
}

/** Costs in bytes, measured on Node 20 and rounded up. */
const cost = { object: 256, entry: 64, list: 64, item: 16, text: 48, number: 32 };

const [quote, comma, colon, backslash] = [0x22, 0x2c, 0x3a, 0x5c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];
const number = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const words: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
];
const [least64, most64] = [-(2n ** 63n), 2n ** 63n - 1n];
/** Digits and sign of any integer of 64 bits. */
const longestInteger = 20;

/** An open list or object. */
interface Frame {
  readonly container: Json[] | JsonObject;
  /** Key of the value that comes next in an object. */
  key: string;
}

class Parser {
  root: Json | undefined;
  readonly #text: Buffer;
  readonly #place: string;
  readonly #open: Frame[] = [];
  #at = 0;
  #memory = 0;

  constructor(text: Buffer, place: string) {
    this.#text = text;
    this.#place = place;
  }

  /** Parses about `bytes` more. Returns true after the end. */
  run(bytes: number): boolean {
    const end = this.#at + bytes;
    while (this.root === undefined) {
      if (this.#at > end) return false;
      this.#next();
    }
    return true;
  }

  /** Parses the next value, or opens the next container. */
  #next(): void {
    const first = this.#peek();
    if (first === openObject) this.#begin(new Map(), cost.object, closeObject);
    else if (first === openList) this.#begin([], cost.list, closeList);
    else this.#complete(this.#scalar(first));
  }

  #begin(container: Json[] | JsonObject, bytes: number, close: number): void {
    this.#take(bytes);
    this.#at++;
    if (this.#peek() === close) {
      this.#at++;
      this.#complete(container);
      return;
    }
    if (this.#open.length >= maxJsonDepth) throw this.#error(`it is nested deeper than ${maxJsonDepth}`);
    const frame = { container, key: '' };
    this.#open.push(frame);
    if (container instanceof Map) this.#key(frame);
  }

  /** Puts a value into its container, and that into its own where it ends. */
  #complete(value: Json): void {
    for (let item = value; ; ) {
      const frame = this.#open.at(-1);
      if (frame === undefined) {
        if (this.#peek() !== undefined) throw this.#error('something follows its end');
        this.root = item;
        return;
      }
      const { container } = frame;
      this.#take(container instanceof Map ? cost.entry : cost.item);
      if (container instanceof Map) container.set(frame.key, item);
      else container.push(item);
      const mark = this.#peek();
      if (mark !== comma && mark !== (container instanceof Map ? closeObject : closeList))
        throw this.#error(`a comma was expected but ${this.#here()} found`);
      this.#at++;
      if (mark === comma) {
        if (container instanceof Map) this.#key(frame);
        return;
      }
      this.#open.pop();
      item = container;
    }
  }

  #key(frame: Frame): void {
    if (this.#peek() !== quote) throw this.#error(`a key was expected but ${this.#here()} found`);
    frame.key = this.#string();
    if ((frame.container as JsonObject).has(frame.key))
      throw this.#error(`the key ${JSON.stringify(frame.key.slice(0, 100))} occurs twice`);
    if (this.#peek() !== colon) throw this.#error(`a colon was expected but ${this.#here()} found`);
    this.#at++;
  }

  #scalar(first: number | undefined): Json {
    if (first === quote) return this.#string();
    if (first === 0x2d || (first !== undefined && first >= 0x30 && first <= 0x39)) return this.#number();
    const word = words.find(([text]) => this.#text.toString('latin1', this.#at, this.#at + text.length) === text);
    if (!word) throw this.#error(`a value was expected but ${this.#here()} found`);
    this.#at += word[0].length;
    return word[1];
  }

  #number(): number | bigint | Float {
    const start = this.#at;
    const end = Math.min(this.#text.length, start + maxJsonDigits + 1);
    while (this.#at < end && isNumeral(this.#text[this.#at]!)) this.#at++;
    if (this.#at - start > maxJsonDigits) throw this.#error(`a number has more than ${maxJsonDigits} digits`);
    const token = this.#text.toString('latin1', start, this.#at);
    const parts = number.exec(token);
    if (!parts) throw this.#error(`${JSON.stringify(token.slice(0, 30))} is not a number`);
    const value = Number(token);
    if (parts[1] === undefined && parts[2] === undefined) {
      if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
      const exact = token.length > longestInteger ? most64 + 1n : BigInt(token);
      if (exact < least64 || exact > most64)
        throw this.#error(`the integer ${token.slice(0, 30)} has more than 64 bits`);
      this.#take(cost.number);
      return exact;
    }
    if (!Number.isFinite(value)) throw this.#error(`the number ${token.slice(0, 30)} is out of range`);
    this.#take(cost.number);
    return new Float(value);
  }

  #string(): string {
    const start = ++this.#at;
    const last = Math.min(this.#text.length, start + maxJsonString + 1);
    let isPlain = true;
    for (; this.#at < last; this.#at++) {
      const code = this.#text[this.#at]!;
      if (code === quote) break;
      if (code === backslash) this.#at++;
      if (code === backslash || code >= 0x80) isPlain = false;
      if (code < 0x20) throw this.#error('a string holds a control character');
    }
    if (this.#at - start > maxJsonString) throw this.#error(`a string has more than ${maxJsonString} bytes`);
    if (this.#text[this.#at] !== quote) throw this.#error('a string does not end');
    this.#take(cost.text + this.#at - start);
    const end = this.#at++;
    return isPlain ? this.#text.toString('latin1', start, end) : this.#unquoted(this.#text.subarray(start, end));
  }

  #unquoted(token: Buffer): string {
    try {
      const value = JSON.parse(
        `"${new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(token)}"`,
      ) as string;
      // An unpaired surrogate has no bytes in UTF-8, but may be written as an escape.
      if (!/\p{Surrogate}/u.test(value)) return value;
    } catch {
      // Not UTF-8, or with an escape that JSON does not have.
    }
    throw this.#error('a string is not valid Unicode');
  }

  /** The next byte that is not white space; undefined at the end. */
  #peek(): number | undefined {
    const end = this.#at + maxJsonString;
    let code = this.#text[this.#at];
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = this.#text[++this.#at];
    if (this.#at > end) throw this.#error(`it holds more than ${maxJsonString} bytes of white space in a row`);
    return code;
  }

  #take(bytes: number): void {
    this.#memory += bytes;
    if (this.#memory > maxJsonMemory) throw this.#error(`its values take more than ${maxJsonMemory} bytes of memory`);
  }

  #here(): string {
    const found = this.#text.toString('latin1', this.#at, this.#at + 10);
    return found === '' ? 'its end was' : `${JSON.stringify(found)} was`;
  }

  #error(problem: string): LearnError {
    return formatError(`${this.#place} is damaged: ${problem} (at byte ${this.#at})`);
  }
}

/** Whether the byte can be part of a number: a digit, a sign, a point, e or E. */
function isNumeral(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e || (code | 0x20) === 0x65;
}
