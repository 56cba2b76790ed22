// A value of parsed JSON and where it is, so that every check can name the place: graph_module.graph.nodes[3].target.

import { formatError } from '../checkpoint/errors';
import { Float } from '../checkpoint/values';
import type { LearnError } from '../core/errors';
import type { Json } from './exact-json';
import { maxJsonString, maxNameLength } from './limits';

/** Characters of a path in a message. Graphs inside graphs have long ones, of which the ends matter. */
const longestPath = 300;

export class Located {
  readonly value: Json | undefined;
  readonly #parent: Located | undefined;
  readonly #step: string | number;

  /** `step`: the record's name for a root, otherwise the key or index in `parent`. */
  constructor(value: Json | undefined, step: string | number, parent?: Located) {
    this.value = value;
    this.#step = step;
    this.#parent = parent;
  }

  /** The path, made only for messages. */
  get path(): string {
    const steps: string[] = [];
    for (let place: Located | undefined = this; place; place = place.#parent) {
      const step = place.#step;
      if (typeof step === 'number') steps.push(`[${step}]`);
      else steps.push(place.#parent === undefined ? `${step}: ` : `.${step.slice(0, 100)}`);
    }
    const path = steps.reverse().join('').replace(': .', ': ');
    return path.length <= longestPath ? path : `${path.slice(0, longestPath / 2)} … ${path.slice(-longestPath / 2)}`;
  }

  /** The value of a key, which must exist. */
  field(key: string): Located {
    const found = this.#object().get(key);
    if (found === undefined) throw this.expected(`a key ${JSON.stringify(key)}`);
    return new Located(found, key, this);
  }

  /** The value of a key that may be missing or null. */
  optional(key: string): Located | undefined {
    const found = this.#object().get(key);
    return found === undefined || found === null ? undefined : new Located(found, key, this);
  }

  entries(): [string, Located][] {
    return [...this.#object()].map(([key, value]) => [key, new Located(value, key, this)]);
  }

  /** The only key of a union, and its value. */
  kind(): [string, Located] {
    const [only, ...more] = this.#object();
    if (only === undefined || more.length > 0) throw this.expected('an object with one key');
    return [only[0], new Located(only[1], only[0], this)];
  }

  list(most = Number.POSITIVE_INFINITY): Located[] {
    if (!Array.isArray(this.value)) throw this.expected('a list');
    if (this.value.length > most) throw this.expected(`at most ${most} items`);
    return this.value.map((item, i) => new Located(item, i, this));
  }

  isNull(): boolean {
    return this.value === null;
  }

  /** A text of at most `most` characters. */
  text(most = maxJsonString): string {
    if (typeof this.value !== 'string' || this.value.length > most) throw this.expected(`a string of at most ${most}`);
    return this.value;
  }

  /** The name of a value, a tensor, an operator: never empty. */
  name(): string {
    const name = this.text(maxNameLength);
    if (name === '') throw this.expected('a name');
    return name;
  }

  flag(): boolean {
    if (typeof this.value !== 'boolean') throw this.expected('true or false');
    return this.value;
  }

  integer(): number | bigint {
    if (typeof this.value !== 'number' && typeof this.value !== 'bigint') throw this.expected('an integer');
    return this.value;
  }

  /** A float; also the strings by which torch writes those that JSON does not have. */
  float(): number {
    if (this.value instanceof Float) return this.value.value;
    if (typeof this.value === 'number' || typeof this.value === 'bigint') return Number(this.value);
    const special = new Map([
      ['Infinity', Number.POSITIVE_INFINITY],
      ['-Infinity', Number.NEGATIVE_INFINITY],
      ['NaN', Number.NaN],
    ]).get(this.value as string);
    if (special === undefined) throw this.expected('a float');
    return special;
  }

  /** A size, count or offset: an exact integer of 0 or more. */
  count(): number {
    if (typeof this.value !== 'number' || this.value < 0) throw this.expected('an integer of 0 or more');
    return this.value;
  }

  expected(what: string): LearnError {
    return this.error(`Expected ${what} but found ${described(this.value)}`);
  }

  error(problem: string): LearnError {
    return formatError(`${this.path}: ${problem}`);
  }

  #object(): Map<string, Json> {
    if (!(this.value instanceof Map)) throw this.expected('an object');
    return this.value;
  }
}

function described(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map)
    return `an object with ${value.size === 0 ? 'no keys' : `the keys ${shown([...value.keys()])}`}`;
  if (value instanceof Float) return `the number ${value.value}`;
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 60))}`;
  return String(value);
}

function shown(keys: readonly string[]): string {
  const more = keys.length > 5 ? ' …' : '';
  return keys
    .slice(0, 5)
    .map((key) => key.slice(0, 40))
    .join(', ')
    .concat(more);
}
