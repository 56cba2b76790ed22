// Loads a libtorch that is not known to be intact in a child process first: a truncated library, or one for another system,
// can crash the process that opens it, and no error could be caught.
//
//  1. The verdict is remembered in a file named by everything it depends on, until one of these changes.
//  2. Only a success or a crash is remembered. Other failures may be remedied outside the folder.
//  3. A child that never began says nothing about libtorch: the build then counts as usable.
//  4. The child must not start the user's application again (single executables, other runtimes), nor outlive its parent.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { addonPath } from './addon';
import { findCacheRoot } from './cache';
import type { Problem } from './candidates';

/** Long enough to load gigabytes of libraries from a slow disk. */
const timeoutMs = 120_000;

/** Signals of a crash. Any other signal came from another process, or from a system that is out of memory. */
const faults: readonly unknown[] = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGABRT', 'SIGFPE', 'SIGTRAP', 'SIGSYS'];

/** Set in the child's environment. */
const marker = 'TORCH_INCREMENTAL_VERIFYING';

const script = path.join(__dirname, 'verify-child.js');

/** Returns the folder of the verdicts. If it cannot be written, the next process tries again. */
export function verdictFolder(): string {
  return path.join(findCacheRoot() ?? path.join(os.devNull, 'none'), '..', 'verified');
}

/** Returns null if the build loads, or if no child process could be started. Blocks the thread. */
export function verifySync(folder: string): Problem | null {
  const file = verdictFile(folder);
  const known = remembered(file);
  return known === undefined ? conclude(folder, file, trySync(folder)) : known;
}

/** As verifySync(), without blocking. `fresh` ignores a remembered verdict. An abort ends the child and rejects. */
export async function verify(
  folder: string,
  { fresh = false, signal }: { fresh?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<Problem | null> {
  const file = verdictFile(folder);
  const known = fresh ? undefined : remembered(file);
  return known === undefined ? conclude(folder, file, await tryAsync(folder, signal)) : known;
}

/** Removes all verdicts, so that every build is tried again. */
export function forgetVerdicts(): void {
  try {
    fs.rmSync(verdictFolder(), { recursive: true, force: true });
  } catch {} // a folder that cannot be written holds no verdicts
}

/** Output and exit of a child process. */
interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly isLate: boolean;
}

/** Returns undefined if no process could be started. */
function trySync(folder: string): Ended | undefined {
  if (startsItself()) return undefined;
  const { args, options } = trial(folder);
  try {
    const { pid, error, ...ended } = spawnSync(process.execPath, args, { ...options, encoding: 'utf8' });
    if (pid === 0) return undefined;
    return { ...ended, isLate: (error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT' };
  } catch {
    return undefined;
  }
}

async function tryAsync(folder: string, stop: AbortSignal | undefined): Promise<Ended | undefined> {
  if (startsItself()) return undefined;
  const { args, options } = trial(folder);
  try {
    const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], signal: stop });
    const output = [text(child.stdout), text(child.stderr), once(child, 'close')] as const;
    const [stdout, stderr, [status, signal]] = await Promise.all(output);
    return { stdout, stderr, status, signal, isLate: child.killed };
  } catch {
    stop?.throwIfAborted();
    return undefined;
  }
}

/**
 * Whether process.execPath would start the user's application again instead of our script, as a single executable application
 * of Node does. Other runtimes cannot be recognised, but their children are marked, so there is at most one extra start.
 */
function startsItself(): boolean {
  if (process.env[marker]) return true;
  return process.getBuiltinModule?.('node:sea')?.isSea() === true; // older Nodes and other runtimes do not have it
}

function trial(folder: string) {
  const { NODE_OPTIONS: _, ...rest } = process.env; // may contain a debugger's port, which is in use
  const options = {
    // Makes Electron's executable behave as Node.
    env: { ...rest, ELECTRON_RUN_AS_NODE: '1', [marker]: '1' },
    timeout: timeoutMs,
    killSignal: 'SIGKILL' as const,
    windowsHide: true,
    // Keeps Ctrl-C in the terminal from the child: it ends with this process, which needs its answer if it handles Ctrl-C.
    detached: true,
  };
  return { args: [script, folder, String(process.pid)], options };
}

/** `lasts`: it is the same next time unless a file changes. */
interface Verdict {
  readonly problem: Problem | null;
  readonly lasts: boolean;
}

function conclude(folder: string, file: string | null, ended: Ended | undefined): Problem | null {
  const verdict = ended && verdictOf(ended);
  if (verdict === undefined) return null;
  keep(file, folder, verdict);
  return verdict.problem;
}

/** Returns undefined if the child never began: processes are forbidden, or the executable is not Node (rule 3). */
function verdictOf({ stdout, stderr, status, signal, isLate }: Ended): Verdict | undefined {
  const lines = stdout.split('\n').flatMap(parseLine);
  const answer = lines.find((line) => 'problem' in line);
  if (answer) {
    const problem = answer.problem as Problem | null;
    // An error of the dynamic linker may be remedied outside the folder, and trying again is harmless.
    return { problem, lasts: problem === null };
  }
  if (!lines.some((line) => 'began' in line)) return undefined;
  const died = (reason: string, lasts: boolean) => ({
    problem: { code: 'ERR_LIBTORCH_LOAD' as const, text: reason },
    lasts,
  });
  if (isLate) return died(`hangs for ${timeoutMs / 1000} s when it is loaded`, false);
  if (signal !== null && !faults.includes(signal)) {
    const what = `something else ended the process that loaded it (${signal}), as the system does when memory is short`;
    return died(`could not be tried: ${what}`, false);
  }
  const last = stderr.trim().split('\n').at(-1);
  return died(
    `ends the process (${signal ?? `exit code ${status}`}) when it is loaded${last ? `: ${last}` : ''}`,
    true,
  );
}

function parseLine(line: string): Record<string, unknown>[] {
  try {
    const parsed = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? [parsed] : [];
  } catch {
    return [];
  }
}

/** Returns the verdict's file, named by the libraries, the addon and the executable; null if the folder cannot be listed. */
function verdictFile(folder: string): string | null {
  const lib = path.join(folder, 'lib');
  let identities: unknown[];
  try {
    const libraries = fs.readdirSync(lib).filter((name) => name.includes('.so'));
    const files = libraries.sort().map((name) => path.join(lib, name));
    identities = [...files, addonPath('torch_incremental')].map(identity);
  } catch {
    // A process that may not list the folder may still open files in it.
    return null;
  }
  const { LD_LIBRARY_PATH, LD_PRELOAD } = process.env;
  const facts = [folder, identities, process.execPath, process.version, LD_LIBRARY_PATH, LD_PRELOAD];
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  return path.join(verdictFolder(), `${key}.json`);
}

function identity(file: string): unknown[] {
  const status = fs.statSync(file, { throwIfNoEntry: false });
  return [file, status?.ino, status?.size, status?.mtimeMs];
}

/** Returns undefined if there is no verdict. */
function remembered(file: string | null): Problem | null | undefined {
  if (file === null) return undefined;
  try {
    const { problem } = JSON.parse(fs.readFileSync(file, 'utf8'));
    if (problem === null) return null;
    const text = `${problem.text} (remembered from an earlier attempt: npx torch-incremental doctor tries again)`;
    return { code: 'ERR_LIBTORCH_LOAD', text };
  } catch {
    return undefined;
  }
}

/** Remembers a verdict. If it cannot be written, the next process tries again. */
function keep(file: string | null, folder: string, { problem, lasts }: Verdict): void {
  if (file === null) return;
  const beside = `${file}.${randomUUID()}`;
  try {
    fs.rmSync(file, { force: true });
    if (!lasts) return;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(beside, `${JSON.stringify({ folder, problem })}\n`);
    fs.renameSync(beside, file);
  } catch {
    try {
      fs.rmSync(beside, { force: true });
    } catch {}
  }
}
