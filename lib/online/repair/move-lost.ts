// Moves what is lost with the damage to a learner's folder out of its way. Nothing is deleted, and a crash at any moment leaves
// what can be repaired again.
import fs from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../../files/atomic-write';
import { flush } from '../../files/flush';
import { headerBytes, journalFiles, type Position } from '../storage/journal-format';
import { Journal } from '../storage/journal-writer';
import { type FolderLock, moveInto, syncFile } from '../storage/lock';
import { keepGoodLines } from './quarantine-damage';
import type { JournalLoss, RepairReport } from './report';

/** `end`: where the journal ends that stays. Returns the name of the folder. */
export async function moveLost(folder: string, lock: FolderLock, report: RepairReport, end: Position): Promise<string> {
  const name = `lost-${new Date().toISOString()}`;
  const lost = path.join(folder, name);
  const inFolder = (file: string) => path.join(folder, file);
  const { journal, snapshots, versions, quarantine } = report;
  const isCut = journal !== null && journal.offset >= headerBytes;

  await fs.mkdir(lost);
  try {
    if (isCut) await copyTail(folder, lost, journal);
    for (const { file } of quarantine) await copyWhole(inFolder(file), path.join(lost, file));
    for (const { file, bytes } of versions) {
      if (bytes > 0) await copyWhole(inFolder(path.join('versions', file)), path.join(lost, file));
    }
    await syncFolder(lost);
    await syncFolder(folder);
  } catch (cause) {
    // Such as a full disk: nothing was changed so far.
    await fs.rm(lost, { recursive: true, force: true });
    throw cause;
  }

  for (const { file } of quarantine) await keepGoodLines(inFolder(file));
  // From the last one on, so that what stays is always the beginning of a journal.
  const whole = journal ? [...(isCut ? [] : [journal.file]), ...journal.laterFiles].reverse() : [];
  await moveInto(lost, folder, [...whole, ...snapshots.map((snapshot) => snapshot.file)]);
  if (isCut) {
    await fs.truncate(inFolder(journal.file), journal.offset);
    await syncFile(inFolder(journal.file));
  }
  await syncFolder(folder);
  // As after every snapshot.
  if ((journalFiles(folder).at(-1)?.first ?? 0) <= report.snapshot.record) {
    const begun = await Journal.open(folder, end, 'always', lock);
    await begun.rotate();
    await begun.close();
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
