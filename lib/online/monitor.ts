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
  readonly #cooldown: number;
  /** New samples in which signals still belong to the last drift. */
  #cooling: number;

  /** Resumes from a recorded state; null in it: nothing was monitored yet. */
  constructor({ settings, sample }: LearnerContext, { prequential, detector, metrics, cooling }: LearnerState) {
    this.#cooldown = settings.drift?.cooldown ?? 0;
    this.#cooling = cooling ?? 0;
    this.#prequential = prequential
      ? Prequential.from(prequential as ReturnType<Prequential['toJSON']>)
      : new Prequential(sample.target.kind === 'class' ? sample.classes : 0);
    this.#detector = settings.drift ? startDetector(settings.drift.detector, detector ?? undefined) : undefined;
    this.#metrics =
      settings.metrics.length > 0
        ? new RunningMetrics(settings.metrics, predictionForm(sample), metrics as RunningState | undefined)
        : undefined;
  }

  /** Adds the score of one sample. Returns whether a drift begins there: by one change, detectors signal more than once. */
  add(score: Score): boolean {
    this.#prequential.add(score);
    if (score.entries) this.#metrics?.add(score.entries);
    const isSignal = this.#detector?.update(Number(!isCorrect(score))) === 'drift';
    const isDrift = isSignal && this.#cooling === 0;
    this.#cooling = isDrift ? this.#cooldown : Math.max(0, this.#cooling - 1);
    return isDrift;
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
  toJSON(): Pick<LearnerState, 'prequential' | 'detector' | 'metrics' | 'cooling'> {
    const detector = this.#detector?.toJSON() ?? null;
    const [prequential, metrics] = [this.#prequential.toJSON(), this.#metrics?.toJSON()];
    // Also when it is over, since it replaces what an earlier snapshot had.
    return { prequential, detector, metrics, cooling: this.#cooling > 0 ? this.#cooling : undefined };
  }
}
