// Writes the journal: an append-only log of records, in files that each begin where a snapshot was taken.
import fs from 'node:fs';
import path from 'node:path';
import { LearnError, messageOf } from '../../core/errors';
import { syncFolder } from '../../files/atomic-write';
import { close, fsync, open, truncate, writeAll } from '../../files/descriptors';
import type { Sync } from '../options';
import {
  behind,
  fileHeader,
  headerBytes,
  journalFiles,
  journalName,
  type Position,
  recordHeader,
} from './journal-format';
import { encode, type LearnerRecord, type SettingsRecord } from './records';

/** A journal's folder. */
export interface Place {
  /** Rejects where its path leads elsewhere now. */
  check(): Promise<void>;
}

/** The end of a journal, to which it can be cut back. */
export interface Mark {
  position: Position;
  /** Bytes of the last file. */
  bytes: number;
}

/** A link in the folder of a learner would let others choose what is written to. */
const appending = fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_NOFOLLOW;

/** Appends to the last file. After a failed write nothing more can be: what is in the file is then not known. */
export class Journal {
  readonly #folder: string;
  readonly #place: Place;
  readonly #sync: Sync;
  /** Behind the last record. */
  #position: Position;
  #descriptor = -1;
  /** Number of the first record of the file that is written to. */
  #first = 0;
  #bytes = 0;
  #failure: LearnError | undefined;
  /** What was asked for last. One thing is written after the other. */
  #last: Promise<void> = Promise.resolve();
  /** The last sync by the timer, beside which is written. */
  #syncing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(folder: string, sync: Sync, position: Position, place: Place) {
    this.#folder = folder;
    this.#place = place;
    this.#sync = sync;
    this.#position = position;
  }

  /** Goes on at `position`, where the last file ends. Makes a file where there is none. */
  static async open(folder: string, position: Position, sync: Sync, place: Place): Promise<Journal> {
    const journal = new Journal(folder, sync, position, place);
    const last = journalFiles(folder).at(-1);
    if (!last) {
      await journal.rotate();
      return journal;
    }
    journal.#descriptor = await open(last.path, appending);
    journal.#first = last.first;
    try {
      journal.#bytes = fs.fstatSync(journal.#descriptor).size;
      // A process that was killed may have acknowledged records that are not on the disk yet.
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

  get position(): Position {
    return this.#position;
  }

  /** Of the file that is written to. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when the record is where `sync` wants it. Its number is known at once. */
  async append(kind: number, parts: readonly Uint8Array[]): Promise<void> {
    if (this.#failure) throw this.#failure;
    const header = recordHeader(this.#position, kind, parts);
    this.#position = behind(this.#position, header);
    await this.#inTurn(async () => {
      this.#bytes += await writeAll(this.#descriptor, [header, ...parts]);
      if (this.#sync === 'always') await this.#synced();
      else this.#syncSoon(this.#sync.everyMs);
    });
  }

  /** Where the journal ends now; only while no append is pending. */
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

  /** Begins a new file with the next record, unless this one has none. */
  async rotate(): Promise<void> {
    const position = this.#position;
    if (this.#first === position.sequence + 1) return;
    await this.#inTurn(async () => {
      // First: only of the last file may a loss of power leave less than was written.
      await this.#settle();
      await this.#place.check();
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

  /** Puts on the disk what was written, and lets no sync follow. */
  async #settle(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#syncing;
    if (this.#failure) throw this.#failure;
    if (this.#descriptor >= 0) await this.#synced();
  }

  /** On the disk, in the folder that a later open() finds. */
  async #synced(): Promise<void> {
    // Both are over before anything else is done with the descriptor.
    for (const result of await Promise.allSettled([fsync(this.#descriptor), this.#place.check()])) {
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
        `Cannot write to the journal in ${this.#folder}: ${messageOf(cause)}. Once that is mended, open the learner again: it goes ` +
          'on from what the journal has',
        { cause },
      );
      throw this.#failure;
    }
  }
}

/** Puts one record on the disk, at the end of a journal that nobody has open. Returns where the journal ends then. */
export async function announce(
  folder: string,
  end: Position,
  record: LearnerRecord | SettingsRecord,
  place: Place,
): Promise<Position> {
  const journal = await Journal.open(folder, end, 'always', place);
  try {
    const { kind, parts } = encode(record);
    await journal.append(kind, parts);
    return journal.position;
  } finally {
    await journal.close();
  }
}
