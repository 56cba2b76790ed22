// Runs a probe script (lib/doctor/probe/child.ts) in a child process and tells what became of it, whatever that is.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { messageOf } from '../../core/errors';
import { isThere } from '../../files/stat';
import type { LibtorchAttempt } from '../../libtorch/error';
import type { DeviceInfo } from '../../native/device';
import type { NativeInfo } from '../../native/native';

/** Slow disks take a while over gigabytes of libraries. More than lib/libtorch/verify.ts gives its child, so that it can tell. */
const probeTimeoutMs = 300_000;

export interface ProbeOptions {
  /** Also train. */
  readonly train: boolean;
  readonly timeoutMs?: number;
  /** Ends the process; the call then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What the probe does, in this order; those from 'product' on when it is to train, once for each device. */
export type Stage = 'driver' | 'load' | 'device' | 'product' | 'convolution' | 'step' | 'file';

export const stageNames: Readonly<Record<Stage, string>> = {
  driver: "opening the NVIDIA driver's library",
  load: 'loading libtorch and the addon',
  device: 'looking for a device',
  product: 'a matrix product',
  convolution: 'a convolution and its gradient',
  step: 'a training step',
  file: 'saving and loading a .pth',
};

export interface StageDone {
  readonly stage: Stage;
  /** null for what is done before there is a device. */
  readonly on: string | null;
  readonly seconds: number;
}

export interface ProbeFailure {
  /** false: there could be no process, so nothing is known. */
  readonly started: boolean;
  /** null: it never began. */
  readonly stage: Stage | null;
  readonly on: string | null;
  /** What it threw, or how the process ended. */
  readonly message: string;
  /** Of a LearnError. */
  readonly code: string | null;
  readonly attempts: readonly LibtorchAttempt[];
  readonly remedies: readonly string[];
  /** Which ended the process. */
  readonly signal: string | null;
}

export interface ProbeResult {
  /** Whether it was asked to train. */
  readonly trained: boolean;
  readonly stages: readonly StageDone[];
  /** What the addon said of itself; null when it could not be loaded. */
  readonly info: NativeInfo | null;
  /** What 'auto' takes; null when that could not be found out. */
  readonly device: DeviceInfo | null;
  /** Why the NVIDIA driver's library does not open; null when it does; undefined when that could not be asked. */
  readonly libcuda: string | null | undefined;
  /** Why libtorch's own libraries for CUDA do not open; null where they do, or where it has none. */
  readonly cudaLibraries: string | null;
  /** Files mapped into the process that had libtorch loaded. */
  readonly mapped: readonly string[];
  /** Of that process, at its end. */
  readonly memoryBytes: number | null;
  /** The loss of one training step; null when none was asked for or it did not end. */
  readonly loss: number | null;
  /** null when the child did all that it was asked to do. */
  readonly failure: ProbeFailure | null;
  readonly seconds: number;
}

/** What the script prints: see lib/doctor/probe/child.ts. */
interface Line {
  readonly begin?: Stage;
  readonly end?: Stage;
  readonly failed?: Stage;
  readonly done?: true;
  readonly on?: string | null;
  readonly seconds?: number;
  readonly info?: NativeInfo;
  readonly device?: DeviceInfo;
  readonly libcuda?: string | null;
  readonly cudaLibraries?: string | null;
  readonly mapped?: readonly string[];
  readonly memoryBytes?: number;
  readonly loss?: number;
  readonly message?: string;
  readonly code?: string;
  readonly attempts?: readonly LibtorchAttempt[];
  readonly remedies?: readonly string[];
}

export async function runProbe(script: string, options: ProbeOptions): Promise<ProbeResult> {
  const { train, timeoutMs = probeTimeoutMs, signal } = options;
  const start = performance.now();
  // Named here and made there: a place that cannot be written to is for the stage that needs it to tell.
  const folder = path.join(os.tmpdir(), `torch-incremental-doctor-${randomUUID()}`);
  const child = await childOutput([script, String(process.pid), ...(train ? [folder] : [])], timeoutMs, signal);
  if (isThere(folder)) fs.rmSync(folder, { recursive: true });
  signal?.throwIfAborted();
  const lines = child.output.split('\n').flatMap(parseLine);
  /** What was told under that key, last. */
  const told = <Key extends keyof Line>(key: Key): Line[Key] | undefined =>
    lines.findLast((line) => line[key] !== undefined)?.[key];
  return {
    trained: train,
    stages: lines.flatMap(({ end, on = null, seconds = 0 }) => (end ? [{ stage: end, on, seconds }] : [])),
    info: told('info') ?? null,
    device: told('device') ?? null,
    libcuda: told('libcuda'),
    cudaLibraries: told('cudaLibraries') ?? null,
    mapped: told('mapped') ?? [],
    memoryBytes: told('memoryBytes') ?? null,
    loss: told('loss') ?? null,
    failure: failureOf(lines, child),
    seconds: (performance.now() - start) / 1000,
  };
}

function failureOf(lines: readonly Line[], { started, errors, end, signal }: ChildEnd): ProbeFailure | null {
  if (end === 'exit code 0' && lines.some(({ done }) => done)) return null;
  const last = lines.findLast(({ begin }) => begin);
  const failed = lines.findLast((line) => line.failed);
  return {
    started,
    stage: last?.begin ?? null,
    on: last?.on ?? null,
    message: failed?.message ?? `${end === 'exit code 0' ? 'ended without a result' : end}${summary(errors)}`,
    code: failed?.code ?? null,
    attempts: failed?.attempts ?? [],
    remedies: failed?.remedies ?? [],
    signal,
  };
}

function parseLine(line: string): Line[] {
  try {
    const parsed = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? [parsed] : [];
  } catch {
    return [];
  }
}

/** The message of an uncaught error as Node prints it, without its place and its stack. */
function summary(errors: string): string {
  const lines = errors.trim().split('\n');
  const first = lines.findIndex((line) => /^\w*Error\b/.test(line));
  const text = first < 0 ? lines : lines.slice(first);
  const stack = text.findIndex((line) => /^ {4}at /.test(line));
  const message = text.slice(0, stack < 0 ? 10 : stack).join('\n');
  return message ? `:\n${message}` : '';
}

interface ChildEnd {
  readonly started: boolean;
  readonly output: string;
  readonly errors: string;
  /** How it ended, in words. */
  readonly end: string;
  readonly signal: string | null;
}

function childOutput(args: string[], timeoutMs: number, stop: AbortSignal | undefined): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const said = { output: '', errors: '' };
    const end = (text: string, signal: string | null = null) => resolve({ started: true, ...said, end: text, signal });
    const notStarted = (cause: unknown) => resolve({ started: false, ...said, end: messageOf(cause), signal: null });
    let child: ChildProcess;
    try {
      // Electron's binary is Node only when told so.
      const env = { ...process.env, ...(process.versions.electron && { ELECTRON_RUN_AS_NODE: '1' }) };
      child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    } catch (cause) {
      // Node's permission model allows no child processes unless told to.
      return notStarted(cause);
    }
    let isLate = false;
    const kill = () => child.kill('SIGKILL');
    const timer = setTimeout(() => {
      isLate = kill();
    }, timeoutMs);
    stop?.addEventListener('abort', kill);
    if (stop?.aborted) kill();
    for (const [stream, name] of [
      [child.stdout, 'output'],
      [child.stderr, 'errors'],
    ] as const) {
      // Where the system has no more files for pipes there are none.
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    }
    const forget = () => {
      clearTimeout(timer);
      stop?.removeEventListener('abort', kill);
    };
    child.on('error', (cause) => {
      forget();
      notStarted(cause);
    });
    child.on('close', (code, signal) => {
      forget();
      if (isLate) end(`was ended, because it still ran after ${timeoutMs / 1000} s`);
      else end(signal === null ? `exit code ${code}` : `killed by ${signal}`, signal);
    });
  });
}
