// OnlineLearner, the public class: it learns from a stream while it serves predictions.
import { EventEmitter } from 'node:events';
import os from 'node:os';
import { isNumber } from '../core/checks';
import { LearnError } from '../core/errors';
import { Limiter } from '../core/limiter';
import type { NamedValues, SampleForm, Values } from '../core/sample-values';
import type { Dataset } from '../datasets';
import type { PrequentialMetrics } from '../metrics/prequential';
import type { SaveOptions } from '../state/save';
import type { Prediction } from '../training/predict';
import { unversionedIn } from './counts';
import type { Engine } from './engine';
import type { LearnerEvents } from './events';
import { Feedback } from './feedback/feedback';
import type { FeedbackMetrics } from './feedback/store';
import type { SampleCounts } from './intake/accounts';
import { Intake } from './intake/intake';
import type { LearnResult } from './intake/queue';
import { type Samples, samplesIn, type TargetArray } from './intake/samples';
import { followed, type SampleSource, type StreamedLearner, type StreamOptions } from './intake/stream';
import { type LearnFromOptions, type LearnFromResult, learnFrom } from './learn-from';
import { checkLearnerOptions, type LearnerOptions } from './options';
import { openEngine } from './recovery/open';
import type { LearnerState } from './storage/learner-state';
import type { ServedVersion } from './versions/served';
import type { VersionInfo } from './versions/version';
import { splitOptions } from './wiring';

/** Counts and scores of a learner since it began. */
export interface LearnerMetrics extends SampleCounts, Pick<LearnerState, 'updates' | 'drifts' | 'refused'> {
  /** Samples that learnFrom() learned, each counted as often as it was drawn. */
  learnedFrom: number;
  /** The version that serves, or that was made last. */
  version: number;
  /** How samples were predicted before they were learned. */
  prequential: PrequentialMetrics;
  /** Predictions that were remembered, by what became of them. */
  feedback: FeedbackMetrics;
}

/** Result of {@link OnlineLearner.predict}. */
export interface LearnerPrediction extends Prediction {
  /** One a sample, for feedback(); empty if predictions are not remembered. */
  ids: string[];
  /** The weights that answered. */
  version: ServedVersion;
}

/**
 * A model that learns from a stream while it serves predictions. Everything durable is in one folder: a learner that was closed or
 * killed resumes from it with the same bits. Made by {@link OnlineLearner.open}. Errors are {@link LearnError}s.
 *
 * @example
 * ```ts
 * const learner = await OnlineLearner.open({ dir: './learner', checkpoint: 'model.pth' });
 * const { labels, ids } = await learner.predict(new Uint8Array(3 * 32 * 32));
 * await learner.feedback(ids, [3]); // the label, once it is known
 * learner.on('quarantine', ({ reasons }) => console.warn(reasons));
 * await learner.save('updated_model.pth');
 * await learner.close();
 * ```
 */
export class OnlineLearner extends EventEmitter<LearnerEvents> implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #intake: Intake;
  readonly #feedback: Feedback;
  /** More predictions at once would not be faster, and would take the core that JavaScript runs on. */
  readonly #predictions = new Limiter(Math.max(1, os.availableParallelism() - 1));
  /** One function for each stream, which stops it before this learner closes. */
  readonly #streams = new Set<() => void>();
  #closed: Promise<void> | undefined;

  private constructor(engine: Engine, intake: Intake, feedback: Feedback) {
    super();
    this.#engine = engine;
    engine.notify = (name, ...event) => process.nextTick(() => this.emit(name, ...(event as never)));
    this.#intake = intake;
    this.#feedback = feedback;
  }

  /**
   * Resumes the learner in `options.dir`, bit for bit and however it ended, or begins one there. One process has a folder at a time:
   * ERR_BUSY for others, after `waitForLock` milliseconds.
   */
  static async open(options: LearnerOptions): Promise<OnlineLearner> {
    const { settings, wiring } = splitOptions(checkLearnerOptions(options));
    const engine = await openEngine(settings, wiring);
    try {
      const intake = new Intake(engine, wiring.maxDelayMs);
      const learner = new OnlineLearner(engine, intake, await Feedback.open(engine, intake, wiring.feedback));
      if (wiring.onDrift) learner.on('drift', wiring.onDrift);
      return learner;
    } catch (cause) {
      await engine.close().catch(() => {});
      throw cause;
    }
  }

  /**
   * Learns samples with their targets, together with others that arrive within `maxDelayMs`, and resolves when that is durable. Each sample is
   * scored before it is learned. Samples are checked and copied at the call: a value of a wrong type rejects the call, and none of
   * its samples counts. Samples with wrong values go to the quarantine file, with the reasons in the result. Otherwise the promise
   * rejects only if the learner itself cannot continue.
   */
  async learn(samples: Samples): Promise<LearnResult> {
    return this.#intake.accept(this.#offered(samples));
  }

  #offered(samples: Samples) {
    this.#checkOpen();
    const accepted = samplesIn(samples, this.#engine.context);
    this.#intake.offer(accepted.length);
    return accepted;
  }

  /**
   * Follows a source of samples, and yields the result of each item in order. Leaving the loop stops reading; samples that were read
   * are learned.
   */
  stream(source: SampleSource, options: StreamOptions = {}): AsyncGenerator<LearnResult> {
    this.#checkOpen();
    const target: StreamedLearner = {
      batchSize: this.batchSize,
      take: (samples) => this.#offered(samples),
      checkOpen: () => this.#checkOpen(),
      drop: (count) => this.#intake.drop(count),
      learn: (samples) => this.#intake.accept(samples),
      beforeClose: (leave) => {
        this.#streams.add(leave);
        return () => this.#streams.delete(leave);
      },
    };
    return followed(target, source, options);
  }

  /**
   * Draws a random sample of a data set, learns it and makes the result a version, `rounds` times. Nothing of it is kept for replay,
   * nor counted in the prequential metrics.
   */
  learnFrom(dataset: Dataset, options: LearnFromOptions = {}): Promise<LearnFromResult> {
    this.#checkOpen();
    return learnFrom(this.#engine, dataset, options);
  }

  /**
   * Predicts `inputs`, which are copied, with the weights that serve: an array, or one for each input by name. These are the weights
   * after the last update; with held-out samples, the version that serves. It changes nothing that is learned, and does not wait for
   * training, except for an update that is running, its record included, where nobody asked since the one before. Inputs and
   * prediction are remembered for feedback(), under ids that no other prediction of this learner has.
   */
  async predict(inputs: Values | NamedValues): Promise<LearnerPrediction> {
    this.#checkOpen();
    return this.#feedback.predict(inputs, (copy) => this.#predictions.take(() => this.#engine.predict(copy)));
  }

  /**
   * Learns samples that predict() saw, now that their labels are known, as learn() does; scored by the prediction of that time. A
   * second label for a sample is a duplicate. Ids without a remembered prediction are counted as `unknown` and change nothing. A
   * label that is out of range is quarantined, and the sample still waits for another. Rejects only if the learner itself cannot
   * continue; the samples then keep waiting.
   *
   * Targets that are not classes are [sample, …shape] row by row, as in learn(), or a number for one sample of shape []. Their samples
   * are scored when they are learned.
   */
  async feedback(
    ids: string | readonly string[],
    targets: number | readonly number[] | TargetArray,
  ): Promise<LearnResult> {
    this.#checkOpen();
    return this.#feedback.join(ids, targets);
  }

  /** The form of a sample: as given, as recorded in the learner's folder, or the model's own. */
  get sample(): SampleForm {
    return structuredClone(this.#engine.context.sample);
  }

  /** The largest number of new samples in one update. */
  get batchSize(): number {
    return this.#engine.context.settings.batchSize;
  }

  /** Why this learner does nothing until it is opened again, such as a full disk; undefined: it works. close() rejects with it. */
  get failure(): { readonly cause: unknown } | undefined {
    return this.#engine.failure;
  }

  metrics(): LearnerMetrics {
    const { updates, rehearsed: learnedFrom, drifts, refused, serving } = this.#engine.counts;
    return {
      ...{ updates, ...this.#intake.counts, learnedFrom, drifts, refused },
      version: serving,
      prequential: this.#engine.prequential,
      feedback: this.#feedback.metrics,
    };
  }

  /**
   * Makes the current weights a version now, without waiting for `gate.every` updates, and resolves with it: with the one that serves,
   * if they are the same. Rejects with ERR_REFUSED if they are not finite or the held-out samples are against them.
   */
  async publish(): Promise<VersionInfo> {
    this.#checkOpen();
    return this.#engine.publish();
  }

  /** The versions that are kept for rollback(), oldest first. */
  versions(): VersionInfo[] {
    return structuredClone(this.#engine.counts.versions);
  }

  /**
   * Serves an earlier version again and learns on from it, without momentum. Default: the version before the weights that serve.
   * Rejects, and changes nothing, if that version is no longer kept or its file cannot be loaded.
   */
  async rollback(version?: number): Promise<VersionInfo> {
    this.#checkOpen();
    if (version !== undefined) isNumber({ integer: true, min: 0 })(version, 'version');
    return this.#engine.rollBack(() => version ?? this.#versionBefore());
  }

  #versionBefore(): number {
    const { versions, serving } = this.#engine.counts;
    const { gate, settings } = this.#engine.context;
    // Updates since then serve without being a version.
    if (!gate && unversionedIn(this.#engine.counts, settings.gate.every) > 0) return serving;
    const index = versions.findIndex(({ version }) => version === serving);
    if (index > 0) return versions[index - 1]!.version;
    throw new LearnError('ERR_INVALID_OPTION', `There is no version before ${serving}, the one that serves`);
  }

  /** Saves the weights that serve, for Python to load. */
  async save(file: string, options: SaveOptions = {}): Promise<void> {
    this.#checkOpen();
    await this.#engine.save(file, options);
  }

  /** SHA-256 of everything that the learner resumes from: equal for two that were fed alike, whatever interrupted them. */
  fingerprint(): Promise<string> {
    this.#checkOpen();
    // The counts are part of it.
    this.#engine.exclusively(() => this.#intake.recordCounts()).catch(() => {});
    return this.#engine.fingerprint();
  }

  /** Learns the samples that wait, and ends. Further calls resolve at the same time. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    for (const leave of [...this.#streams]) leave();
    await this.#feedback.close(() => this.#intake.close());
    await this.#engine.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new LearnError('ERR_DISPOSED', 'This learner was closed; open it again');
  }
}
