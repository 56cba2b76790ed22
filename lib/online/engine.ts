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
import { LearnError, messageOf } from '../core/errors';
import type { Values } from '../core/sample-values';
import type { PrequentialMetrics } from '../metrics/prequential';
import { native } from '../native/native';
import { type SaveOptions, saveState } from '../state/save';
import { stateHandle } from '../state/state';
import { type Prediction, predictOf } from '../training/predict';
import type { LearnerContext } from './context';
import type { Sync } from './options';
import type { Outcome } from './outcome';
import type { StateMachine } from './state-machine';
import type { Journal } from './storage/journal-writer';
import type { LearnerState } from './storage/learner-state';
import type { FolderLock } from './storage/lock';
import { prune } from './storage/prune';
import { type Quarantine, type QuarantinedSample, quarantinedIn } from './storage/quarantine';
import { type BatchRecord, encode, type LearnerRecord } from './storage/records';
import { writeSnapshot } from './storage/snapshot';
import { digestOf, sha256, type VersionFiles } from './versions/files';
import type { VersionInfo } from './versions/version';

/** A learner's folder, locked by this process. */
export interface LearnerFolder {
  path: string;
  lock: FolderLock;
  files: VersionFiles;
  sync: Sync;
  /** Of journal and snapshots. */
  maxBytes: number;
}

/** The open files of a learner, and the name by which its snapshots know it. */
interface Outputs {
  journal: Journal;
  quarantine: Quarantine;
  learner: string;
}

export class Engine {
  readonly #machine: StateMachine;
  readonly #folder: LearnerFolder;
  readonly #outputs: Outputs;
  /** The operation that was requested last; the next one starts when it has ended. */
  #last: Promise<unknown> = Promise.resolve();
  #failure: { cause: unknown } | undefined;
  #writing: Promise<void> | undefined;
  #isClosed = false;

  constructor(machine: StateMachine, folder: LearnerFolder, outputs: Outputs) {
    this.#machine = machine;
    this.#folder = folder;
    this.#outputs = outputs;
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
    return this.#failure;
  }

  get folder(): Pick<LearnerFolder, 'path' | 'lock'> {
    return this.#folder;
  }

  /** Whether a sample of this id was learned. */
  knows(id: string): boolean {
    return this.#machine.knows(id);
  }

  /**
   * Predicts with the version that serves, and names it. `inputs`: an array for each input of a sample, which must stay as they are
   * until then.
   */
  predict(inputs: readonly Values[], threads = 1): Promise<Prediction & { version: number }> {
    const { served, context } = this.#machine;
    const { model, loss, sample, scoring: transforms, order, allowOperators } = context;
    const output = loss.outputs[0]!.index;
    const plan = { model, form: sample.inputs, transforms, order, output, allowOperators };
    const options = { ...plan, threads, device: 'cpu' } as const;
    return served.read(async (state) => ({ ...(await predictOf(state, inputs, options)), version: served.version }));
  }

  /** Saves the version that serves. */
  async save(file: string, options: SaveOptions): Promise<void> {
    await this.#machine.served.read((state) => saveState(state, file, options));
  }

  /** Runs `work` after all operations before it. If it fails, memory may be ahead of the journal: nothing runs after it. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(() => this.#guard(work));
  }

  /** Rejects, and does nothing else, if the version is not kept or cannot be loaded. */
  rollBack(choose: () => number): Promise<VersionInfo> {
    return this.#inTurn(async () => {
      const record = { kind: 'rollback', version: choose() } as const;
      const info = structuredClone(this.#machine.info(record.version));
      const complete = await this.#machine.prepare(record, this.#outputs.journal.next);
      await this.#guard(() => this.#append(record, complete));
      return info;
    });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new LearnError('ERR_DISPOSED', 'This learner was closed; open it again'));
    const result = this.#last.then(() => {
      if (this.#failure) throw this.#failure.cause;
      return work();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async #guard<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      this.#failure ??= { cause };
      throw cause;
    }
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
    await this.#afterRecord();
    return outcome;
  }

  async #append(record: LearnerRecord, complete: () => Outcome | undefined): Promise<Outcome | undefined> {
    await this.#write(record);
    const outcome = complete();
    await this.#afterRecord();
    return outcome;
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
    // Bounds what recovery reads, and leaves room for some snapshots.
    if (this.#outputs.journal.bytes > this.#folder.maxBytes / 4) await this.snapshot();
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
      for (const handle of [tensors.model, tensors.rest, tensors.replay]) native().disposeState(handle);
      throw cause;
    }
    this.#writing = writeSnapshot(folder, context, snapshot, tensors)
      .then(written)
      .then(async () => {
        await lock.check();
        await prune(folder, files, [...core.versions, ...this.counts.versions], maxBytes).catch(warnOfFiles);
      });
    this.#writing.catch((cause) => {
      this.#failure ??= { cause };
    });
  }

  /** Takes a snapshot and waits until it is written. */
  async writeSnapshot(written?: () => Promise<void>): Promise<void> {
    await this.snapshot(written);
    await this.#writing;
  }

  /** SHA-256 of everything that a learner resumes from. Learners that were fed alike have equal ones. */
  fingerprint(): Promise<string> {
    return this.#inTurn(async () => {
      const machine = this.#machine;
      const { model, rest, replay } = await machine.tensors();
      const handles = [model, rest, replay];
      try {
        const state = machine.toJSON();
        // The time of a version is no part of it.
        const timeless = { ...state, versions: state.versions.map(({ created, ...version }) => version) };
        const { previous, current } = machine.ids;
        const digests = await Promise.all([...handles, stateHandle(machine.served.state)].map(digestOf));
        return await sha256([Buffer.from(JSON.stringify([timeless, digests])), previous, current]);
      } finally {
        for (const handle of handles) native().disposeState(handle);
      }
    });
  }

  /** Takes a last snapshot, so that opening again takes no time. Rejects with the failure of a learner that had failed. */
  async close(): Promise<void> {
    const last = this.#inTurn(() => this.#guard(() => this.snapshot()));
    this.#isClosed = true;
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

/** A superfluous file does no harm, and the next snapshot tries again. */
function warnOfFiles(cause: unknown): void {
  process.emitWarning(`Files that a learner no longer needs could not be removed: ${messageOf(cause)}`, {
    type: 'LearnWarning',
    code: 'WARN_NOT_REMOVED',
  });
}
