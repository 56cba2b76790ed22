// Families: values of one sort, such as optimizers, each made by its own function. From one list of these functions follow the
// union type, the check of what callers give, the error's text and the words of the command line.
//
// The law of members: a maker returns a frozen, plain value whose `kind` is the maker's name. Equal arguments give equal
// values, and JSON and structuredClone() keep them. Only what member() was called with counts as made; all else with a known
// `kind`, copies above all, is made again by its maker, so that nothing unchecked is used.
import { invalid, plain, unknownOption } from './checks';
import { LearnError } from './errors';

export type Maker = (...given: never[]) => { readonly kind: string };

/** A maker, and what else its family knows of its values. */
export interface Entry {
  readonly make: Maker;
  /** Fields of the value that the maker takes one by one, in this order; the others are its options. */
  readonly positional?: readonly string[];
}

/** The values that makers have returned. */
const members = new WeakSet<object>();

/** Freezes what a maker returns, which it has checked. */
export function member<const Value extends { readonly kind: string }>(value: Value): Readonly<Value> {
  members.add(Object.freeze(value));
  return value;
}

type MakersOf<Entries> = {
  readonly [Word in keyof Entries]: Entries[Word] extends { readonly make: infer Make extends Maker }
    ? Make
    : Entries[Word] extends Maker
      ? Entries[Word]
      : never;
};

/** The union of the values: `MemberOf<typeof optimizers.makers>`. */
export type MemberOf<Makers> = {
  [Word in keyof Makers]: Makers[Word] extends Maker ? ReturnType<Makers[Word]> : never;
}[keyof Makers];

export interface Family<Entries> {
  readonly makers: MakersOf<Entries>;
  /** Their names, which are the kinds of the values and the words of the command line. */
  readonly words: readonly (keyof Entries & string)[];
  /** Returns members as they are, and of plain copies of them members that are equal. A Check. */
  readonly check: (value: unknown, name: string) => MemberOf<MakersOf<Entries>>;
  /** The kind of a recorded member. Throws ERR_STATE_FORMAT, naming it, where this version has no such member. */
  known(kind: unknown): keyof Entries & string;
  /** What the family knows of a member's kind. */
  entryOf(member: { readonly kind: string }): Entry;
}

/** `noun`: 'an optimizer'. `entries`: the makers by their names. */
export function family<const Entries extends Readonly<Record<string, Maker | Entry>>>(
  noun: string,
  entries: Entries,
): Family<Entries> {
  const words = Object.keys(entries) as (keyof Entries & string)[];
  const known = new Map(words.map((word): [string, Entry] => [word, entryFrom(entries[word]!)]));
  const expected = `${noun} made by ${listed(words.map((word) => `${word}()`))}`;
  const check = (value: unknown, name: string) => {
    const isObject = typeof value === 'object' && value !== null;
    const { kind, ...fields }: Record<string, unknown> = isObject ? { ...value } : {};
    const entry = typeof kind === 'string' ? known.get(kind) : undefined;
    if (!entry) throw invalid(expected, name, value);
    return (isObject && members.has(value) ? value : remade(kind as string, entry, fields)) as MemberOf<
      MakersOf<Entries>
    >;
  };
  const makers = Object.fromEntries([...known].map(([word, { make }]) => [word, make])) as MakersOf<Entries>;
  const word = (kind: unknown) => {
    const found = words.find((one) => one === kind);
    if (found !== undefined) return found;
    const what = noun.replace(/^an? /, '');
    throw new LearnError('ERR_STATE_FORMAT', `Its ${what} is ${kind}, which this version does not know`);
  };
  return Object.freeze({
    makers,
    words,
    check,
    known: word,
    entryOf: ({ kind }: { readonly kind: string }) => known.get(kind)!,
  });
}

/** Without a prototype, so that what an entry does not have is missing. */
function entryFrom(entry: Maker | Entry): Entry {
  return plain(typeof entry === 'function' ? { make: entry } : entry);
}

/** The member that has these fields. Throws what its maker throws. */
function remade(kind: string, { make, positional = [] }: Entry, fields: Readonly<Record<string, unknown>>): unknown {
  const options = Object.entries(fields).filter(([name]) => !positional.includes(name));
  const given = positional.map((name) => fields[name]);
  if (options.length > 0) given.push(Object.fromEntries(options));
  const member = (make as (...given: unknown[]) => object)(...given);
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(member, name));
  if (unknown === undefined) return member;
  throw unknownOption(
    kind,
    unknown,
    Object.keys(member).filter((name) => name !== 'kind'),
  );
}

/** 'a', 'a or b', 'a, b or c'. */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${last}` : last;
}

/** `value`, with all that it holds, frozen. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) frozen(item);
  return Object.freeze(value);
}
