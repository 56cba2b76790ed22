// KSWIN: compares the newest numbers with older ones by the Kolmogorov-Smirnov test, by Raab, Heusinger & Schleif 2020, "Reactive
// soft prototype computing for concept drift streams". Draws what River draws with the same seed.

import { checkOptions, invalid, isNumber } from '../core/checks';
import { member } from '../core/family';
import type { DetectorKind } from './detector';
import { PythonRandom, type SavedRandom } from './python-random';

/** Options of {@link kswin}. */
export interface KswinOptions {
  /** The p-value up to which the two are different, 0 to 1. Default: 0.005. */
  alpha?: number;
  /** Numbers that are kept; at least twice `statSize`. Default: 100. */
  windowSize?: number;
  /** How many of the newest are compared with as many drawn from the others, 1 to 10,000. Default: 30. */
  statSize?: number;
  /** Of what is drawn, as Python's `random.Random(seed)`; begins again after each drift. Default: 0. */
  seed?: number;
}

/** The value that {@link kswin} makes, with every option. */
export interface Kswin extends Readonly<Required<KswinOptions>> {
  readonly kind: 'kswin';
}

const checks = {
  alpha: isNumber({ min: 0, max: 1 }),
  windowSize: isNumber({ integer: true, min: 2 }),
  // For larger samples, SciPy's test goes over to an approximation.
  statSize: isNumber({ integer: true, min: 1, max: 10_000 }),
  seed: isNumber({ integer: true, min: 0 }),
};

/**
 * KSWIN: drift where the newest `statSize` numbers of a window and as many drawn from the rest have distributions whose distance
 * D is above 0.1, and so large a D has a probability of at most α were they one. For real numbers, and changes of any kind; of 0
 * and 1 it sees only large ones. No warnings.
 *
 * @example
 * ```ts
 * const learner = await OnlineLearner.open({ dir: './learner', checkpoint: 'model.pth', drift: { detector: kswin() } });
 * ```
 */
export function kswin(options: KswinOptions = {}): Kswin {
  const { alpha = 0.005, windowSize = 100, statSize = 30, seed = 0 } = checkOptions('kswin', options, checks);
  if (windowSize < 2 * statSize) {
    throw invalid(`at least twice statSize (${2 * statSize})`, 'windowSize', windowSize);
  }
  return member({ kind: 'kswin', alpha, windowSize, statSize, seed });
}

interface SavedKswin {
  /** Oldest first. */
  window: number[];
  random: SavedRandom;
}

export const kswinKind: DetectorKind<Kswin> = {
  start({ alpha, windowSize, statSize, seed }, saved) {
    const before = saved as SavedKswin | undefined;
    let numbers = [...(before?.window ?? [])];
    let generator = before ? PythonRandom.from(before.random) : PythonRandom.seeded(seed);
    return {
      update(value) {
        numbers.push(value);
        if (numbers.length > windowSize) numbers.shift();
        if (numbers.length < windowSize) return 'none';
        const older = generator.sample(windowSize - statSize, statSize).map((at) => numbers[at]!);
        const gap = largestGap(older, numbers.slice(-statSize));
        if (gap / statSize <= 0.1 || pValue(statSize, gap) > alpha) return 'none';
        numbers = [];
        generator = PythonRandom.seeded(seed);
        return 'drift';
      },
      toJSON: (): SavedKswin => ({ window: [...numbers], random: generator.toJSON() }),
    };
  },
};

/** D times the number of values: by how many values up to some x the two, of the same length, differ at most. */
function largestGap(a: readonly number[], b: readonly number[]): number {
  const [one, other] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  let [i, j, gap] = [0, 0, 0];
  while (i < one.length && j < other.length) {
    const x = Math.min(one[i]!, other[j]!);
    while (one[i] === x) i++;
    while (other[j] === x) j++;
    gap = Math.max(gap, Math.abs(i - j));
  }
  return gap;
}

/**
 * P(D ≥ gap / n) of two samples of n values from one distribution, exactly: with a = gap,
 * 2 (C(2n, n − a) − C(2n, n − 2a) + C(2n, n − 3a) − …) / C(2n, n) (Gnedenko & Korolyuk 1951), nested as SciPy's ks_2samp
 * computes it.
 */
function pValue(n: number, gap: number): number {
  let p = 0;
  for (let k = Math.floor(n / gap); k >= 0; k--) {
    let ratio = 1;
    for (let j = 0; j < gap; j++) ratio = ((n - k * gap - j) * ratio) / (n + k * gap + j + 1);
    p = ratio * (1 - p);
  }
  // Rounding can lead above 1, where α may be 1.
  return Math.min(1, 2 * p);
}
