// Schedulers inside schedulers: their check, which index.ts sets, since it has the list of all and files do not import in a circle.
import { type Check, invalid } from '../core/checks';
import { LearnError } from '../core/errors';
import type { Every } from './torch-form';

/** A scheduler in another. */
export interface NestedScheduler {
  readonly kind: string;
  readonly every: Every;
}

const deepest = 8;

let isScheduler: Check = (value, name) => {
  throw invalid('a scheduler', name, value);
};

export function checkNestedWith(check: Check): void {
  isScheduler = check;
}

/**
 * The schedulers of `caller`, each stepping as often as `every` says; undefined: as the first does. Throws where one cannot be held:
 * what steps by a monitored number is not stepped by another scheduler.
 */
export function heldSchedulers(
  caller: string,
  given: unknown,
  every: Every | undefined,
): { readonly schedulers: readonly NestedScheduler[]; readonly every: Every } {
  if (!Array.isArray(given) || given.length === 0) {
    throw invalid(`an array of at least one scheduler`, `schedulers`, given);
  }
  if (depthOf(given) > deepest) throw invalid(`at most ${deepest} schedulers inside one another`, 'schedulers', given);
  const held = Array.from(given, (item, i) => {
    const name = `schedulers[${i}]`;
    const made = (isScheduler(item, name) ?? item) as NestedScheduler;
    if (made.kind === 'reduceLROnPlateau') {
      throw new LearnError(
        'ERR_INVALID_OPTION',
        `Expected a scheduler that steps each time for ${name} of ${caller}(), but received ${made.kind}(), which follows a monitored ` +
          'number; give that one by itself, as PyTorch demands',
      );
    }
    return made;
  });
  const steps = every ?? held[0]!.every;
  const schedulers = held.map((one) =>
    one.every === steps ? one : (isScheduler({ ...one, every: steps }, 'schedulers') as NestedScheduler),
  );
  return { schedulers: Object.freeze(schedulers), every: steps };
}

export function holdsOthers(scheduler: object): scheduler is { readonly schedulers: readonly NestedScheduler[] } {
  return 'schedulers' in scheduler;
}

/** Counts no further than to the first too many, so that it ends where one holds itself. */
function depthOf(schedulers: unknown, depth = 1): number {
  if (!Array.isArray(schedulers) || depth > deepest) return depth;
  const inner = schedulers.map((one) => (typeof one === 'object' && one !== null ? one.schedulers : undefined));
  return inner.reduce(
    (most: number, list) => Math.max(most, Array.isArray(list) ? depthOf(list, depth + 1) : depth),
    depth,
  );
}
