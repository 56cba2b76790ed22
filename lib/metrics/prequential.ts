// Prequential evaluation ("test, then train"): measures how well a learner predicted each sample before it learned it (Gama,
// Sebastião, Rodrigues, "On evaluating stream learning algorithms", Machine Learning 2013).
import type { MetricResults } from './index';
import type { Entries } from './running';

/** The score of one prediction. */
export interface Score {
  /** The class, and the predicted one; missing where the target is not a class. */
  label?: number;
  predicted?: number;
  /** By the learner's loss; cross-entropy of a class is in nats. */
  loss: number;
  /** The entries of the learner's metrics; missing where it has none. */
  entries?: Entries;
}

/** Whether the class was predicted; undefined: the target is not a class. */
export function isCorrect(score: Score): boolean | undefined {
  return Object.hasOwn(score, 'label') ? score.predicted === score.label : undefined;
}

/** Accuracy and loss of predictions. */
export interface Measure {
  /** Share of correct predictions, 0 to 1; NaN if there are no samples, or if their targets are not classes. */
  accuracy: number;
  /** Mean of the learner's loss. */
  loss: number;
}

/** How a learner predicted samples before it learned them. */
export interface PrequentialMetrics extends Measure {
  samples: number;
  /**
   * Measures of the last 1,000 samples. `metrics`: as below, but `auroc()` and `averagePrecision()` are exact; over fewer samples where
   * 1,000 of them would be more than 16,384 numbers for a metric.
   */
  windowed: Measure & { samples: number; metrics: MetricResults };
  /** Older samples weigh less: section 3.2 of the paper, equation for P_α. */
  fading: Measure;
  /** Empty if targets are not classes. */
  perClass: { samples: number; correct: number; accuracy: number }[];
  /** Results by the names of the option `metrics`, over all samples since they were asked for. */
  metrics: MetricResults;
}

/** Measures of every learner. */
type Usual = Omit<PrequentialMetrics, 'metrics' | 'windowed'> & { windowed: Measure & { samples: number } };

interface PrequentialState {
  samples: number;
  correct: number;
  loss: number;
  /** Sums for the fading measures, and the sum of the weights. */
  faded: [correct: number, loss: number, weight: number];
  perClass: [samples: number, correct: number][];
  /** The last samples: correct or not, and the loss; oldest first. */
  window: [hit: number, loss: number][];
}

/** Samples in the window. */
const windowSize = 1000;
/** Factor by which each following sample reduces a sample's weight. */
const fadingFactor = 0.999;

export class Prequential {
  readonly #state: PrequentialState;

  /** `classes`: 0 if targets are not classes. */
  constructor(classes: number) {
    const perClass = Array.from({ length: classes }, (): [number, number] => [0, 0]);
    this.#state = { samples: 0, correct: 0, loss: 0, faded: [0, 0, 0], perClass, window: [] };
  }

  add(score: Score): void {
    const state = this.#state;
    const { loss } = score;
    const isHit = isCorrect(score);
    const hit = Number(isHit ?? false);
    state.samples++;
    state.correct += hit;
    state.loss += loss;
    const [fadedHits, fadedLoss, weight] = state.faded;
    state.faded = [hit + fadingFactor * fadedHits, loss + fadingFactor * fadedLoss, 1 + fadingFactor * weight];
    if (isHit !== undefined) {
      const ofClass = state.perClass[score.label!]!;
      ofClass[0]++;
      ofClass[1] += hit;
    }
    state.window.push([hit, loss]);
    // Trimmed only now and then, because removing the first items of a long array moves all others.
    if (state.window.length >= 2 * windowSize) state.window.splice(0, state.window.length - windowSize);
  }

  get metrics(): Usual {
    const { samples, correct, loss, faded, perClass } = this.#state;
    const window = this.#state.window.slice(-windowSize);
    const sum = (index: 0 | 1) => window.reduce((total, entry) => total + entry[index], 0);
    const share = (hits: number, of: number) => (perClass.length > 0 ? hits / of : Number.NaN);
    return {
      samples,
      accuracy: share(correct, samples),
      loss: loss / samples,
      windowed: { samples: window.length, accuracy: share(sum(0), window.length), loss: sum(1) / window.length },
      fading: { accuracy: share(faded[0], faded[2]), loss: faded[1] / faded[2] },
      perClass: perClass.map(([seen, right]) => ({ samples: seen, correct: right, accuracy: right / seen })),
    };
  }

  toJSON(): PrequentialState {
    return { ...this.#state, window: this.#state.window.slice(-windowSize) };
  }

  static from(saved: PrequentialState): Prequential {
    const restored = new Prequential(saved.perClass.length);
    Object.assign(restored.#state, structuredClone(saved));
    return restored;
  }
}

/** -log of the smallest positive number: the loss if the label's probability is 0 or NaN, and the largest that counts. */
const largestLoss = 745;

/**
 * Scores sample number `at`, whose logits are among others: [sample, `classes`]. It gets the most likely class, and -log softmax of
 * its label's logit, or the loss `given`.
 */
export function scoreOf(logits: Float32Array, classes: number, label: number, at = 0, given?: number): Score {
  const first = at * classes;
  let largest = -Infinity;
  for (let i = first; i < first + classes; i++) largest = Math.max(largest, logits[i]!);
  let sum = 0;
  for (let i = first; i < first + classes; i++) sum += Math.exp(logits[i]! - largest);
  const loss = given ?? Math.log(sum) + largest - logits[first + label]!;
  // Not found where a logit is NaN.
  const found = logits.indexOf(largest, first);
  return { label, predicted: found < 0 ? -1 : found - first, loss: bounded(loss) };
}

/** Scores a sample whose target is not a class by its loss. */
export function scoreByLoss(loss: number): Score {
  return { loss: bounded(loss) };
}

function bounded(loss: number): number {
  return loss < largestLoss ? loss : largestLoss;
}
