// Damaged lines of the quarantine files. A learner does not need them, but people may.
import fs from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '../../files/atomic-write';
import { flush } from '../../files/flush';
import { pieceBytes, SequentialReader } from '../../files/sequential-reader';
import { isTornLine, quarantineName, recordNumberIn } from '../storage/quarantine';
import type { QuarantineDamage } from './report';

export async function quarantineDamage(folder: string): Promise<QuarantineDamage[]> {
  const found: QuarantineDamage[] = [];
  for (const file of [`${quarantineName}.1`, quarantineName]) {
    let damage: QuarantineDamage | undefined;
    for await (const { line, offset } of linesOf(path.join(folder, file))) {
      if (isGood(line)) continue;
      const reason = 'it holds lines that are not quarantined samples';
      damage ??= { file, offset, reason, lines: 0, bytes: 0 };
      damage.lines++;
      damage.bytes += line.length;
    }
    if (damage) found.push(damage);
  }
  return found;
}

/** Removes the damaged lines of a file. */
export async function keepGoodLines(file: string): Promise<void> {
  const write = async (temporary: string, mode: number) => {
    const handle = await fs.open(temporary, 'wx', mode);
    try {
      for await (const { line } of linesOf(file)) if (isGood(line)) await handle.appendFile(line);
      await flush(handle);
    } finally {
      await handle.close();
    }
  };
  await replaceFile(file, write, { links: 'replace' });
}

/** A torn last line, which open() removes, is no damage. */
function isGood(line: Buffer): boolean {
  return line.at(-1) === newline ? recordNumberIn(line.toString('utf8')) > 0 : isTornLine(line);
}

const newline = 0x0a;

/** Lines with their newlines, which the last may not have. */
async function* linesOf(file: string): AsyncGenerator<{ line: Buffer; offset: number }> {
  const exists = await fs.stat(file).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  const reader = await SequentialReader.open(file);
  try {
    for (let wanted = pieceBytes; reader.left > 0; ) {
      const piece = await reader.peek(wanted);
      const end = piece.indexOf(newline) + 1;
      // A line may be as long as a sample is large.
      if (end === 0 && piece.length < reader.left) {
        wanted *= 2;
        continue;
      }
      const line = piece.subarray(0, end || piece.length);
      yield { line, offset: reader.offset };
      reader.skip(line.length);
      wanted = pieceBytes;
    }
  } finally {
    await reader.close();
  }
}
