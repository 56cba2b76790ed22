// Monitors how new samples are predicted before they are learned: the prequential metrics, and the detector of drift that is fed
// the errors.
import { startDetector } from '../detectors';
import type { RunningDetector } from '../detectors/detector';
import { predictionForm } from '../metrics/metric';
import { isCorrect, Prequential, type PrequentialMetrics, type Score } from '../metrics/prequential';
import { RunningMetrics, type RunningState } from '../metrics/running';
import type { LearnerContext } from './context';
import type { LearnerState } from './storage/learner-state';

export class Monitor {
  readonly #prequential: Prequential;
  readonly #detector: RunningDetector | undefined;
  readonly #metrics: RunningMetrics | undefined;

  /** Resumes from a recorded state; null in it: nothing was monitored yet. */
  constructor({ settings, sample }: LearnerContext, { prequential, detector, metrics }: LearnerState) {
    this.#prequential = prequential
      ? Prequential.from(prequential as ReturnType<Prequential['toJSON']>)
      : new Prequential(sample.target.kind === 'class' ? sample.classes : 0);
    this.#detector = settings.drift ? startDetector(settings.drift.detector, detector ?? undefined) : undefined;
    this.#metrics =
      settings.metrics.length > 0
        ? new RunningMetrics(settings.metrics, predictionForm(sample), metrics as RunningState | undefined)
        : undefined;
  }

  /** Adds the score of one sample. Returns whether the detector finds a drift there. */
  add(score: Score): boolean {
    this.#prequential.add(score);
    if (score.entries) this.#metrics?.add(score.entries);
    return this.#detector?.update(Number(!isCorrect(score))) === 'drift';
  }

  get metrics(): PrequentialMetrics {
    const { windowed, ...usual } = this.#prequential.metrics;
    const running = this.#metrics;
    return {
      ...usual,
      windowed: { ...windowed, metrics: running?.windowed ?? {} },
      metrics: running?.results ?? {},
    };
  }

  /** Plain values, for a snapshot. */
  toJSON(): Pick<LearnerState, 'prequential' | 'detector' | 'metrics'> {
    const detector = this.#detector?.toJSON() ?? null;
    return { prequential: this.#prequential.toJSON(), detector, metrics: this.#metrics?.toJSON() };
  }
}
