// Fetches an archive by pip, if HTTP fails: pip may be configured with mirrors and proxies. The caller checks that it is the
// same file.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../core/errors';
import type { Archive } from '../libtorch/manifest';

type Command = readonly [program: string, ...args: string[]];

const pips: readonly Command[] = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];
const flags = ['--no-input', '--no-deps', '--only-binary=:all:', '--timeout', '15', '--retries', '2'];

/** Puts the file at `target`. Rejects with a plain error. */
export async function fetchByPip(
  { requirement, arguments: own }: NonNullable<Archive['pip']>,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const folder = `${target}.pip-${randomUUID()}`;
  try {
    await fs.mkdir(folder, { recursive: true });
    const pip = await findPip(folder, signal);
    await run([...pip, 'download', ...flags, '--dest', folder, ...own, requirement], folder, signal).catch((cause) => {
      throw new Error(lastError(cause.stderr) ?? messageOf(cause));
    });
    const [file] = await fs.readdir(folder);
    if (!file) throw new Error('pip download left no file');
    await fs.rename(path.join(folder, file), target);
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

async function findPip(folder: string, signal?: AbortSignal): Promise<Command> {
  for (const pip of pips) {
    const works = await run([...pip, '--version'], folder, signal).then(
      () => true,
      () => false,
    );
    if (works) return pip;
  }
  signal?.throwIfAborted();
  throw new Error('neither python3 -m pip nor pip3 was found');
}

/**
 * Runs in a folder of our own, because Python would run a pip/ in the user's current folder. Standard input is closed, because
 * pip would otherwise wait for a password at a prompt that nobody sees.
 */
async function run([program, ...args]: Command, cwd: string, signal?: AbortSignal): Promise<void> {
  const running = promisify(execFile)(program, args, { cwd, maxBuffer: 1 << 26, ...(signal && { signal }) });
  running.child.stdin?.end();
  await running;
}

function lastError(output: unknown): string | undefined {
  const lines = String(output ?? '')
    .trimEnd()
    .split('\n');
  return lines.findLast((line) => line.startsWith('ERROR: '))?.slice('ERROR: '.length);
}
