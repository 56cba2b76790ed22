// Prequential evaluation ("test, then train"): measures how well a learner predicted each sample before it learned it (Gama,
// Sebastião, Rodrigues, "On evaluating stream learning algorithms", Machine Learning 2013).

/** The score of one prediction. */
export interface Score {
  /** The class, and the predicted one; missing where the target is not a class. */
  label?: number;
  predicted?: number;
  /** Of a class: cross-entropy of the prediction, in nats. */
  loss: number;
}

/** Whether the class was predicted; undefined: the target is not a class. */
export function isCorrect(score: Score): boolean | undefined {
  return Object.hasOwn(score, 'label') ? score.predicted === score.label : undefined;
}

/** Accuracy and loss of predictions. */
export interface Measure {
  /** Share of correct predictions, 0 to 1; NaN if there are no samples, or if their targets are not classes. */
  accuracy: number;
  /** Mean loss: cross-entropy, where targets are classes. */
  loss: number;
}

/** How a learner predicted samples before it learned them. */
export interface PrequentialMetrics extends Measure {
  samples: number;
  /** Measures of the last samples. */
  windowed: Measure & { samples: number };
  /** Older samples weigh less: section 3.2 of the paper, equation for P_α. */
  fading: Measure;
  /** Empty if targets are not classes. */
  perClass: { samples: number; correct: number; accuracy: number }[];
}

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

  get metrics(): PrequentialMetrics {
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

/** Scores samples whose logits are [sample, class]: the most likely class, and -log softmax of the label's logit. */
export function scoresOf(logits: Float32Array, labels: Int32Array): Score[] {
  const classes = logits.length / labels.length;
  return Array.from(labels, (label, i) => scoreOf(logits.subarray(i * classes, (i + 1) * classes), label));
}

/** Scores samples whose targets are not classes by the loss of each. */
export function scoresByLoss(losses: Float32Array): Score[] {
  return Array.from(losses, (loss) => ({ loss: bounded(loss) }));
}

function scoreOf(logits: Float32Array, label: number): Score {
  const largest = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - largest);
  const loss = Math.log(sum) + largest - logits[label]!;
  return { label, predicted: logits.indexOf(largest), loss: bounded(loss) };
}

function bounded(loss: number): number {
  return loss < largestLoss ? loss : largestLoss;
}
