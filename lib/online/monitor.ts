// Monitors how new samples are predicted before they are learned: the prequential metrics, and the detector of drift that is fed
// the errors.
import { startDetector } from '../detectors';
import type { RunningDetector } from '../detectors/detector';
import { isCorrect, Prequential, type PrequentialMetrics, type Score } from '../metrics/prequential';
import type { LearnerContext } from './context';
import type { LearnerState } from './storage/learner-state';

export class Monitor {
  readonly #prequential: Prequential;
  readonly #detector: RunningDetector | undefined;

  /** Resumes from a recorded state; null in it: nothing was monitored yet. */
  constructor({ settings, sample }: LearnerContext, { prequential, detector }: LearnerState) {
    this.#prequential = prequential
      ? Prequential.from(prequential as ReturnType<Prequential['toJSON']>)
      : new Prequential(sample.target.kind === 'class' ? sample.classes : 0);
    this.#detector = settings.drift ? startDetector(settings.drift.detector, detector ?? undefined) : undefined;
  }

  /** Adds the score of one sample. Returns whether the detector finds a drift there. */
  add(score: Score): boolean {
    this.#prequential.add(score);
    return this.#detector?.update(Number(!isCorrect(score))) === 'drift';
  }

  get metrics(): PrequentialMetrics {
    return this.#prequential.metrics;
  }

  /** Plain values, for a snapshot. */
  toJSON(): Pick<LearnerState, 'prequential' | 'detector'> {
    return { prequential: this.#prequential.toJSON(), detector: this.#detector?.toJSON() ?? null };
  }
}
