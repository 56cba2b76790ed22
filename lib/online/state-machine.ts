// A learner's state, and how each record of the journal changes it. Equal records on equal states give equal states, bit for bit.

import { fromNative } from '../core/errors';
import { startDetector } from '../detectors';
import type { RunningDetector } from '../detectors/detector';
import { Prequential, type Score, scoresOfLearned } from '../metrics/prequential';
import type { LearnerHandle } from '../native/handles';
import { runJob } from '../native/job';
import { type NativeUpdate, native } from '../native/native';
import type { LearnerPlan } from '../native/plans';
import { modulesOf } from '../state/create';
import { makeState, type State, stateHandle } from '../state/state';
import { stepPlan } from '../training/optimizer-state';
import type { Outcome, Setting } from './context';
import { refusedIn } from './reasons';
import { type IdBytes, IdWindow } from './seen-ids';
import type { SavedCore } from './storage/learner-state';
import type { BatchRecord, LearnerRecord, QuarantineRecord, VerdictRecord } from './storage/records';
import { evaluationOn, verdictOn } from './verdict';
import { digestOf } from './versions/files';
import { Served } from './versions/serving';
import {
  baselineOf,
  better,
  type Evaluation,
  findVersion,
  newestOf,
  nextVersion,
  type VersionInfo,
} from './versions/version';

/** Updates that learn more samples again after a drift, and how many times as many. */
const boost = { updates: 100, factor: 2 };

export class Core {
  readonly setting: Setting;
  readonly #learner: LearnerHandle;
  readonly #saved: SavedCore;
  readonly #prequential: Prequential;
  readonly #detector: RunningDetector | undefined;
  readonly #ids: IdWindow;
  #served: Served;
  /** What the verdict to come is about; undefined while a journal is gone through. */
  #judged: State | undefined;
  #divergedAt: number | undefined;

  private constructor(setting: Setting, learner: LearnerHandle, saved: SavedCore, ids: IdWindow, served: State) {
    const { settings } = setting;
    this.setting = setting;
    this.#learner = learner;
    this.#saved = saved;
    this.#served = new Served(served, saved.serving);
    this.#prequential = saved.prequential
      ? Prequential.from(saved.prequential as ReturnType<Prequential['toJSON']>)
      : new Prequential(setting.classes);
    this.#detector = settings.drift ? startDetector(settings.drift.detector, saved.detector ?? undefined) : undefined;
    this.#ids = ids;
  }

  /** `state`: what is learned from; `served`: what serves, which this takes over. */
  static async start(
    setting: Setting,
    state: State,
    start: LearnerPlan['start'],
    saved: SavedCore,
    ids: IdBytes,
    served: State,
  ): Promise<Core> {
    const { model, program, settings, scoring, shape, classes, niceness } = setting;
    const plan: LearnerPlan = {
      ...settings,
      ...stepPlan(settings),
      ...{ program, scoring, shape, classes, niceness, state: stateHandle(state), dtype: settings.inputs },
      names: model.tensors.map(({ name }) => name),
      ...(start && { start }),
    };
    const learner = await fromNative(() => native().makeLearner(plan)).catch((cause) => {
      served.dispose();
      throw cause;
    });
    return new Core(setting, learner, saved, IdWindow.from(settings.rememberIds, ids), served);
  }

  get served(): Served {
    return this.#served;
  }

  get prequential(): Prequential {
    return this.#prequential;
  }

  get handle(): LearnerHandle {
    return this.#learner;
  }

  knows(id: string): boolean {
    return this.#ids.has(id);
  }

  /**
   * Number of the first verdict in the journal whose weights have other bits here than where it was written: arithmetic differs
   * between processors and builds. Undefined: all had the same.
   */
  get divergedAt(): number | undefined {
    return this.#divergedAt;
  }

  /** Whether a candidate for a version is to be judged next. */
  get isCandidateDue(): boolean {
    return this.#saved.untilCandidate <= 0;
  }

  /** Applies the next record of the journal, number `sequence`. Resolves with the result of a batch. */
  async apply(record: LearnerRecord, sequence: number): Promise<Outcome | undefined> {
    return (await this.prepare(record, sequence))();
  }

  /**
   * Does everything of a record that can fail. The function it resolves with completes the record and cannot fail. Where a
   * rollback rejects, the core is as it was before.
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

  async #learn({ rules, ids, inputs, labels, scores, fresh }: BatchRecord): Promise<Outcome> {
    const { perUpdate } = this.setting.settings.replay;
    const replayed = this.#saved.boosted > 0 ? perUpdate * boost.factor : perUpdate;
    const plan = { rules, inputs, labels, served: stateHandle(this.#served.state), replayed, keep: fresh };
    const update = await runJob(() => native().learnerUpdate(this.#learner, plan), {});
    const refused = refusedIn(update, labels.length, rules);
    const isRefused = new Set(refused.map(({ index }) => index));
    const learned = labels.length - refused.length;
    const isFree = new Set(refused.flatMap((one) => (one.isFree ? [one.index] : [])));
    this.#remember(ids.filter((_, i) => !isFree.has(i)));
    this.#countUpdate(update, learned, rules);
    const { loss, gradientNorm } = learned > 0 ? update : { loss: Number.NaN, gradientNorm: Number.NaN };
    const outcome = { loss, gradientNorm, learned, refused, scores: ids.map((): Score | null => null), drift: false };
    if (!fresh) {
      this.#saved.rehearsed += learned;
      return outcome;
    }
    this.#saved.quarantined += refused.length;
    this.#saved.learned += learned;
    if (learned === 0) return outcome;
    for (const [i, score] of scoresOfLearned(update.logits, labels, scores, isRefused)) {
      outcome.scores[i] = score;
      this.#prequential.add(score);
      const error = Number(score.predicted !== score.label);
      if (this.#detector?.update(error) === 'drift') outcome.drift = true;
    }
    if (outcome.drift) await this.#answerDrift();
    return outcome;
  }

  /** By rules 2, an update counts where something was learned; one that came to nothing brings the next candidate closer only. */
  #countUpdate({ refused, needsCompany }: NativeUpdate, learned: number, rules: number): void {
    const isTried = learned > 0 || (refused !== '' && !needsCompany);
    if (learned > 0 || rules === 1) this.#saved.updates++;
    if (!isTried) return;
    this.#saved.untilCandidate--;
    this.#saved.boosted = Math.max(0, this.#saved.boosted - 1);
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
    const { onDrift } = this.setting.settings.drift!;
    if (onDrift === 'boostReplay') this.#saved.boosted = boost.updates;
    if (onDrift === 'rollback') await this.#replaceWeights(this.#served.state);
  }

  /** Measures what serves by the held-out samples there are now. */
  async measureServed(): Promise<void> {
    this.#saved.best = this.setting.gate ? await this.evaluate(this.#served.state) : null;
    Object.assign(this.info(this.#saved.serving), this.#saved.best ?? { accuracy: null, perClass: [] });
  }

  /** Judges the current weights as a version. */
  async judge(created: number): Promise<VerdictRecord> {
    this.#judged = await this.weights();
    return verdictOn(this.#judged, this.#saved.best, this.setting, created);
  }

  /** On the held-out samples, which there must be. */
  evaluate(state: State): Promise<Evaluation> {
    return evaluationOn(state, this.setting);
  }

  /** A copy of the weights that are being learned. */
  async weights(): Promise<State> {
    const handle = await runJob(() => native().learnerWeights(this.#learner), {});
    return makeState(handle, modulesOf(this.setting.model));
  }

  async #decide(verdict: VerdictRecord, sequence: number): Promise<() => undefined> {
    const { settings, files } = this.setting;
    const { accepted } = verdict;
    const judged = this.#judged;
    this.#judged = undefined;
    const { state, sha256 } = judged ? { state: judged, sha256: verdict.sha256 } : await this.#again(verdict, sequence);
    if (!accepted) {
      state.dispose();
      if (settings.gate.onRefused === 'rollback') await this.#replaceWeights(this.#served.state);
      return () => {
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

  /** The candidate of a verdict that was recorded before. */
  async #again({ sha256: recorded }: VerdictRecord, sequence: number): Promise<{ state: State; sha256: string }> {
    const state = await this.weights();
    const sha256 = await digestOf(stateHandle(state));
    if (sha256 !== recorded) this.#divergedAt ??= sequence;
    return { state, sha256 };
  }

  async #rollBack(version: number): Promise<() => undefined> {
    const info = this.info(version);
    const state = await this.setting.files.load(info);
    try {
      await this.#replaceWeights(state);
    } catch (cause) {
      state.dispose();
      throw cause;
    }
    return () => {
      this.#saved.best = baselineOf(info);
      this.#saved.untilCandidate = this.setting.settings.gate.every;
      this.#serve(state, version);
      return undefined;
    };
  }

  /** Predictions that began go on with the version before. */
  #serve(state: State, version: number): void {
    this.#served.retire();
    this.#served = new Served(state, version);
    this.#saved.serving = version;
  }

  /** Throws ERR_INVALID_OPTION where the version is not kept. */
  info(version: number): VersionInfo {
    return findVersion(this.#saved.versions, version);
  }

  async #replaceWeights(state: State): Promise<void> {
    await runJob(() => native().learnerReplaceWeights(this.#learner, stateHandle(state)), {});
  }

  /** Plain values. */
  toJSON(): SavedCore {
    return {
      ...structuredClone(this.#saved),
      prequential: this.#prequential.toJSON(),
      detector: this.#detector?.toJSON() ?? null,
    };
  }

  get ids(): IdBytes {
    return this.#ids.bytes;
  }

  get counts(): Readonly<SavedCore> {
    return this.#saved;
  }

  dispose(): void {
    native().disposeLearner(this.#learner);
    this.#judged?.dispose();
    this.#served.retire();
  }
}
