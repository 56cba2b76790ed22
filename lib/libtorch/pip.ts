// pip as the second way to fetch an archive: it knows mirrors and proxies that we do not. It must bring the same file; the
// caller checks that.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../errors';
import type { Archive } from './manifest';

const execute = promisify(execFile);

const pips = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']] as const;
const flags = ['--no-deps', '--only-binary=:all:', '--timeout', '15', '--retries', '2'];

/** Puts the file at `target`. Rejects with a plain error. */
export async function fetchByPip(
  { requirement, arguments: own }: NonNullable<Archive['pip']>,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const [command, ...args] = await findPip(signal);
  const folder = `${target}.pip-${randomUUID()}`;
  try {
    await execute(command, [...args, 'download', ...flags, '--dest', folder, ...own, requirement], {
      maxBuffer: 1 << 26,
      ...(signal && { signal }),
    }).catch((cause) => {
      throw new Error(lastError(cause.stderr) ?? messageOf(cause));
    });
    const [file] = await fs.readdir(folder);
    if (!file) throw new Error('pip download left no file');
    await fs.rename(path.join(folder, file), target);
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

async function findPip(signal?: AbortSignal): Promise<readonly [string, ...string[]]> {
  for (const [command, ...args] of pips) {
    const works = await execute(command, [...args, '--version'], signal ? { signal } : {}).then(
      () => true,
      () => false,
    );
    if (works) return [command, ...args];
  }
  signal?.throwIfAborted();
  throw new Error('neither python3 -m pip nor pip3 is there');
}

function lastError(output: unknown): string | undefined {
  const lines = String(output ?? '')
    .trimEnd()
    .split('\n');
  return lines.findLast((line) => line.startsWith('ERROR: '))?.slice('ERROR: '.length);
}
