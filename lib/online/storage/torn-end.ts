// Removes the end of a journal that was never acknowledged.
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError } from '../../core/errors';
import { syncFolder } from '../../files/atomic-write';
import { headerBytes, type JournalRecord, journalFiles } from './journal-format';
import type { Damage } from './journal-reader';
import { syncFile } from './lock';

/** Removes the beginning of a last record that a crash left. */
export async function removeTornEnd({ path: file, offset }: Pick<Damage, 'path' | 'offset'>): Promise<void> {
  // Not even a header: the file was being made.
  if (offset === 0) {
    await fs.rm(file);
    await syncFolder(path.dirname(file));
  } else {
    await fs.truncate(file, offset);
    await syncFile(file);
  }
}

/** Removes a last record, and files after it that hold none. */
export async function removeLastRecord(folder: string, record: JournalRecord): Promise<void> {
  const { sequence, path: file, offset } = record;
  const later = journalFiles(folder).filter(({ first }) => first > sequence);
  for (const { path: empty } of later.reverse()) {
    if ((await fs.stat(empty)).size > headerBytes) throw new LearnError('ERR_JOURNAL', `${empty} holds records`);
    await fs.rm(empty);
  }
  await syncFolder(folder);
  await removeTornEnd({ path: file, offset });
}
