// Writes the journal: an append-only log of records, in files that each start at a snapshot. Rules:
//
// 1. Before a new file is started, the old one is on the disk; before a snapshot refers to the new one, its header and name are.
//    Thus only the last file can be incomplete after a loss of power.
// 2. After a failed write nothing more is written, since the contents of the file are unknown.
// 3. Nothing is written or synced after the folder's path leads elsewhere.
import fs from 'node:fs';
import path from 'node:path';
import { LearnError, messageOf } from '../../core/errors';
import { syncFolder } from '../../files/atomic-write';
import { close, fsync, open, truncate, writeAll } from '../../files/descriptors';
import type { Sync } from '../options';
import {
  fileHeader,
  headerBytes,
  type JournalPosition,
  journalFiles,
  journalName,
  positionAfter,
  recordHeader,
} from './journal-format';
import { encode, type LearnerRecord, type SettingsRecord } from './records';

/** Guards a folder that other processes may move. */
export interface FolderGuard {
  /** Rejects if its path leads elsewhere now. */
  check(): Promise<void>;
}

/** An end of the journal, to which it can be truncated. */
export interface Mark {
  position: JournalPosition;
  /** Bytes of the last file. */
  bytes: number;
}

/** Does not follow links, by which others could choose the file that is written. */
const appending = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_NOFOLLOW;

export class Journal {
  readonly #folder: string;
  readonly #folderGuard: FolderGuard;
  readonly #sync: Sync;
  /** After the last record. */
  #position: JournalPosition;
  #descriptor = -1;
  /** Number of the first record of the current file. */
  #first = 0;
  #bytes = 0;
  #failure: LearnError | undefined;
  /** The write that was requested last; one follows the other. */
  #last: Promise<void> = Promise.resolve();
  /** The last sync by the timer, during which writing continues. */
  #syncing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(folder: string, sync: Sync, position: JournalPosition, guard: FolderGuard) {
    this.#folder = folder;
    this.#folderGuard = guard;
    this.#sync = sync;
    this.#position = position;
  }

  /** Continues at `position`, where the last file ends, or starts the first file. */
  static async open(folder: string, position: JournalPosition, sync: Sync, guard: FolderGuard): Promise<Journal> {
    const journal = new Journal(folder, sync, position, guard);
    const last = journalFiles(folder).at(-1);
    if (!last) {
      await journal.rotate();
      return journal;
    }
    journal.#descriptor = await open(last.path, appending);
    journal.#first = last.first;
    try {
      journal.#bytes = fs.fstatSync(journal.#descriptor).size;
      // A killed process may have acknowledged records that are not on the disk yet.
      await journal.#synced();
      await syncFolder(folder);
    } catch (cause) {
      await close(journal.#descriptor);
      throw cause;
    }
    return journal;
  }

  /** Number of the next record. */
  get next(): number {
    return this.#position.sequence + 1;
  }

  get position(): JournalPosition {
    return this.#position;
  }

  /** Of the current file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when the record is written, and with `sync: 'always'` on the disk. Its number is known at once. */
  async append(kind: number, parts: readonly Uint8Array[]): Promise<void> {
    if (this.#failure) throw this.#failure;
    const header = recordHeader(this.#position, kind, parts);
    this.#position = positionAfter(this.#position, header);
    await this.#inTurn(async () => {
      this.#bytes += await writeAll(this.#descriptor, [header, ...parts]);
      if (this.#sync === 'always') await this.#synced();
      else this.#syncSoon(this.#sync.everyMs);
    });
  }

  /** The end of the journal; only while no append is pending. */
  get mark(): Mark {
    return { position: this.#position, bytes: this.#bytes };
  }

  /** Removes the record appended after `mark`, which was not acknowledged. Waits for its append, whether that fails or not. */
  async retract({ position, bytes }: Mark): Promise<void> {
    await this.#inTurn(async () => {
      await truncate(this.#descriptor, bytes);
      await fsync(this.#descriptor);
      this.#bytes = bytes;
    });
    this.#position = position;
  }

  /** Starts a new file with the next record, unless the current one is empty. */
  async rotate(): Promise<void> {
    const position = this.#position;
    if (this.#first === position.sequence + 1) return;
    await this.#inTurn(async () => {
      // By rule 1.
      await this.#settle();
      await this.#folderGuard.check();
      const file = path.join(this.#folder, journalName(position.sequence + 1));
      const descriptor = await open(file, appending | fs.constants.O_CREAT | fs.constants.O_EXCL);
      try {
        await writeAll(descriptor, [fileHeader(position)]);
        await fsync(descriptor);
        await syncFolder(this.#folder);
      } catch (cause) {
        await close(descriptor);
        throw cause;
      }
      if (this.#descriptor >= 0) await close(this.#descriptor);
      this.#descriptor = descriptor;
      this.#first = position.sequence + 1;
      this.#bytes = headerBytes;
    });
  }

  async close(): Promise<void> {
    await this.#last;
    try {
      if (this.#failure) await this.#syncing;
      else await this.#guard(() => this.#settle());
    } finally {
      clearTimeout(this.#timer);
      const descriptor = this.#descriptor;
      this.#descriptor = -1;
      if (descriptor >= 0) await close(descriptor);
    }
  }

  /** Syncs, and cancels the timer. */
  async #settle(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#syncing;
    if (this.#failure) throw this.#failure;
    if (this.#descriptor >= 0) await this.#synced();
  }

  /** Syncs the file, which must still be in the folder that a later open() finds. */
  async #synced(): Promise<void> {
    // Both end before the descriptor is used again.
    for (const result of await Promise.allSettled([fsync(this.#descriptor), this.#folderGuard.check()])) {
      if (result.status === 'rejected') throw result.reason;
    }
  }

  #syncSoon(everyMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const before = this.#syncing;
      this.#syncing = this.#guard(async () => {
        await before;
        await this.#synced();
      }).catch(() => {});
    }, everyMs);
    this.#timer.unref();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#last.then(() => this.#guard(work));
    this.#last = result.catch(() => {});
    return result;
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure;
    try {
      await work();
    } catch (cause) {
      this.#failure ??= new LearnError(
        'ERR_JOURNAL',
        `Cannot write to the journal in ${this.#folder}: ${messageOf(cause)}. Once that is fixed, open the learner again: it ` +
          'resumes from the journal',
        { cause },
      );
      throw this.#failure;
    }
  }
}

/** Writes one record to the end of a journal that is not open, and syncs it. Returns the new end. */
export async function appendRecord(
  folder: string,
  end: JournalPosition,
  record: LearnerRecord | SettingsRecord,
  guard: FolderGuard,
): Promise<JournalPosition> {
  const journal = await Journal.open(folder, end, 'always', guard);
  try {
    const { kind, parts } = encode(record);
    await journal.append(kind, parts);
    return journal.position;
  } finally {
    await journal.close();
  }
}
