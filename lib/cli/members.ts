// Members of families on the command line: the maker's name, in any case, and its options after a colon, as in
// `adamW:weightDecay=0.05,betas=0.9,0.95`. A value that follows a comma and has no name belongs to the list before it. Several members stand
// one after the other, separated by commas, as in `accuracy,f1Score:average=micro`.
import { type Average, averages } from '../averages';
import { defined, nearest } from '../core/checks';
import { LearnError } from '../core/errors';
import { listed } from '../core/family';
import { type Detector, detectors } from '../detectors';
import { type Loss, losses } from '../losses';
import { isMetrics, type Metric, metrics } from '../metrics';
import type { Architecture } from '../models/zoo';
import { getModel, listModels } from '../models/zoo/get-model';
import { type Optimizer, optimizerOfFlags, optimizers } from '../optimizers';
import type { SgdOptions } from '../optimizers/sgd';
import type { Model } from '../program/module';
import { type Scheduler, schedulers } from '../schedulers';
import { wrongUsage } from './arguments';

interface Makers {
  readonly words: readonly string[];
  readonly makers: Readonly<Record<string, (...given: unknown[]) => unknown>>;
}

/** A member as it is written: `text` holds its options. */
interface Written {
  readonly kind: string;
  readonly text: string | undefined;
}

/** Throws, naming the flag, the name that is unknown, and the nearest one. */
function written({ words: kinds }: Makers, flag: string, words: string): Written {
  const name = words.split(/[:,=]/, 1)[0]!;
  // PyTorch's names of classes differ from these by their case.
  const kind = kinds.find((one) => one === name) ?? kinds.find((one) => one.toLowerCase() === name.toLowerCase());
  if (kind === undefined) {
    const near = nearest(name, kinds);
    const begun = kinds.filter((one) => name.length > 1 && one.toLowerCase().startsWith(name.toLowerCase()));
    const meant = near === undefined ? listed(begun) : near;
    throw wrongUsage(`Unknown ${name} for ${flag}; ${meant ? `did you mean ${meant}?` : `there are ${listed(kinds)}`}`);
  }
  if (words === name) return { kind, text: undefined };
  if (words[name.length] === ':') return { kind, text: words.slice(name.length + 1) };
  throw wrongUsage(`Expected a colon before the options of ${flag} ${name}: ${name}:${words.slice(name.length + 1)}`);
}

/** The member that `words` describe. `more`: options that other flags gave. */
function memberOf<Member>(family: object, flag: string, words: string, more: object = {}): Member {
  const { kind, text } = written(family as Makers, flag, words);
  const options = text === undefined ? {} : optionsIn(text, flag);
  return made(`${flag} ${words}`, () => (family as Makers).makers[kind]!({ ...options, ...more }) as Member);
}

/** What `make` returns. Its error is one of usage, and begins with `where`. */
function made<Member>(where: string, make: () => Member): Member {
  try {
    return make();
  } catch (cause) {
    throw cause instanceof LearnError ? wrongUsage(`${where}: ${cause.message}`) : cause;
  }
}

/** Splits members that stand one after the other. A comma begins another one, unless an option or another value of a list follows it. */
function membersIn(words: string): string[] {
  const all: string[] = [];
  for (const part of words.split(',').map((one) => one.trim())) {
    const isOption = /^[^:]*=/.test(part) || typeof valueIn(part) !== 'string';
    if (isOption && all.length > 0) all.push(`${all.pop()},${part}`);
    else all.push(part);
  }
  return all;
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

/** The metrics of --metrics, one after the other: `accuracy,f1Score:average=micro,logLoss`. */
export function metricsFrom(words: string): readonly Metric[] {
  const all = membersIn(words).map((one) => memberOf<Metric>(metrics, '--metrics', one));
  try {
    return isMetrics(all, '--metrics') as readonly Metric[];
  } catch (cause) {
    throw cause instanceof LearnError ? wrongUsage(cause.message) : cause;
  }
}

/** The drift detector of --drift. */
export function detectorFrom(words: string): Detector {
  return memberOf(detectors, '--drift', words);
}

/**
 * The scheduler of --scheduler; undefined: it is not given. One that holds others has its own options first, then the others:
 * `sequentialLR:milestones=5,linearLR:totalIters=5,cosineAnnealingLR:tMax=25`.
 */
export function schedulerFrom(words: string | undefined): Scheduler | undefined {
  const flag = '--scheduler';
  if (words === undefined) return undefined;
  const { kind, text } = written(schedulers as object as Makers, flag, words);
  if (!holdsOthers(kind)) return memberOf(schedulers, flag, words);
  const parts = membersIn(text ?? '');
  const own = /^[^:]*=/.test(parts[0]!) ? optionsIn(parts.shift()!, flag) : {};
  if (parts.length === 0 || parts[0] === '')
    throw wrongUsage(`Expected schedulers after ${kind} and its options, as in ${flag} ${sequence}`);
  const held = parts.map((one) => {
    const inner = written(schedulers as object as Makers, flag, one).kind;
    if (holdsOthers(inner))
      throw wrongUsage(`${flag} ${kind}: only a program can put ${inner} into it: docs/api.md#schedulers`);
    return memberOf(schedulers, flag, one);
  });
  return made(`${flag} ${words}`, () => (schedulers as object as Makers).makers[kind]!(held, own) as Scheduler);
}

/** An example of a scheduler that holds others. */
const sequence = 'sequentialLR:milestones=5,linearLR:totalIters=5,cosineAnnealingLR:tMax=25';

function holdsOthers(kind: string): boolean {
  return schedulers.entryOf({ kind }).positional !== undefined;
}

/** The loss of --loss; undefined: it is not given. */
export function lossFrom(words: string | undefined): Loss | undefined {
  return words === undefined ? undefined : memberOf(losses, '--loss', words);
}

/** The architecture of --model, with its options after a colon: `resnet50:numClasses=5`. `options`: undefined if there is no colon. */
export function architectureIn(words: string): { name: Architecture; options: object | undefined } | undefined {
  const names = listModels();
  const name = words.split(':', 1)[0]!.toLowerCase();
  if (!names.includes(name as Architecture)) return undefined;
  const text = words.length > name.length ? words.slice(name.length + 1) : undefined;
  return { name: name as Architecture, options: text === undefined ? undefined : optionsIn(text, '--model') };
}

/** The model of an architecture with its options. */
export function architectureFrom(words: string, name: Architecture, options: object): Model {
  return made(`--model ${words}`, () => getModel(name, options));
}

function optionsIn(text: string, flag: string): Record<string, unknown> {
  const lists = new Map<string, unknown[]>();
  let last: unknown[] | undefined;
  for (const part of text.split(',').map((one) => one.trim())) {
    const equals = part.indexOf('=');
    if (equals > 0) {
      const name = part.slice(0, equals);
      if (lists.has(name)) throw wrongUsage(`Expected each option of ${flag} once, but ${name} is there twice`);
      last = [];
      lists.set(name, last);
    }
    if (!last || part === '') throw wrongUsage(`Expected name=value after the colon of ${flag} but received '${part}'`);
    last.push(valueIn(part.slice(equals + 1)));
  }
  return Object.fromEntries([...lists].map(([name, values]) => [name, values.length > 1 ? values : values[0]]));
}

/** A number, true, false, null, or a word. */
function valueIn(text: string): unknown {
  if (text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
