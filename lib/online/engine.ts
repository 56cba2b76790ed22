// The engine of a learner: its state machine at work on its folder. One operation runs after the other, each changes the learner
// by records of its journal, and this file keeps the rules of that journal:
//
// 1. A record is appended only when it can be applied. Everything that can fail is done before the append: a rollback has loaded
//    its version and bound its weights, a verdict has saved its version. Otherwise a single request for a version whose file is
//    damaged keeps the learner from ever opening again.
// 2. A batch is computed while it is being appended, and acknowledged when both are done. If the computation fails, the record
//    is retracted before anything else is written. Otherwise a batch that does not fit into memory fails again at every open.
// 3. A caller's mistake, or a version that cannot be loaded, rejects that one call. Otherwise one caller ends the learner for all.
// 4. When memory may be ahead of the journal (a failed append, a failed computation), nothing more is done or acknowledged, and
//    close() rejects with the failure. Otherwise results are acknowledged that opening again does not lead to.
// 5. At open, the last record counts as torn if it cannot be applied and its failure follows from the record and the state
//    alone: by rules 1 and 2 it was never acknowledged. A shortage of memory, threads or descriptors is no such failure:
//    open() rejects and leaves the folder as it is. Otherwise a busy machine makes a learner forget.
// 6. Records are applied by the rules they were written under, and are not checked at the border again. Otherwise a stricter
//    check makes folders of earlier versions unreadable.
// 7. New settings are recorded only after a state machine has been made with them. Otherwise one mistaken option is fatal for
//    ever, with the old options too.
import { LearnError } from '../core/errors';
import type { Values } from '../core/sample-values';
import type { PrequentialMetrics } from '../metrics/prequential';
import { native } from '../native/native';
import { named } from '../state/class-names';
import { type SaveOptions, saveState } from '../state/save';
import { type State, sharedState, stateHandle } from '../state/state';
import { type Prediction, predictOf } from '../training/predict';
import { announce } from './announce';
import type { LearnerContext } from './context';
import { textOf } from './counts';
import type { Notify } from './events';
import { Operations } from './operations';
import type { Outcome } from './outcome';
import type { StateMachine } from './state-machine';
import type { Journal } from './storage/journal-writer';
import type { LearnerState } from './storage/learner-state';
import { prune, usualBytes, warnOfFiles } from './storage/prune';
import { type Quarantine, type QuarantinedSample, quarantinedIn } from './storage/quarantine';
import { type BatchRecord, encode, type LearnerRecord } from './storage/records';
import { handlesOf, writeSnapshot } from './storage/snapshot';
import { digestOf, sha256 } from './versions/files';
import type { ServedVersion } from './versions/served';
import type { VersionInfo } from './versions/version';
import type { LearnerFolder } from './wiring';

/** The open files of a learner, and the name by which its snapshots know it. */
interface Outputs {
  journal: Journal;
  quarantine: Quarantine;
  learner: string;
  /** Of the newest snapshot. */
  snapshotBytes: number;
}

export class Engine {
  readonly #machine: StateMachine;
  readonly #folder: LearnerFolder;
  readonly #outputs: Outputs;
  /** Called with the events of records. */
  notify: Notify = () => {};
  readonly #operations: Operations;
  #writing: Promise<void> | undefined;

  constructor(machine: StateMachine, folder: LearnerFolder, outputs: Outputs) {
    this.#machine = machine;
    this.#folder = folder;
    this.#outputs = outputs;
    this.#operations = new Operations(machine.serving);
  }

  get context(): LearnerContext {
    return this.#machine.context;
  }

  get counts(): Readonly<LearnerState> {
    return this.#machine.counts;
  }

  get prequential(): PrequentialMetrics {
    return this.#machine.prequential;
  }

  /** Of rule 4: a failure that this learner cannot recover from until it is opened again. */
  get failure(): { readonly cause: unknown } | undefined {
    return this.#operations.failure;
  }

  get folder(): Pick<LearnerFolder, 'path' | 'lock'> {
    return this.#folder;
  }

  /** Whether a sample of this id was learned. */
  knows(id: string): boolean {
    return this.#machine.knows(id);
  }

  /**
   * Predicts with the weights that serve, and names them. `inputs`: an array for each input of a sample, which must stay as they are
   * until then.
   */
  predict(inputs: readonly Values[]): Promise<Prediction & { version: ServedVersion }> {
    return this.#machine.serving.read(async (state, version) => ({
      ...(await this.#predictWith(state, inputs, 1)),
      version: { ...version },
    }));
  }

  /** Predicts with the newest version, also within an operation: to see whether the model takes the inputs. */
  tryOut(inputs: readonly Values[]): Promise<Prediction> {
    const { threads } = this.context.settings;
    return this.#machine.serving.readDurable((state) => this.#predictWith(state, inputs, threads));
  }

  #predictWith(state: State, inputs: readonly Values[], threads: number): Promise<Prediction> {
    const { predicting, sample, scoring: transforms, order, allowOperators } = this.context;
    const plan = { ...predicting, form: sample.inputs, transforms, order, allowOperators };
    return predictOf(state, inputs, { ...plan, threads, device: 'cpu' });
  }

  /** Saves the weights that serve. */
  async save(file: string, options: SaveOptions): Promise<void> {
    await this.#machine.serving.read(async (state) => {
      const whole = named(sharedState(state), this.context.classNames);
      await saveState(whole, file, options).finally(() => whole.dispose());
    });
  }

  /** Runs `work` after all operations before it. If it fails, memory may be ahead of the journal: nothing runs after it. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#operations.exclusively(work);
  }

  /** Rejects, and does nothing else, if the version is not kept or cannot be loaded. */
  rollBack(choose: () => number): Promise<VersionInfo> {
    return this.#operations.inTurn(async () => {
      const record = { kind: 'rollback', version: choose() } as const;
      const info = structuredClone(this.#machine.info(record.version));
      const complete = await this.#machine.prepare(record, this.#outputs.journal.next);
      await this.#operations.guard(() => this.#append(record, complete));
      return info;
    });
  }

  /** Makes the current weights a version, unless they are one. Rejects with ERR_REFUSED if the gate refuses them. */
  publish(): Promise<VersionInfo> {
    return this.#operations.inTurn(async () => {
      if (this.#machine.unversioned === 0) return structuredClone(this.#serving);
      const verdict = await this.#machine.judge(Date.now());
      await this.#operations.guard(() => this.commit(verdict));
      const { reason } = verdict;
      if (reason !== '') throw new LearnError('ERR_REFUSED', `The weights are no version, since ${reason}`);
      return structuredClone(this.#serving);
    });
  }

  get #serving(): VersionInfo {
    return this.#machine.info(this.counts.serving);
  }

  /** Writes the record to the journal and applies it. Only inside exclusively(). */
  async commit(record: LearnerRecord, samples: readonly QuarantinedSample[] = []): Promise<Outcome | undefined> {
    const { journal, quarantine } = this.#outputs;
    const sequence = journal.next;
    if (record.kind === 'quarantine') {
      await this.#folder.lock.check();
      await quarantine.add(sequence, samples);
    }
    if (record.kind !== 'batch') return this.#append(record, await this.#machine.prepare(record, sequence));
    const outcome = await this.#learn(record, sequence);
    if (record.fresh) await quarantine.add(sequence, quarantinedIn(record, outcome.refused, this.context.sample));
    this.#announce(record, outcome);
    await this.#afterRecord();
    return outcome;
  }

  async #append(record: LearnerRecord, complete: () => Outcome | undefined): Promise<Outcome | undefined> {
    await this.#write(record);
    const outcome = complete();
    this.#announce(record, outcome);
    await this.#afterRecord();
    return outcome;
  }

  #announce(record: LearnerRecord, outcome: Outcome | undefined): void {
    const { counts, context } = this;
    announce(this.notify, record, { outcome, counts, serving: this.#serving, settings: context.settings });
  }

  async #learn(record: BatchRecord, sequence: number): Promise<Outcome> {
    const { journal } = this.#outputs;
    const before = journal.mark;
    // First, so that the record is made and written while its thread computes.
    const computing = this.#machine.apply(record, sequence);
    const written = this.#write(record);
    const [computed] = await Promise.allSettled([computing, written]);
    if (computed.status === 'fulfilled') {
      await written;
      return computed.value!;
    }
    // If that fails too, the next open() finds that the record cannot be applied, and removes it.
    await journal.retract(before).catch(() => {});
    throw computed.reason;
  }

  async #write(record: LearnerRecord): Promise<void> {
    const { kind, parts } = encode(record);
    await this.#outputs.journal.append(kind, parts);
  }

  async #afterRecord(): Promise<void> {
    await this.judgeIfDue();
    const { maxBytes = usualBytes(this.#outputs.snapshotBytes) } = this.#folder;
    // Bounds what recovery reads, and leaves room for some snapshots.
    if (this.#outputs.journal.bytes > maxBytes / 4) await this.snapshot();
  }

  async judgeIfDue(): Promise<void> {
    if (this.#machine.isCandidateDue) await this.judge();
  }

  /** Makes the current weights a version, if the gate accepts them. */
  async judge(): Promise<void> {
    await this.commit(await this.#machine.judge(Date.now()));
  }

  /**
   * Takes a snapshot, which is written while learning continues, and starts a new file of the journal. `written` is called when the
   * snapshot is on the disk, before the files that it replaces are removed.
   */
  async snapshot(written = async () => {}): Promise<void> {
    await this.#writing;
    const { path: folder, lock, files, maxBytes } = this.#folder;
    const { journal, learner } = this.#outputs;
    const tensors = await this.#machine.tensors();
    const { context } = this;
    const core = this.#machine.toJSON();
    const snapshot = { ...journal.position, learner, settings: context.settings, core, ids: this.#machine.ids };
    try {
      await lock.check();
      await journal.rotate();
    } catch (cause) {
      for (const handle of handlesOf(tensors)) native().disposeState(handle);
      throw cause;
    }
    this.#writing = writeSnapshot(folder, context, snapshot, tensors).then(async (bytes) => {
      this.#outputs.snapshotBytes = bytes;
      await written();
      await lock.check();
      await prune(folder, files, [...core.versions, ...this.counts.versions], maxBytes).catch(warnOfFiles);
    });
    this.#writing.catch((cause) => this.#operations.fail(cause));
  }

  /** Takes a snapshot and waits until it is written. */
  async writeSnapshot(written?: () => Promise<void>): Promise<void> {
    await this.snapshot(written);
    await this.#writing;
  }

  /** SHA-256 of everything that a learner resumes from. Learners that were fed alike have equal ones. */
  fingerprint(): Promise<string> {
    return this.#operations.inTurn(async () => {
      const machine = this.#machine;
      const handles = handlesOf(await machine.tensors());
      try {
        const text = Buffer.from(textOf(machine.toJSON()));
        const { previous, current } = machine.ids;
        const digests = await Promise.all([...handles, stateHandle(machine.serving.durable)].map(digestOf));
        return await sha256([text, Buffer.from(JSON.stringify(digests)), previous, current]);
      } finally {
        for (const handle of handles) native().disposeState(handle);
      }
    });
  }

  /** Takes a last snapshot, so that opening again takes no time. Rejects with the failure of a learner that had failed. */
  async close(): Promise<void> {
    const last = this.exclusively(() => this.snapshot());
    this.#operations.close();
    try {
      await last;
    } finally {
      await this.release().finally(() => this.#folder.lock.release());
    }
  }

  /** Frees everything but the lock. */
  async release(): Promise<void> {
    try {
      await this.#writing;
    } finally {
      await this.#outputs.journal.close().finally(() => {
        this.#machine.dispose();
        this.context.gate?.dispose();
      });
    }
  }
}
