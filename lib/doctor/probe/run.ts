// Runs the probe (lib/doctor/probe/child.ts) in a child process and reports the result, however the process ends.
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

/** Long enough for gigabytes of libraries on a slow disk, and longer than the limit in lib/libtorch/verify.ts. */
const probeTimeoutMs = 300_000;

export interface ProbeOptions {
  /** Also train. */
  readonly train: boolean;
  readonly timeoutMs?: number;
  /** Ends the process; the call then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Stages of the probe, in order. From 'product' on they run only when training, once for each device. */
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
  /** The device; null before one is chosen. */
  readonly on: string | null;
  readonly seconds: number;
}

export interface ProbeFailure {
  /** false if no process could be started, so that nothing is known. */
  readonly started: boolean;
  /** null if the first stage never began. */
  readonly stage: Stage | null;
  readonly on: string | null;
  /** The error's message, or how the process ended. */
  readonly message: string;
  /** Code of a LearnError. */
  readonly code: string | null;
  readonly attempts: readonly LibtorchAttempt[];
  readonly remedies: readonly string[];
  /** The signal that ended the process. */
  readonly signal: string | null;
}

export interface ProbeResult {
  /** Whether it was asked to train. */
  readonly trained: boolean;
  readonly stages: readonly StageDone[];
  /** Facts about the addon; null if it could not be loaded. */
  readonly info: NativeInfo | null;
  /** The device that 'auto' chooses; null if that could not be determined. */
  readonly device: DeviceInfo | null;
  /** Reason why the NVIDIA driver's library does not open; null if it does; undefined if that could not be tried. */
  readonly libcuda: string | null | undefined;
  /** Reason why libtorch's own CUDA libraries do not open; null if they do, or if it has none. */
  readonly cudaLibraries: string | null;
  /** Files mapped into the process that had libtorch loaded. */
  readonly mapped: readonly string[];
  /** Memory of that process at its end. */
  readonly memoryBytes: number | null;
  /** Loss of the training step; null if it did not run to its end. */
  readonly loss: number | null;
  /** null if the child completed all stages. */
  readonly failure: ProbeFailure | null;
  readonly seconds: number;
}

/** A line that the script prints: see lib/doctor/probe/child.ts. */
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
  // The child creates it: if that fails, the stage that needs it reports the error.
  const folder = path.join(os.tmpdir(), `torch-incremental-doctor-${randomUUID()}`);
  const child = await childOutput([script, String(process.pid), ...(train ? [folder] : [])], timeoutMs, signal);
  if (isThere(folder)) fs.rmSync(folder, { recursive: true });
  signal?.throwIfAborted();
  const lines = child.output.split('\n').flatMap(parseLine);
  /** Returns the last value that was reported under the key. */
  const last = <Key extends keyof Line>(key: Key): Line[Key] | undefined =>
    lines.findLast((line) => line[key] !== undefined)?.[key];
  return {
    trained: train,
    stages: lines.flatMap(({ end, on = null, seconds = 0 }) => (end ? [{ stage: end, on, seconds }] : [])),
    info: last('info') ?? null,
    device: last('device') ?? null,
    libcuda: last('libcuda'),
    cudaLibraries: last('cudaLibraries') ?? null,
    mapped: last('mapped') ?? [],
    memoryBytes: last('memoryBytes') ?? null,
    loss: last('loss') ?? null,
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

/** Extracts the message of an uncaught error from Node's output, without its location and stack. */
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
  /** Description of how the process ended. */
  readonly end: string;
  readonly signal: string | null;
}

function childOutput(args: string[], timeoutMs: number, stop: AbortSignal | undefined): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const texts = { output: '', errors: '' };
    const end = (text: string, signal: string | null = null) => resolve({ started: true, ...texts, end: text, signal });
    const notStarted = (cause: unknown) => resolve({ started: false, ...texts, end: messageOf(cause), signal: null });
    let child: ChildProcess;
    try {
      // Makes Electron's executable behave as Node.
      const env = { ...process.env, ...(process.versions.electron && { ELECTRON_RUN_AS_NODE: '1' }) };
      child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    } catch (cause) {
      // Node's permission model forbids child processes by default.
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
      // The streams are missing if the system has no file descriptors left for pipes.
      stream?.setEncoding('utf8').on('data', (text: string) => {
        texts[name] += text;
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
