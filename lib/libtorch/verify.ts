// Loads a libtorch that nobody vouches for in a child process first: a file that was cut, or that is for another system,
// can end the process that opens it, and no error could be caught then. What came of it is remembered.
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

/** Slow disks take a while over gigabytes of libraries. */
const timeoutMs = 120_000;

/** By these code ends its own process. By any other signal somebody else ended it, or a system that is short of memory. */
const faults: readonly unknown[] = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGABRT', 'SIGFPE', 'SIGTRAP', 'SIGSYS'];

/** Set in the child's environment. */
const marker = 'TORCH_INCREMENTAL_VERIFYING';

const script = path.join(__dirname, 'verify-child.js');

/** Remembers verdicts; a folder that cannot be written only makes the next process ask again. */
export function verdictFolder(): string {
  return path.join(findCacheRoot() ?? path.join(os.devNull, 'none'), '..', 'verified');
}

/** null: it loads, or that could not be found out in a child. For what cannot wait: it blocks the thread. */
export function verifySync(folder: string): Problem | null {
  const file = verdictFile(folder);
  const known = remembered(file);
  return known === undefined ? conclude(folder, file, trySync(folder)) : known;
}

/** The same, without blocking. `anew`: whatever was found before. An abort ends the child, and rejects with its reason. */
export async function verify(
  folder: string,
  { anew = false, signal }: { anew?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<Problem | null> {
  const file = verdictFile(folder);
  const known = anew ? undefined : remembered(file);
  return known === undefined ? conclude(folder, file, await tryAsync(folder, signal)) : known;
}

/** So that what is found next is found anew. */
export function forgetVerdicts(): void {
  try {
    fs.rmSync(verdictFolder(), { recursive: true, force: true });
  } catch {} // a folder that cannot be written has none of ours
}

/** What a child process said, and how it ended. */
interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly isLate: boolean;
}

/** undefined where there could be no process. */
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
 * Whether this process's program would start the user's application once more, and not our script: a single executable
 * application of Node. Of others nothing is known before, but what they start is marked, so that there is one start more at most.
 */
function startsItself(): boolean {
  if (process.env[marker]) return true;
  return process.getBuiltinModule?.('node:sea')?.isSea() === true; // older Nodes and other runtimes do not have it
}

function trial(folder: string) {
  const { NODE_OPTIONS: _, ...rest } = process.env; // a debugger's port, say, is taken
  const options = {
    // Electron's programs are Node where they are told to be.
    env: { ...rest, ELECTRON_RUN_AS_NODE: '1', [marker]: '1' },
    timeout: timeoutMs,
    killSignal: 'SIGKILL' as const,
    windowsHide: true,
    // A terminal's Ctrl-C is for this process, which ends the child when it ends; one that goes on needs the answer.
    detached: true,
  };
  return { args: [script, folder, String(process.pid)], options };
}

/** `lasts`: it will be the same next time, unless a file changes. */
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

/** undefined where no child of ours spoke: this process may start none, or its executable is no Node. */
function verdictOf({ stdout, stderr, status, signal, isLate }: Ended): Verdict | undefined {
  const lines = stdout.split('\n').flatMap(parseLine);
  const answer = lines.find((line) => 'problem' in line);
  if (answer) {
    const problem = answer.problem as Problem | null;
    // What the dynamic linker said can be mended outside of the folder, and asking it again is harmless.
    return { problem, lasts: problem === null };
  }
  if (!lines.some((line) => 'began' in line)) return undefined;
  const died = (reason: string, lasts: boolean) => ({
    problem: { code: 'ERR_LIBTORCH_LOAD' as const, text: reason },
    lasts,
  });
  if (isLate) return died(`hangs for ${timeoutMs / 1000} s when it is loaded`, false);
  if (signal !== null && !faults.includes(signal)) {
    const what = `something else ended the process that loaded it (${signal}), as the system does where memory is short`;
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

/** Named by everything that decides whether it loads: the libraries, the addon, and what loads them. null: they cannot be listed. */
function verdictFile(folder: string): string | null {
  const lib = path.join(folder, 'lib');
  let identities: unknown[];
  try {
    const libraries = fs.readdirSync(lib).filter((name) => name.includes('.so'));
    const files = libraries.sort().map((name) => path.join(lib, name));
    identities = [...files, addonPath('torch_incremental')].map(identity);
  } catch {
    // Whoever may not list the folder may open files in it all the same.
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

/** undefined where nothing is known. */
function remembered(file: string | null): Problem | null | undefined {
  if (file === null) return undefined;
  try {
    const { problem } = JSON.parse(fs.readFileSync(file, 'utf8'));
    if (problem === null) return null;
    const text = `${problem.text} (found before, and remembered: npx torch-incremental doctor looks again)`;
    return { code: 'ERR_LIBTORCH_LOAD', text };
  } catch {
    return undefined;
  }
}

/** On a disk that is full, or in a folder that cannot be written, nothing is kept: the next process asks again. */
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
