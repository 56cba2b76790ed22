// Moves everything that is lost with the damage to a learner's folder into a folder of its own. Rules:
//
// 1. Nothing is deleted: lost files are moved, and lost parts of files are copied before they are truncated.
// 2. A crash at any moment leaves a folder that can be repaired again: copies are on the disk before anything is changed, and later
//    files of the journal are moved before earlier ones.
import fs from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../../files/atomic-write';
import { flush } from '../../files/flush';
import { headerBytes, type JournalPosition, journalFiles } from '../storage/journal-format';
import { Journal } from '../storage/journal-writer';
import { type FolderLock, moveInto, syncFile } from '../storage/lock';
import { keepGoodLines } from './quarantine-damage';
import type { JournalLoss, RepairReport } from './report';

/** `end`: the end of the remaining journal. Returns the name of the folder. */
export async function moveAside(
  folder: string,
  lock: FolderLock,
  report: RepairReport,
  end: JournalPosition,
): Promise<string> {
  const name = `lost-${new Date().toISOString()}`;
  const lost = path.join(folder, name);
  const inFolder = (file: string) => path.join(folder, file);
  const { journal, snapshots, versions, quarantine } = report;
  const isTruncated = journal !== null && journal.offset >= headerBytes;

  await fs.mkdir(lost);
  try {
    if (isTruncated) await copyTail(folder, lost, journal);
    for (const { file } of quarantine) await copyWhole(inFolder(file), path.join(lost, file));
    for (const { file, bytes } of versions) {
      if (bytes > 0) await copyWhole(inFolder(path.join('versions', file)), path.join(lost, file));
    }
    await syncFolder(lost);
    await syncFolder(folder);
  } catch (cause) {
    // Such as a full disk: nothing was changed yet.
    await fs.rm(lost, { recursive: true, force: true });
    throw cause;
  }

  for (const { file } of quarantine) await keepGoodLines(inFolder(file));
  // The last one first, so that the rest is always the beginning of a journal.
  const whole = journal ? [...(isTruncated ? [] : [journal.file]), ...journal.laterFiles].reverse() : [];
  await moveInto(lost, folder, [...whole, ...snapshots.map((snapshot) => snapshot.file)]);
  if (isTruncated) {
    await fs.truncate(inFolder(journal.file), journal.offset);
    await syncFile(inFolder(journal.file));
  }
  await syncFolder(folder);
  // As after every snapshot.
  if ((journalFiles(folder).at(-1)?.first ?? 0) <= report.snapshot.record) {
    const next = await Journal.open(folder, end, 'always', lock);
    await next.rotate();
    await next.close();
  }
  return name;
}

async function copyTail(folder: string, lost: string, { file, offset }: JournalLoss): Promise<void> {
  const source = await fs.open(path.join(folder, file));
  try {
    const target = await fs.open(path.join(lost, `${file}.from-byte-${offset}`), 'wx');
    try {
      const bytes = Buffer.alloc(2 ** 20);
      for (let at = offset; ; ) {
        const { bytesRead } = await source.read(bytes, 0, bytes.length, at);
        if (bytesRead === 0) break;
        await target.appendFile(bytes.subarray(0, bytesRead));
        at += bytesRead;
      }
      await flush(target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function copyWhole(source: string, target: string): Promise<void> {
  await fs.copyFile(source, target);
  await syncFile(target);
}
