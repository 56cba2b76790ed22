// ADWIN: a window that is as long as its mean stays the same, by Bifet & Gavaldà 2007, "Learning from time-changing data with
// adaptive windowing". Computes in the order in which River does, so that windows are equal bit for bit; the logarithm alone is
// V8's, which may differ from Python's in its last bit.

import { checkOptions, isNumber } from '../core/checks';
import { member } from '../core/family';
import type { DetectorKind } from './detector';

/** Options of {@link adwin}. */
export interface AdwinOptions {
  /** Confidence, 0 to 1: about how often a change is seen in a stream without one. Default: 0.002. */
  delta?: number;
  /** Numbers between two searches for a change. Default: 32. */
  clock?: number;
  /** Buckets of each size; more are finer and slower. At least 2. Default: 5. */
  maxBuckets?: number;
  /** Least numbers on either side of a change. Default: 5. */
  minWindowLength?: number;
  /** Largest window that is not searched for a change. Default: 10. */
  gracePeriod?: number;
}

/** The value that {@link adwin} makes, with every option. */
export interface Adwin extends Readonly<Required<AdwinOptions>> {
  readonly kind: 'adwin';
}

const isCount = isNumber({ integer: true, min: 1 });

const checks = {
  delta: isNumber({ min: 0, max: 1 }),
  clock: isCount,
  // With 1, the buckets of a size can run out while there are larger and smaller ones.
  maxBuckets: isNumber({ integer: true, min: 2 }),
  minWindowLength: isCount,
  gracePeriod: isNumber({ integer: true, min: 0 }),
};

/**
 * ADWIN: drift where a window, kept as long as possible, falls into an older and a newer part whose means differ by more than
 * chance allows. For any numbers, changes up or down. Memory grows with the logarithm of the window. No warnings.
 *
 * @example
 * ```ts
 * const detector = adwin({ delta: 0.002 });
 * const learner = await OnlineLearner.open({ dir: './learner', checkpoint: 'model.pth', drift: { detector } });
 * ```
 */
export function adwin(options: AdwinOptions = {}): Adwin {
  const {
    delta = 0.002,
    clock = 32,
    maxBuckets = 5,
    minWindowLength = 5,
    gracePeriod = 10,
  } = checkOptions('adwin', options, checks);
  return member({ kind: 'adwin', delta, clock, maxBuckets, minWindowLength, gracePeriod });
}

/** Buckets of 2^i numbers each, oldest first: what the numbers add up to, and their squared distances from their mean. */
interface Row {
  totals: number[];
  variances: number[];
}

interface Window {
  /** The i-th has the buckets of 2^i numbers. */
  rows: Row[];
  /** Numbers in the window, their sum, and the sum of their squared distances from their mean. */
  width: number;
  total: number;
  variance: number;
  /** Numbers since the window began. */
  ticks: number;
  /** The last number showed a drift: the next one starts from the beginning. */
  drifted: boolean;
}

const empty = (): Window => ({
  ...{ rows: [{ totals: [], variances: [] }], width: 0, total: 0, variance: 0, ticks: 0, drifted: false },
});

export const adwinKind: DetectorKind<Adwin> = {
  start(settings, saved) {
    let window = structuredClone((saved as Window | undefined) ?? empty());
    return {
      update(value) {
        if (window.drifted) window = empty();
        insert(window, value, settings.maxBuckets);
        window.ticks++;
        if (window.ticks % settings.clock !== 0 || window.width <= settings.gracePeriod) return 'none';
        while (hasChange(window, settings)) {
          dropOldest(window);
          window.drifted = true;
        }
        return window.drifted ? 'drift' : 'none';
      },
      toJSON: () => structuredClone(window),
    };
  },
};

function insert(window: Window, value: number, maxBuckets: number): void {
  const { rows } = window;
  rows[0]!.totals.push(value);
  rows[0]!.variances.push(0);
  window.width++;
  const { width } = window;
  if (width > 1) {
    const distance = value - window.total / (width - 1);
    window.variance += ((width - 1) * distance * distance) / width;
  }
  window.total += value;
  for (let i = 0; rows[i]!.totals.length > maxBuckets; i++) {
    rows[i + 1] ??= { totals: [], variances: [] };
    mergeOldest(rows[i]!, rows[i + 1]!, 2 ** i);
  }
}

/** Makes of a row's two oldest buckets the newest of the next. */
function mergeOldest(row: Row, next: Row, size: number): void {
  const [older, newer] = row.totals.splice(0, 2) as [number, number];
  const [varianceOfOlder, varianceOfNewer] = row.variances.splice(0, 2) as [number, number];
  const distance = older / size - newer / size;
  next.totals.push(older + newer);
  next.variances.push(varianceOfOlder + varianceOfNewer + size * 0.5 * distance * distance);
}

function dropOldest(window: Window): void {
  const { rows } = window;
  const size = 2 ** (rows.length - 1);
  const row = rows.at(-1)!;
  const total = row.totals.shift()!;
  const variance = row.variances.shift()!;
  window.width -= size;
  window.total -= total;
  const { width } = window;
  const distance = total / size - window.total / width;
  window.variance -= variance + (size * width * distance * distance) / (size + width);
  if (row.totals.length === 0) rows.pop();
}

/** Whether any two parts of the window, between two buckets, have means that differ by more than ε of equation 3.1. */
function hasChange({ rows, width, total, variance }: Window, { delta, minWindowLength }: Adwin): boolean {
  // ln(2 / δ') with δ' = δ / ln(width).
  const confidence = Math.log((2 * Math.log(width)) / delta);
  let [older, newer] = [0, width];
  let [olderTotal, newerTotal] = [0, total];
  for (let i = rows.length - 1; i >= 0; i--) {
    const size = 2 ** i;
    for (const bucketTotal of rows[i]!.totals) {
      older += size;
      newer -= size;
      olderTotal += bucketTotal;
      newerTotal -= bucketTotal;
      if (newer < minWindowLength) return false;
      if (older < minWindowLength) continue;
      // 1 / m, which River counts from the shortest parts on.
      const spread = 1 / (older - minWindowLength + 1) + 1 / (newer - minWindowLength + 1);
      const epsilon = Math.sqrt(2 * spread * (variance / width) * confidence) + (2 / 3) * confidence * spread;
      if (Math.abs(olderTotal / older - newerTotal / newer) > epsilon) return true;
    }
  }
  return false;
}
