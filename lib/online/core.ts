// A learner's state, and how each record of the journal changes it. Equal records on equal states give equal states, bit for
// bit: what a run came to is found again by going through its journal.
import { modulesOf } from '../create-state';
import { fromNative, LearnError } from '../errors';
import { runJob } from '../job';
import { type LearnerHandle, native } from '../native';
import { invalid } from '../options';
import type { LearnerPlan } from '../plans';
import { makeState, type State, stateHandle } from '../state';
import { startDetector } from './detectors';
import type { RunningDetector } from './detectors/detector';
import { type Baseline, better, type Evaluation, objection } from './gate';
import { type IdBytes, IdWindow } from './ids';
import { Prequential, type Score, scoresOf } from './prequential';
import type { BatchRecord, LearnerRecord, QuarantineRecord, VerdictRecord } from './records';
import { Served } from './served';
import type { Outcome, SavedCore, Setting } from './setting';
import { digestOf, type VersionInfo } from './versions';

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
      ...{ program, scoring, shape, classes, niceness, state: stateHandle(state), dtype: settings.inputs },
      names: model.tensors.map(({ name }) => name),
      ...(start && { start }),
    };
    const learner = await fromNative(() => native().makeLearner(plan));
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

  /** Whether a candidate for a version is to be judged next. */
  get isCandidateDue(): boolean {
    return this.#saved.untilCandidate <= 0;
  }

  /** The next record of the journal, number `sequence`. Resolves with what a batch came to. */
  async apply(record: LearnerRecord, sequence: number): Promise<Outcome | undefined> {
    switch (record.kind) {
      case 'batch':
        return this.#learn(record);
      case 'quarantine':
        return this.#quarantine(record);
      case 'account':
        this.#saved.duplicates += record.duplicates;
        this.#saved.dropped += record.dropped;
        return undefined;
      case 'verdict':
        return this.#decide(record, sequence);
      case 'rollback':
        return this.#rollBack(record.version);
    }
  }

  async #learn({ ids, inputs, labels, scores, fresh }: BatchRecord): Promise<Outcome> {
    const { perUpdate } = this.setting.settings.replay;
    const replayed = this.#saved.boosted > 0 ? perUpdate * boost.factor : perUpdate;
    const plan = { inputs, labels, served: stateHandle(this.#served.state), replayed, keep: fresh };
    const { logits, ...update } = await runJob(() => native().learnerUpdate(this.#learner, plan), {});
    this.#remember(ids);
    this.#saved.updates++;
    this.#saved.untilCandidate--;
    this.#saved.boosted = Math.max(0, this.#saved.boosted - 1);
    const outcome = { ...update, scores: [] as Score[], drift: false };
    if (!fresh) {
      this.#saved.rehearsed += update.refused ? 0 : labels.length;
      return outcome;
    }
    if (update.refused) {
      this.#saved.quarantined += labels.length;
      return outcome;
    }
    this.#saved.learned += labels.length;
    outcome.scores = scoresOf(logits, labels).map((scored, i) => scores[i] ?? scored);
    for (const score of outcome.scores) {
      this.#prequential.add(score);
      const error = Number(score.predicted !== score.label);
      if (this.#detector?.update(error) === 'drift') outcome.drift = true;
    }
    if (outcome.drift) await this.#answerDrift();
    return outcome;
  }

  #remember(ids: readonly (string | null)[]): void {
    for (const id of ids) if (id !== null) this.#ids.add(id);
  }

  #quarantine({ ids }: QuarantineRecord): undefined {
    this.#remember(ids);
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

  /** How the weights of now do as a version. */
  async judge(created: number): Promise<VerdictRecord> {
    const { gate, settings } = this.setting;
    const candidate = await this.#candidate();
    this.#judged = candidate;
    const sha256 = await digestOf(stateHandle(candidate));
    const verdict = { kind: 'verdict' as const, accuracy: null, perClass: [], sha256, created };
    const stats = await fromNative(() => native().stateStats(stateHandle(candidate)));
    if (stats.some(({ nan, infinite }) => nan + infinite > 0)) {
      return { ...verdict, accepted: false, reason: 'a weight is not finite' };
    }
    if (!gate) return { ...verdict, accepted: true, reason: '' };
    const evaluation = await this.evaluate(candidate);
    const reason = objection(evaluation, this.#saved.best, settings.gate);
    return { ...verdict, ...evaluation, accepted: reason === '', reason };
  }

  /** On the held-out samples, which there must be. */
  evaluate(state: State): Promise<Evaluation> {
    const { program, settings, scoring, gate } = this.setting;
    const { batchSize, threads } = settings;
    return gate!.evaluate({ program, transforms: scoring, batchSize, threads, device: 'cpu' }, stateHandle(state));
  }

  async #candidate(): Promise<State> {
    const handle = await runJob(() => native().learnerWeights(this.#learner), {});
    return makeState(handle, modulesOf(this.setting.model));
  }

  async #decide(verdict: VerdictRecord, sequence: number): Promise<undefined> {
    const { settings, files } = this.setting;
    const { accepted, accuracy, perClass, sha256, created } = verdict;
    const state = this.#judged ?? (await this.#candidate());
    if (!this.#judged && (await digestOf(stateHandle(state))) !== sha256) throw otherBits(sequence);
    this.#judged = undefined;
    this.#saved.untilCandidate = settings.gate.every;
    if (!accepted) {
      state.dispose();
      this.#saved.refused++;
      if (settings.gate.onRefused === 'rollback') await this.#replaceWeights(this.#served.state);
      return;
    }
    const last = this.#saved.versions.at(-1)!;
    const info: VersionInfo = {
      ...{ version: last.version + 1, parent: this.#saved.serving, updates: this.#saved.updates },
      records: { from: (last.records?.to ?? 0) + 1, to: sequence },
      ...{ accuracy, perClass, sha256, created },
    };
    if (accuracy !== null) this.#saved.best = better(evaluationOf(info)!, this.#saved.best);
    await files.save(state, info, { settings });
    this.#saved.versions.push(info);
    this.#serve(state, info.version);
    this.#forgetOld();
  }

  async #rollBack(version: number): Promise<undefined> {
    const info = this.info(version);
    const state = await this.setting.files.load(info);
    await this.#replaceWeights(state);
    this.#saved.best = evaluationOf(info);
    this.#saved.untilCandidate = this.setting.settings.gate.every;
    this.#serve(state, version);
  }

  /** Predictions that began go on with the version before. */
  #serve(state: State, version: number): void {
    this.#served.retire();
    this.#served = new Served(state, version);
    this.#saved.serving = version;
  }

  #forgetOld(): void {
    const { versions, serving } = this.#saved;
    const surplus = versions.length - this.setting.settings.keepVersions;
    if (surplus <= 0) return;
    const old = versions.filter(({ version }) => version !== serving).slice(0, surplus);
    // Their files go when there is a snapshot that does not need them.
    this.#saved.versions = versions.filter((info) => !old.includes(info));
  }

  /** Throws ERR_INVALID_OPTION where the version is not kept. */
  info(version: number): VersionInfo {
    const info = this.#saved.versions.find((kept) => kept.version === version);
    if (info) return info;
    const kept = this.#saved.versions.map((one) => one.version).join(', ');
    throw invalid(`one of the versions ${kept}`, 'version', version);
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

function evaluationOf({ accuracy, perClass }: VersionInfo): Baseline {
  return accuracy === null ? null : { accuracy, perClass: perClass.map((share) => share ?? Number.NaN) };
}

function otherBits(sequence: number): LearnError {
  return new LearnError(
    'ERR_JOURNAL',
    `Going through the journal led to other weights than those of record ${sequence}: it was written on another kind of ` +
      'processor, or with another libtorch. Open and close the learner there once: it then needs no journal',
  );
}
