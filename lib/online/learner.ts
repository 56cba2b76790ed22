// OnlineLearner: learns from a stream while it serves. What it computes is in state-machine.ts, how it is kept in engine.ts; here samples
// wait for others, up to a full batch or their time.
import os from 'node:os';
import { isNumber } from '../core/checks';
import { LearnError } from '../core/errors';
import { Turns } from '../core/limiter';
import type { Dataset } from '../datasets';
import type { PrequentialMetrics } from '../metrics/prequential';
import { type SaveOptions, type State, saveState } from '../state/state';
import { type Prediction, predictOf } from '../training/evaluate';
import type { Engine } from './engine';
import { Feedback } from './feedback/feedback';
import type { FeedbackMetrics } from './feedback/store';
import { type Counts, Intake } from './intake/intake';
import type { LearnResult } from './intake/queue';
import { type Samples, samplesIn } from './intake/samples';
import { followed, type Source, type StreamOptions, type Target } from './intake/stream';
import { type LearnFromOptions, type LearnFromResult, learnFrom } from './learn-from';
import { checkLearnerOptions, type LearnerOptions } from './options';
import { openEngine } from './recovery/open';
import type { SavedCore } from './storage/learner-state';
import type { VersionInfo } from './versions/version';

export interface LearnerMetrics extends Counts, Pick<SavedCore, 'updates' | 'drifts' | 'refused'> {
  /** Samples that learnFrom() learned, each counted as often as it was drawn. */
  learnedFrom: number;
  /** The version that serves. */
  version: number;
  /** How samples were predicted before they were learned. */
  prequential: PrequentialMetrics;
  /** What became of all that was ever predicted and remembered. */
  feedback: FeedbackMetrics;
}

/** What one sample is. */
export interface SampleForm {
  inputs: 'uint8' | 'float32';
  shape: readonly number[];
  /** Labels are from 0 to one less. */
  classes: number;
}

export interface LearnerPrediction extends Prediction {
  /** One a sample, for feedback(); none where nothing is remembered. */
  ids: string[];
  /** The version that answered. */
  version: number;
}

export class OnlineLearner implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #intake: Intake;
  readonly #feedback: Feedback;
  /** More at once would not be done sooner, and would keep JavaScript from its core. */
  readonly #predictions = new Turns(Math.max(1, os.availableParallelism() - 1));
  /** What each stream does before this learner closes. */
  readonly #streams = new Set<() => void>();
  #closed: Promise<void> | undefined;

  private constructor(engine: Engine, intake: Intake, feedback: Feedback) {
    this.#engine = engine;
    this.#intake = intake;
    this.#feedback = feedback;
  }

  /**
   * Goes on with the learner in `options.dir`, bit for bit where it was, however it ended; or begins one there. One process
   * has it at a time: ERR_BUSY for others.
   */
  static async open(given: LearnerOptions): Promise<OnlineLearner> {
    const options = checkLearnerOptions(given);
    const engine = await openEngine(options);
    try {
      const intake = new Intake(engine, options.maxDelayMs ?? 50);
      return new OnlineLearner(engine, intake, await Feedback.open(engine, intake, options));
    } catch (cause) {
      await engine.close().catch(() => {});
      throw cause;
    }
  }

  /**
   * Learns labelled samples, together with what else comes within `maxDelayMs`, and resolves when that is durable. Each is
   * scored before it is learned. They are checked and copied at the call: values of a wrong type reject it, with none of it counted.
   * Samples with wrong values go to the quarantine file, with the reasons in the result; else the promise rejects only where the
   * learner itself cannot go on.
   */
  async learn(samples: Samples): Promise<LearnResult> {
    this.#checkOpen();
    const accepted = samplesIn(samples, this.#engine.core.setting);
    this.#intake.offer(accepted.length);
    return this.#intake.accept(accepted);
  }

  /**
   * Follows a source of samples, and tells what each brought, in order. Leaving the loop stops reading; what was read before is
   * learned.
   */
  stream(source: Source, options: StreamOptions = {}): AsyncGenerator<LearnResult> {
    this.#checkOpen();
    const target: Target = {
      batchSize: this.batchSize,
      take: (samples) => {
        this.#checkOpen();
        const taken = samplesIn(samples, this.#engine.core.setting);
        this.#intake.offer(taken.length);
        return taken;
      },
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
   * What the version that serves says of `inputs`, which are copied. It changes nothing of what is learned, and waits for no
   * training. Inputs and answer are remembered for feedback(), under ids that no other prediction of this learner has.
   */
  async predict(inputs: Uint8Array | Float32Array): Promise<LearnerPrediction> {
    this.#checkOpen();
    return this.#feedback.predict(inputs, (copy) =>
      this.#predictions.take(async () => {
        const { served, setting } = this.#engine.core;
        const { model, shape, scoring: transforms, allowOperators } = setting;
        const prediction = await served.read((state) =>
          predictOf(state, copy, { ...{ model, shape, transforms, allowOperators }, threads: 1, device: 'cpu' }),
        );
        return { ...prediction, version: served.version };
      }),
    );
  }

  /**
   * Learns samples that predict() saw, now that their labels are known, as learn() does; scored by what was predicted then. A
   * second label of a sample is a duplicate. Ids that wait for no label are counted as `unknown`, and change nothing. A label that
   * is out of range is quarantined, and the sample goes on waiting for another. Rejects where the learner itself cannot go on; what
   * it was to learn then waits on.
   */
  async feedback(ids: string | readonly string[], labels: number | Samples['labels']): Promise<LearnResult> {
    this.#checkOpen();
    return this.#feedback.join(ids, labels);
  }

  /** What a sample must be: as given, as recorded in the learner's folder, or as the model takes it. */
  get sample(): SampleForm {
    const { settings, shape, classes } = this.#engine.core.setting;
    return { inputs: settings.inputs, shape: [...shape], classes };
  }

  /** New samples of one update, at most. */
  get batchSize(): number {
    return this.#engine.core.setting.settings.batchSize;
  }

  /** Why it does nothing more until it is opened again, such as a full disk; undefined: it works. close() rejects with it. */
  get failure(): { readonly cause: unknown } | undefined {
    return this.#engine.failure;
  }

  metrics(): LearnerMetrics {
    const { updates, rehearsed: learnedFrom, drifts, refused, serving } = this.#engine.core.counts;
    return {
      ...{ updates, ...this.#intake.counts, learnedFrom, drifts, refused },
      version: serving,
      prequential: this.#engine.core.prequential.metrics,
      feedback: this.#feedback.metrics,
    };
  }

  /** Those that rollback() can go back to, oldest first. */
  versions(): VersionInfo[] {
    return structuredClone(this.#engine.core.counts.versions);
  }

  /**
   * Serves an earlier version again and learns on from it, without momentum. Default: the one before the one that serves. Rejects,
   * and changes nothing, where that version is not kept (any more) or its file cannot be loaded.
   */
  async rollback(version?: number): Promise<VersionInfo> {
    this.#checkOpen();
    if (version !== undefined) isNumber({ integer: true, min: 0 })(version, 'version');
    return this.#engine.rollBack(() => version ?? this.#versionBefore());
  }

  #versionBefore(): number {
    const { versions, serving } = this.#engine.core.counts;
    const index = versions.findIndex(({ version }) => version === serving);
    if (index > 0) return versions[index - 1]!.version;
    throw new LearnError('ERR_INVALID_OPTION', `There is no version before ${serving}, the one that serves`);
  }

  /** Saves the version that serves, for Python to load. */
  async save(file: string, options: SaveOptions = {}): Promise<void> {
    this.#checkOpen();
    await this.#engine.core.served.read((state: State) => saveState(state, file, options));
  }

  /** SHA-256 of all that the learner goes on from: equal for two that were fed alike, whatever happened to them meanwhile. */
  fingerprint(): Promise<string> {
    this.#checkOpen();
    // The account is part of it.
    this.#engine.exclusively(() => this.#intake.tellAccount()).catch(() => {});
    return this.#engine.fingerprint();
  }

  /** Learns what waits, and ends. Further calls wait for the same end. */
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
