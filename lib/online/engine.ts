// A learner at work on its folder. One operation runs after the other, each changes the learner by records of its journal, and
// this file holds the law of that journal:
//
// 1. A record is appended only when it can be applied. Everything that can fail is done before the append: a rollback has loaded
//    its version and bound its weights, a verdict has saved its version. Otherwise a version whose file is damaged, asked for
//    once, keeps the learner from being opened for ever.
// 2. A batch is computed while it is being appended, and acknowledged when both are done. If the computation fails, the record
//    is taken back before anything else is written. Otherwise a batch that does not fit into memory fails again at every open.
// 3. A caller's mistake, or a version that cannot be loaded, rejects that one call. Otherwise one caller ends the learner for all.
// 4. When memory may be ahead of the journal (a failed append, a failed computation), nothing more is done or acknowledged, and
//    close() rejects with the failure. Otherwise results are acknowledged that opening again does not lead to.
// 5. At open, the last record counts as torn if it cannot be applied and its failure follows from the record and the state
//    alone: by rules 1 and 2 it was never acknowledged. A shortage of memory, threads or descriptors is no such failure:
//    open() rejects and leaves the folder as it is. Otherwise a busy machine makes a learner forget.
// 6. Records are applied by the rules they were written under, and are not checked at the border again. Otherwise a stricter
//    check makes folders of earlier versions unreadable.
// 7. New settings are recorded only after a core has been made with them. Otherwise one mistaken option is fatal for ever, with
//    the old options too.
import { LearnError, messageOf } from '../core/errors';
import { runJob } from '../native/job';
import { native } from '../native/native';
import { stateHandle } from '../state/state';
import type { Outcome } from './context';
import type { Core } from './state-machine';
import type { Journal, Place } from './storage/journal-writer';
import type { FolderLock } from './storage/lock';
import { prune } from './storage/prune';
import { type Quarantine, type QuarantinedSample, quarantinedIn } from './storage/quarantine';
import { type BatchRecord, encode, type LearnerRecord } from './storage/records';
import { writeSnapshot } from './storage/snapshot';
import { digestOf, sha256, type VersionFiles } from './versions/files';
import type { VersionInfo } from './versions/version';

export interface Parts {
  folder: string;
  core: Core;
  journal: Journal;
  quarantine: Quarantine;
  lock: FolderLock;
  files: VersionFiles;
  maxBytes: number;
  /** Names the learner in its snapshots. */
  learner: string;
}

export class Engine {
  readonly core: Core;
  readonly #parts: Parts;
  /** What was asked for last; nothing begins before it ended. */
  #last: Promise<unknown> = Promise.resolve();
  #failure: { cause: unknown } | undefined;
  #writing: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.core = parts.core;
  }

  /** Of rule 4: what this learner cannot recover from until it is opened again. */
  get failure(): { readonly cause: unknown } | undefined {
    return this.#failure;
  }

  /** The folder of this learner. */
  get place(): Place {
    return this.#parts.lock;
  }

  /** Runs `work` when all before it is done. If it fails, memory may be ahead of the journal: nothing runs after it. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(() => this.#guard(work));
  }

  /** Rejects, and does nothing else, where the version is not kept or cannot be loaded. */
  rollBack(choose: () => number): Promise<VersionInfo> {
    return this.#inTurn(async () => {
      const record = { kind: 'rollback', version: choose() } as const;
      const info = structuredClone(this.core.info(record.version));
      const complete = await this.core.prepare(record, this.#parts.journal.next);
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

  /** Puts the record on the disk and into effect. */
  async commit(record: LearnerRecord, samples: readonly QuarantinedSample[] = []): Promise<Outcome | undefined> {
    const { journal, quarantine, lock } = this.#parts;
    const sequence = journal.next;
    if (record.kind === 'quarantine') {
      await lock.check();
      await quarantine.add(sequence, samples);
    }
    if (record.kind !== 'batch') return this.#append(record, await this.core.prepare(record, sequence));
    const outcome = await this.#learn(record, sequence);
    if (record.fresh) await quarantine.add(sequence, quarantinedIn(record, outcome.refused));
    await this.#afterRecord();
    return outcome;
  }

  async #append(record: LearnerRecord, complete: () => Outcome | undefined): Promise<Outcome | undefined> {
    const { kind, parts } = encode(record);
    await this.#parts.journal.append(kind, parts);
    const outcome = complete();
    await this.#afterRecord();
    return outcome;
  }

  async #learn(record: BatchRecord, sequence: number): Promise<Outcome> {
    const { journal } = this.#parts;
    const { kind, parts } = encode(record);
    const before = journal.mark;
    const written = journal.append(kind, parts);
    const [computed] = await Promise.allSettled([this.core.apply(record, sequence), written]);
    if (computed.status === 'fulfilled') {
      await written;
      return computed.value!;
    }
    // Where that fails too, the next open() finds that the record cannot be applied, and cuts it off.
    await journal.retract(before).catch(() => {});
    throw computed.reason;
  }

  async #afterRecord(): Promise<void> {
    const { journal, maxBytes } = this.#parts;
    await this.judgeIfDue();
    // Recovering reads at most so much, and there is room for some snapshots beside.
    if (journal.bytes > maxBytes / 4) await this.snapshot();
  }

  async judgeIfDue(): Promise<void> {
    if (this.core.isCandidateDue) await this.judge();
  }

  /** Lets the weights of now be a version, if they may. */
  async judge(): Promise<void> {
    await this.commit(await this.core.judge(Date.now()));
  }

  /**
   * Takes a snapshot, which is written while learning continues, and begins a new file of the journal. `written`: called when the
   * snapshot is on the disk, before what it makes superfluous is removed.
   */
  async snapshot(written = async () => {}): Promise<void> {
    await this.#writing;
    const { folder, journal, files, maxBytes, learner, lock } = this.#parts;
    const tensors = await runJob(() => native().learnerState(this.core.handle), {});
    const { model, settings } = this.core.setting;
    const core = this.core.toJSON();
    const snapshot = { ...journal.position, learner, settings, core, ids: this.core.ids };
    try {
      await lock.check();
      await journal.rotate();
    } catch (cause) {
      for (const handle of [tensors.model, tensors.rest, tensors.replay]) native().disposeState(handle);
      throw cause;
    }
    this.#writing = writeSnapshot(folder, model, snapshot, tensors)
      .then(written)
      .then(async () => {
        await lock.check();
        await prune(folder, files, [...core.versions, ...this.core.counts.versions], maxBytes).catch(warnOfFiles);
      });
    this.#writing.catch((cause) => {
      this.#failure ??= { cause };
    });
  }

  /** The same, and waits until all of it is done. */
  async writeSnapshot(written?: () => Promise<void>): Promise<void> {
    await this.snapshot(written);
    await this.#writing;
  }

  /** SHA-256 of everything that a learner resumes from. Two that were fed alike have equal ones. */
  fingerprint(): Promise<string> {
    return this.#inTurn(async () => {
      const { model, rest, replay } = await runJob(() => native().learnerState(this.core.handle), {});
      const handles = [model, rest, replay];
      try {
        const core = this.core.toJSON();
        // When something happened changes nothing.
        const timeless = { ...core, versions: core.versions.map(({ created, ...version }) => version) };
        const { previous, current } = this.core.ids;
        const digests = await Promise.all([...handles, stateHandle(this.core.served.state)].map(digestOf));
        return await sha256([Buffer.from(JSON.stringify([timeless, digests])), previous, current]);
      } finally {
        for (const handle of handles) native().disposeState(handle);
      }
    });
  }

  /** With a snapshot, so that opening again takes no time. Rejects with the failure of a learner that had failed. */
  async close(): Promise<void> {
    const last = this.#inTurn(() => this.#guard(() => this.snapshot()));
    this.#isClosed = true;
    try {
      await last;
    } finally {
      await this.release().finally(() => this.#parts.lock.release());
    }
  }

  /** All but the lock. */
  async release(): Promise<void> {
    try {
      await this.#writing;
    } finally {
      await this.#parts.journal.close().finally(() => {
        this.core.dispose();
        this.core.setting.gate?.dispose();
      });
    }
  }
}

/** A file too many harms nobody, and the next snapshot tries again. */
function warnOfFiles(cause: unknown): void {
  process.emitWarning(`Files that a learner no longer needs could not be removed: ${messageOf(cause)}`, {
    type: 'LearnWarning',
    code: 'WARN_NOT_REMOVED',
  });
}
