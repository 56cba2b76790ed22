// A learner at work on its folder: every change is a record that stands in the journal before it takes effect. One thing
// happens after the other.
import { runJob } from '../job';
import { type LockHandle, native } from '../native';
import { stateHandle } from '../state';
import type { Core } from './core';
import type { Journal } from './journal';
import { prune } from './prune';
import type { Quarantine, QuarantinedSample } from './quarantine';
import { encode, type LearnerRecord } from './records';
import type { Outcome } from './setting';
import { writeSnapshot } from './snapshot';
import { digestOf, sha256, type VersionFiles } from './versions';

export interface Parts {
  folder: string;
  core: Core;
  journal: Journal;
  quarantine: Quarantine;
  lock: LockHandle;
  files: VersionFiles;
  maxBytes: number;
}

export class Engine {
  readonly core: Core;
  readonly #parts: Parts;
  /** What was asked for last; nothing begins before it ended. */
  #last: Promise<unknown> = Promise.resolve();
  #failure: { cause: unknown } | undefined;
  #writing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.core = parts.core;
  }

  /** Runs `work` when all before it is done. Where it fails, what is in memory is no longer what the journal says. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const guarded = async () => {
      if (this.#failure) throw this.#failure.cause;
      try {
        return await work();
      } catch (cause) {
        this.#failure = { cause };
        throw cause;
      }
    };
    const result = this.#last.then(guarded);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Puts the record on the disk, and then into effect. */
  async commit(record: LearnerRecord, samples: readonly QuarantinedSample[] = []): Promise<Outcome | undefined> {
    const { journal, quarantine, maxBytes } = this.#parts;
    const sequence = journal.next;
    const { kind, parts } = encode(record);
    if (record.kind === 'quarantine') await quarantine.add(sequence, record.reason, samples);
    const written = journal.append(kind, parts);
    // A batch may be learned while it is being written: nobody hears of it before both are done.
    if (record.kind !== 'batch') await written;
    const [outcome] = await Promise.all([this.core.apply(record, sequence), written]);
    if (outcome?.refused) await quarantine.add(sequence, outcome.refused, samples);
    await this.judgeIfDue();
    // Recovering reads at most so much, and there is room for some snapshots beside.
    if (journal.bytes > maxBytes / 4) await this.snapshot();
    return outcome;
  }

  async judgeIfDue(): Promise<void> {
    if (this.core.isCandidateDue) await this.judge();
  }

  /** Lets the weights of now be a version, if they may. */
  async judge(): Promise<void> {
    await this.commit(await this.core.judge(Date.now()));
  }

  /** Takes a snapshot, which is written while learning goes on, and lets the journal go on in a new file. */
  async snapshot(): Promise<void> {
    await this.#writing;
    const { folder, journal, files, maxBytes } = this.#parts;
    const tensors = await runJob(() => native().learnerState(this.core.handle), {});
    const { model, settings } = this.core.setting;
    const core = this.core.toJSON();
    const snapshot = { ...journal.position, settings, core, ids: this.core.ids };
    await journal.rotate();
    this.#writing = writeSnapshot(folder, model, snapshot, tensors).then(() =>
      prune(folder, files, [...core.versions, ...this.core.counts.versions], maxBytes),
    );
    this.#writing.catch((cause) => {
      this.#failure ??= { cause };
    });
  }

  /** SHA-256 of everything that a learner goes on from. Two that were fed alike have equal ones. */
  async fingerprint(): Promise<string> {
    const { model, rest, replay } = await runJob(() => native().learnerState(this.core.handle), {});
    const core = this.core.toJSON();
    // When something happened changes nothing.
    const timeless = { ...core, versions: core.versions.map(({ created, ...version }) => version) };
    const { previous, current } = this.core.ids;
    const digests = await Promise.all([model, rest, replay, stateHandle(this.core.served.state)].map(digestOf));
    for (const handle of [model, rest, replay]) native().disposeState(handle);
    return sha256([Buffer.from(JSON.stringify([timeless, digests])), previous, current]);
  }

  /** With a snapshot, so that opening again takes no time. */
  async close(): Promise<void> {
    try {
      await this.#last;
      if (!this.#failure) await this.snapshot();
    } finally {
      await this.release().finally(() => native().unlockFile(this.#parts.lock));
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

/** Whether two plain values are written alike. */
export function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
