// The state machine of a learner: its state, and the effect of each record of the journal on it. Equal records on equal states
// give equal states, bit for bit; therefore no decision here depends on time or chance.
import { plain } from '../core/checks';
import type { PrequentialMetrics } from '../metrics/prequential';
import type { NativeLearnerState } from '../native/native';
import type { LearnerPlan } from '../native/plans';
import { named } from '../state/class-names';
import { type State, stateHandle } from '../state/state';
import type { LearnerContext } from './context';
import { countUpdate, unversionedIn, versionNow, versionOf } from './counts';
import { beginAnswer, nextUpdate } from './drift-answers';
import { Monitor } from './monitor';
import { NativeLearner } from './native-learner';
import { type Outcome, outcomeOf, scoresIn } from './outcome';
import { type IdBytes, IdWindow } from './seen-ids';
import type { LearnerState } from './storage/learner-state';
import type { BatchRecord, LearnerRecord, QuarantineRecord, VerdictRecord } from './storage/records';
import { evaluationOn, verdictOn } from './verdict';
import { digestOf } from './versions/files';
import { type Live, Serving } from './versions/serving';
import {
  baselineOf,
  better,
  findVersion,
  type HeldOutScore,
  newestOf,
  nextVersion,
  type VersionInfo,
} from './versions/version';

export class StateMachine {
  readonly context: LearnerContext;
  readonly #learner: NativeLearner;
  readonly #saved: LearnerState;
  readonly #monitor: Monitor;
  readonly #ids: IdWindow;
  readonly serving: Serving;
  /** The candidate of the next verdict; undefined while a journal is replayed. */
  #judged: State | undefined;
  #divergedAt: number | undefined;

  private constructor(
    context: LearnerContext,
    learner: NativeLearner,
    saved: LearnerState,
    ids: IdBytes,
    served: State,
  ) {
    this.context = context;
    this.#learner = learner;
    this.#saved = plain(saved);
    this.#monitor = new Monitor(context, this.#saved);
    this.#ids = IdWindow.from(context.settings.rememberIds, ids);
    const live: Live = {
      copy: () => learner.weights(),
      version: () => versionNow(this.#saved, context.settings.gate.every),
    };
    this.serving = new Serving(served, versionOf(saved, saved.serving), context.gate ? undefined : live);
  }

  /** `state`: the weights to learn from; `served`: the version that serves, which is disposed by the machine. */
  static async start(
    context: LearnerContext,
    state: State,
    start: LearnerPlan['start'],
    saved: LearnerState,
    ids: IdBytes,
    served: State,
  ): Promise<StateMachine> {
    const learner = await NativeLearner.make(context, state, start).catch((cause) => {
      served.dispose();
      throw cause;
    });
    return new StateMachine(context, learner, saved, ids, served);
  }

  /** Updates since the weights were the version that serves, or was made last. */
  get unversioned(): number {
    return unversionedIn(this.#saved, this.context.settings.gate.every);
  }

  get prequential(): PrequentialMetrics {
    return this.#monitor.metrics;
  }

  /** A copy of everything that a snapshot records. The caller disposes its handles. */
  tensors(): Promise<NativeLearnerState> {
    return this.#learner.tensors();
  }

  knows(id: string): boolean {
    return this.#ids.has(id);
  }

  /**
   * The first replayed verdict whose weights have other bits here than where it was written, since arithmetic differs between
   * processors and builds. Undefined: there was none.
   */
  get divergedAt(): number | undefined {
    return this.#divergedAt;
  }

  /** Whether the next record is a verdict on a candidate. */
  get isCandidateDue(): boolean {
    return this.#saved.untilCandidate <= 0;
  }

  /** Applies the next record of the journal, number `sequence`. Resolves with the outcome of a batch. */
  async apply(record: LearnerRecord, sequence: number): Promise<Outcome | undefined> {
    return (await this.prepare(record, sequence))();
  }

  /**
   * Does everything of a record that can fail. The function that it resolves with completes the record and cannot fail. A rollback
   * that rejects has changed nothing.
   */
  async prepare(record: LearnerRecord, sequence: number): Promise<() => Outcome | undefined> {
    switch (record.kind) {
      case 'batch':
        return this.#learn(record).then((outcome) => () => outcome);
      case 'quarantine':
        return () => this.#quarantine(record);
      case 'account':
        return () => {
          this.#saved.duplicates += record.duplicates;
          this.#saved.dropped += record.dropped;
          return undefined;
        };
      case 'verdict':
        return this.#decide(record, sequence);
      case 'rollback':
        return this.#rollBack(record.version);
    }
  }

  async #learn(record: BatchRecord): Promise<Outcome> {
    const { rules, ids, fresh } = record;
    const { replay, score } = this.context.settings;
    const scoring = score === 'live' ? undefined : this.serving.durable;
    const update = await this.#learner.update(record, scoring, nextUpdate(this.#saved, replay.perUpdate));
    const outcome = outcomeOf(update, record);
    const { refused, learned } = outcome;
    const free = new Set(refused.filter(({ isFree }) => isFree).map(({ index }) => index));
    this.#remember(ids.filter((_, i) => !free.has(i)));
    if (learned > 0) this.#changed(this.unversioned + 1);
    countUpdate(this.#saved, update, learned, rules);
    if (!fresh) {
      this.#saved.rehearsed += learned;
      return outcome;
    }
    this.#saved.quarantined += refused.length;
    this.#saved.learned += learned;
    if (learned === 0) return outcome;
    for (const [i, score] of scoresIn(update, record, outcome, this.context)) {
      outcome.scores[i] = score;
      if (this.#monitor.add(score)) outcome.drift = true;
    }
    if (outcome.drift) await this.#answerDrift();
    return outcome;
  }

  /** The weights, or their name, have changed: they are the version that serves and so many updates. */
  #changed(unversioned: number): void {
    this.#saved.unversioned = unversioned;
    this.serving.changed();
  }

  #remember(ids: readonly (string | null)[]): void {
    for (const id of ids) if (id !== null) this.#ids.add(id);
  }

  #quarantine({ ids, isFree }: QuarantineRecord): undefined {
    if (!isFree) this.#remember(ids);
    this.#saved.quarantined += ids.length;
  }

  async #answerDrift(): Promise<void> {
    this.#saved.drifts++;
    const { onDrift } = this.context.settings.drift!;
    beginAnswer(this.#saved, onDrift);
    if (onDrift === 'resetReplay') await this.#learner.clearReplay();
    if (onDrift !== 'rollback') return;
    await this.#learner.replaceWeights(this.serving.durable);
    this.#changed(0);
  }

  /** Measures the version that serves on the current held-out samples. */
  async measureServed(): Promise<void> {
    this.#saved.best = this.context.gate ? await this.evaluate(this.serving.durable) : null;
    Object.assign(this.info(this.#saved.serving), this.#saved.best ?? { accuracy: null, perClass: [] });
  }

  /** Judges the current weights as a candidate for a version. */
  async judge(created: number): Promise<VerdictRecord> {
    this.#judged?.dispose();
    const judged = await this.weights();
    this.#judged = judged;
    return verdictOn(judged, this.#saved.best, this.context, created);
  }

  evaluate(state: State): Promise<HeldOutScore> {
    return evaluationOn(state, this.context);
  }

  /** A copy of the current weights, as a version has them. */
  async weights(): Promise<State> {
    return named(await this.#learner.weights(), this.context.classNames);
  }

  async #decide(verdict: VerdictRecord, sequence: number): Promise<() => undefined> {
    const { settings, files } = this.context;
    const { accepted } = verdict;
    const judged = this.#judged;
    this.#judged = undefined;
    const { state, sha256 } = judged
      ? { state: judged, sha256: verdict.sha256 }
      : await this.#replayCandidate(verdict, sequence);
    if (!accepted) {
      state.dispose();
      if (settings.gate.onRefused === 'rollback') await this.#learner.replaceWeights(this.serving.durable);
      return () => {
        if (settings.gate.onRefused === 'rollback') this.#changed(0);
        this.#saved.untilCandidate = settings.gate.every;
        this.#saved.refused++;
        return undefined;
      };
    }
    const info = nextVersion(this.#saved, verdict, sha256, sequence);
    await files.save(state, info, { settings }).catch((cause) => {
      state.dispose();
      throw cause;
    });
    return () => {
      this.#saved.untilCandidate = settings.gate.every;
      if (info.accuracy !== null) this.#saved.best = better(baselineOf(info)!, this.#saved.best);
      this.#saved.versions.push(info);
      this.#serve(state, info.version);
      this.#saved.versions = newestOf(this.#saved.versions, settings.keepVersions, info.version);
      return undefined;
    };
  }

  /** The candidate of a verdict that is replayed. */
  async #replayCandidate(
    { sha256: recorded }: VerdictRecord,
    sequence: number,
  ): Promise<{ state: State; sha256: string }> {
    const state = await this.weights();
    const sha256 = await digestOf(stateHandle(state));
    if (sha256 !== recorded) this.#divergedAt ??= sequence;
    return { state, sha256 };
  }

  async #rollBack(version: number): Promise<() => undefined> {
    const info = this.info(version);
    const state = await this.context.files.load(info);
    try {
      await this.#learner.replaceWeights(state);
    } catch (cause) {
      state.dispose();
      throw cause;
    }
    return () => {
      this.#saved.best = baselineOf(info);
      this.#saved.untilCandidate = this.context.settings.gate.every;
      this.#serve(state, version);
      return undefined;
    };
  }

  #serve(state: State, version: number): void {
    this.serving.replace(state, versionOf(this.#saved, version));
    this.#saved.serving = version;
    this.#changed(0);
  }

  /** Throws ERR_INVALID_OPTION if the version is not kept. */
  info(version: number): VersionInfo {
    return findVersion(this.#saved.versions, version);
  }

  /** Plain values, for a snapshot. */
  toJSON(): LearnerState {
    return { ...structuredClone(this.#saved), ...this.#monitor.toJSON() };
  }

  get ids(): IdBytes {
    return this.#ids.bytes;
  }

  get counts(): Readonly<LearnerState> {
    return this.#saved;
  }

  dispose(): void {
    this.#learner.dispose();
    this.#judged?.dispose();
    this.serving.dispose();
  }
}
