// Samples on their way to be learned, and the calls of learn() that wait for them.
import type { Sample } from './admission';
import type { Score } from './prequential';
import type { Reason } from './reasons';

/** What learn() resolves with. */
export interface LearnResult {
  /** Updates that its samples took part in. */
  updates: number;
  /** Mean loss of those updates, replayed samples included; NaN where there was none. */
  loss: number;
  /** How the samples were predicted before they were learned. */
  prequential: { samples: number; correct: number; loss: number };
  /** That serves now. */
  version: number;
  /** Samples whose ids were known. */
  duplicates: number;
  /** Samples that were not learned, and are in the quarantine file. */
  quarantined: number;
  /** Why, for each of these, by their order in the call. */
  reasons: Reason[];
  /** Labels whose ids wait for none: they were never given, or what was predicted expired or got lost. */
  unknown: number;
  /** Whether the detector found a drift in these updates. */
  drift: boolean;
}

/** One call of learn(): settled when the last of its samples is. */
export class Call {
  readonly result: LearnResult = {
    ...{ updates: 0, loss: Number.NaN, version: 0, duplicates: 0, quarantined: 0, reasons: [], unknown: 0 },
    ...{ drift: false, prequential: { samples: 0, correct: 0, loss: Number.NaN } },
  };
  readonly done: Promise<LearnResult>;
  /** Samples that are not settled. */
  waiting = 0;
  lossSum = 0;
  resolve!: (result: LearnResult) => void;
  reject!: (cause: unknown) => void;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // The caller of learn() gets the rejection; nobody else needs to.
    this.done.catch(() => {});
  }

  /** One of its samples is settled; `version` serves. */
  settle(version: number): void {
    if (--this.waiting > 0) return;
    const { result } = this;
    result.version = version;
    result.loss = this.lossSum / result.updates;
    result.prequential.loss /= result.prequential.samples;
    result.reasons.sort((a, b) => a.index - b.index);
    this.resolve(result);
  }
}

export interface Pending extends Sample {
  score: Score | null;
  call: Call;
  /** Which of the call's samples. */
  index: number;
  /** When it came, by performance.now(). */
  since: number;
}

/** First in, first out, whatever its length. */
export class Queue {
  #items: Pending[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  get oldest(): Pending | undefined {
    return this.#items[this.#first];
  }

  push(item: Pending): void {
    this.#items.push(item);
  }

  /** The first samples, `count` at most. */
  take(count: number): Pending[] {
    const taken = this.#items.slice(this.#first, this.#first + count);
    this.#first += taken.length;
    if (this.#first > 1024 && 2 * this.#first > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return taken;
  }
}
