// What `torch-incremental libtorch use` writes down and takes back. cache.ts reads it.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { type CachePlace, type Choice, choiceFile } from './cache';

/** Whole or not at all: a process that looks for libtorch meanwhile sees the old choice or the new one. */
export async function writeChoice(choice: Choice, place: CachePlace = {}): Promise<void> {
  const file = choiceFile(place);
  await fs.mkdir(path.dirname(file), { recursive: true });
  const beside = `${file}.${randomUUID()}`;
  try {
    await fs.writeFile(beside, `${JSON.stringify(choice)}\n`, { flush: true });
    await fs.rename(beside, file);
  } finally {
    await fs.rm(beside, { force: true });
  }
}

export async function forgetChoice(place: CachePlace = {}): Promise<void> {
  await fs.rm(choiceFile(place), { force: true });
}
