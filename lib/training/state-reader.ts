// Reads the values of a scheduler's state_dict(), and of the parameter groups that it moves. For scheduler-state.ts.
import { formatError } from '../checkpoint/errors';
import { Float, Opaque, TensorValue, type Value } from '../checkpoint/values';
import type { GroupRates } from '../native/rates';
import type { Scheduler } from '../schedulers';
import type { StateReader } from '../schedulers/torch-form';
import type { Dict } from './optimizer-names';

/** Without what Python's types add to numbers, dicts and lists. */
export function plainOf(value: Value): unknown {
  if (value instanceof Float) return value.value;
  if (value instanceof TensorValue) return value.shape.length === 0 ? Number(value.data[0]) : value;
  if (value instanceof Opaque) return [value.name, plainOf(value.args)];
  if (value instanceof Map) return [...value].map(([key, item]) => [key, plainOf(item)]);
  return Array.isArray(value) ? Array.from(value, plainOf) : value;
}

/** `rates`: of the groups. `inner`: the schedulers that it holds. */
export function readerOf(dict: Dict, rates: readonly GroupRates[], inner: readonly Scheduler[] = []): StateReader {
  const refuse = (why: string): never => {
    throw formatError(why);
  };
  const taken = <Type>(name: string, is: (value: unknown) => value is Type, what: string): Type => {
    const value = dict.has(name) ? plainOf(dict.get(name)!) : undefined;
    return is(value) ? value : refuse(`expected ${what} for ${name} of a scheduler`);
  };
  const isNumber = (value: unknown) => typeof value === 'number';
  const isNumbers = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isNumber);
  const one = (values: readonly number[]) =>
    values.every((value) => value === values[0]) ? (values[0] ?? []) : values;
  return {
    schedulers: inner,
    refuse,
    number: (name) => taken(name, isNumber, 'a number'),
    numbers: (name) => taken(name, isNumbers, 'numbers'),
    each: (name) => one(taken(name, isNumbers, 'numbers')),
    word: (name) => taken(name, (value) => typeof value === 'string', 'a word'),
    flag: (name) => taken(name, (value) => typeof value === 'boolean', 'True or False'),
    counted: (name) => countedIn(dict.get(name)) ?? refuse(`expected a Counter of integers for ${name} of a scheduler`),
    dicts: (name) => {
      const list = dict.get(name);
      if (!Array.isArray(list) || !list.every((item) => item instanceof Map))
        return refuse(`expected dicts for ${name}`);
      return list.map((item) => readerOf(item as Dict, rates));
    },
    kept: (name) => {
      const values = rates.map((group) => group.kept[name]);
      return isNumbers(values) ? one(values) : refuse(`the groups of its optimizer do not have ${name}`);
    },
  };
}

/** More milestones than anybody has. */
const mostCounted = 100_000;

/** What a Counter of integers has counted, in ascending order; undefined: it is something else. */
function countedIn(value: Value | undefined): number[] | undefined {
  const counts =
    value instanceof Opaque && value.name === 'collections.Counter' && Array.isArray(value.args)
      ? value.args[0]
      : undefined;
  if (!(counts instanceof Map)) return undefined;
  const entries = [...counts] as [Value, Value][];
  const isCount = (count: Value) => Number.isSafeInteger(count) && (count as number) >= 0;
  const sum = entries.reduce((all, [, count]) => all + Number(count), 0);
  if (!entries.every(([item, count]) => Number.isSafeInteger(item) && isCount(count)) || sum > mostCounted)
    return undefined;
  return (entries as [number, number][])
    .flatMap(([item, count]) => Array<number>(count).fill(item))
    .sort((a, b) => a - b);
}
