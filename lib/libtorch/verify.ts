// Loads a libtorch that nobody vouches for in a child process first: a file that was cut, or that is for another system,
// can end the process that opens it, and no error could be caught then. What came of it is remembered.
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { addonPath } from '../addon';
import { cacheRoot } from './cache';
import type { Problem } from './candidates';

/** Slow disks take a while over gigabytes of libraries. */
const timeoutMs = 120_000;

/** By these code ends its own process. By any other signal somebody else ended it, or a system that is short of memory. */
const faults: readonly unknown[] = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGABRT', 'SIGFPE', 'SIGTRAP', 'SIGSYS'];

const script = path.join(__dirname, 'verify-child.js');

/** Remembers verdicts; a folder that cannot be written only makes the next process ask again. */
export function verdictFolder(): string {
  return path.join(cacheRoot(), '..', 'verified');
}

/** null: it loads, or that could not be found out in a child. `anew`: whatever was found before. */
export function verify(folder: string, { anew = false }: { anew?: boolean } = {}): Problem | null {
  const file = verdictFile(folder);
  const known = anew ? undefined : remembered(file);
  if (known !== undefined) return known;
  const verdict = askChild(folder);
  if (verdict === undefined) return null;
  keep(file, folder, verdict);
  return verdict.problem;
}

/** So that what is found next is found anew. */
export function forgetVerdicts(): void {
  try {
    fs.rmSync(verdictFolder(), { recursive: true, force: true });
  } catch {} // a folder that cannot be written has none of ours
}

/** `lasts`: it will be the same next time, unless a file changes. */
interface Verdict {
  readonly problem: Problem | null;
  readonly lasts: boolean;
}

function askChild(folder: string): Verdict | undefined {
  const { NODE_OPTIONS: _, ...rest } = process.env; // a debugger's port, say, is taken
  // Electron's programs are Node where they are told to be.
  const env = { ...rest, ELECTRON_RUN_AS_NODE: '1' };
  const options = {
    env,
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    windowsHide: true,
    // A terminal's Ctrl-C is for this process, which ends the child when it ends; one that goes on needs the answer.
    detached: true,
  } as const;
  const { stdout, stderr, status, signal, error } = spawn([script, folder, String(process.pid)], options);
  const lines = (stdout ?? '').split('\n').flatMap(parseLine);
  const answer = lines.find((line) => 'problem' in line);
  if (answer) {
    const problem = answer.problem as Problem | null;
    // What the dynamic linker said can be mended outside of the folder, and asking it again is harmless.
    return { problem, lasts: problem === null };
  }
  // No child at all: this process may not start any, or its executable is no Node.
  if (!lines.some((line) => 'began' in line)) return undefined;
  const lasts = signal === null || faults.includes(signal);
  const late = (error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT';
  const last = (stderr ?? '').trim().split('\n').at(-1);
  const text = late
    ? `hangs for ${timeoutMs / 1000} s when it is loaded`
    : lasts
      ? `ends the process (${signal ?? `exit code ${status}`}) when it is loaded${last ? `: ${last}` : ''}`
      : `could not be tried: something else ended the process that loaded it (${signal}), as the system does where memory is short`;
  return { problem: { code: 'ERR_LIBTORCH_LOAD', text }, lasts };
}

function spawn(args: string[], options: Parameters<typeof spawnSync>[2] & { encoding: 'utf8' }) {
  try {
    return spawnSync(process.execPath, args, options);
  } catch (error) {
    return { stdout: '', stderr: '', status: null, signal: null, error: error as Error };
  }
}

function parseLine(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line)];
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
