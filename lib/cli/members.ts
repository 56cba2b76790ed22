// Members of families on the command line: the maker's name, and its options after a colon, as in `adamW:weightDecay=0.05,betas=0.9,0.95`.
// A value that follows a comma and has no name belongs to the list before it. Several members stand one after the other.
import { type Average, averages } from '../averages';
import { defined, nearest } from '../core/checks';
import { LearnError } from '../core/errors';
import { listed } from '../core/family';
import { type Loss, losses } from '../losses';
import { isMetrics, type Metric, metrics } from '../metrics';
import { type Optimizer, optimizerOfFlags, optimizers } from '../optimizers';
import type { SgdOptions } from '../optimizers/sgd';
import { type Scheduler, schedulers } from '../schedulers';
import { wrongUsage } from './arguments';

interface Makers {
  readonly words: readonly string[];
  readonly makers: Readonly<Record<string, (options: object) => unknown>>;
}

/**
 * The member that `words` describe. `more`: options that other flags gave. Throws, naming the flag, what is unknown, and the nearest
 * name.
 */
function memberOf<Member>(family: object, flag: string, words: string, more: object = {}): Member {
  const { words: names, makers } = family as Makers;
  const colon = words.indexOf(':');
  const name = colon < 0 ? words : words.slice(0, colon);
  if (!names.includes(name)) {
    const near = nearest(name, names);
    throw wrongUsage(`Unknown ${name} for ${flag}; ${near ? `did you mean ${near}?` : `there are ${listed(names)}`}`);
  }
  const options = colon < 0 ? {} : optionsIn(words.slice(colon + 1), flag);
  try {
    return makers[name]!({ ...options, ...more }) as Member;
  } catch (cause) {
    throw cause instanceof LearnError ? wrongUsage(`${flag} ${words}: ${cause.message}`) : cause;
  }
}

/** The optimizer of --optimizer and the flags beside it; undefined: neither is given. */
export function optimizerFrom(
  words: string | undefined,
  flags: { readonly [Name in keyof SgdOptions]: SgdOptions[Name] | undefined },
): Optimizer | undefined {
  return words === undefined ? optimizerOfFlags(flags) : memberOf(optimizers, '--optimizer', words, defined(flags));
}

/** The average of --average; undefined: it is not given. */
export function averageFrom(words: string | undefined): Average | undefined {
  return words === undefined ? undefined : memberOf(averages, '--average', words);
}

/**
 * The metrics of --metrics, one after the other: `accuracy,f1Score:average=micro,logLoss`. A comma begins another metric, unless an
 * option follows it.
 */
export function metricsFrom(words: string): readonly Metric[] {
  const all: string[] = [];
  for (const part of words.split(',')) {
    const isOption = /^[^:]*=/.test(part) && all.length > 0;
    if (isOption) all.push(`${all.pop()},${part}`);
    else all.push(part);
  }
  const made = all.map((one) => memberOf<Metric>(metrics, '--metrics', one));
  try {
    return isMetrics(made, '--metrics') as readonly Metric[];
  } catch (cause) {
    throw cause instanceof LearnError ? wrongUsage(cause.message) : cause;
  }
}

/** The scheduler of --scheduler; undefined: it is not given. */
export function schedulerFrom(words: string | undefined): Scheduler | undefined {
  if (words === undefined) return undefined;
  const kind = schedulers.words.find((word) => word === words.split(':', 1)[0]);
  if (kind && schedulers.entryOf({ kind }).positional) {
    throw wrongUsage(
      `--scheduler ${kind}: it holds other schedulers, which only a program can give it: docs/api.md#schedulers`,
    );
  }
  return memberOf(schedulers, '--scheduler', words);
}

/** The loss of --loss; undefined: it is not given. */
export function lossFrom(words: string | undefined): Loss | undefined {
  return words === undefined ? undefined : memberOf(losses, '--loss', words);
}

function optionsIn(text: string, flag: string): Record<string, unknown> {
  const lists = new Map<string, unknown[]>();
  let last: unknown[] | undefined;
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    if (equals > 0) {
      last = [];
      lists.set(part.slice(0, equals), last);
    }
    if (!last || part === '') throw wrongUsage(`Expected name=value after the colon of ${flag} but received '${part}'`);
    last.push(valueIn(part.slice(equals + 1)));
  }
  return Object.fromEntries([...lists].map(([name, values]) => [name, values.length > 1 ? values : values[0]]));
}

/** A number, true, false, or a word. */
function valueIn(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
