// Runs a probe script (lib/probe.ts) in a child process and tells what became of it, whatever that is.
import { spawn } from 'node:child_process';
import type { DeviceInfo } from '../device';
import { messageOf } from '../errors';
import type { NativeInfo } from '../native';

/** Slow disks take a while over half a gigabyte of libraries. */
const probeTimeoutMs = 120_000;

export interface ProbeResult {
  /** What the addon said of itself; null when it could not be loaded. */
  readonly info: NativeInfo | null;
  /** What 'auto' takes; null when that could not be found out. */
  readonly device: DeviceInfo | null;
  /** The loss of one training step; null when none was asked for or it did not end. */
  readonly loss: number | null;
  /** null when the child did all that it was asked to do. */
  readonly error: string | null;
  readonly seconds: number;
}

type ProbeLine =
  | { stage: 'loaded'; info: NativeInfo }
  | { stage: 'device'; device: DeviceInfo }
  | { stage: 'trained'; loss: number };

export async function runProbe(script: string, train: boolean, timeoutMs = probeTimeoutMs): Promise<ProbeResult> {
  const start = performance.now();
  const { output, errors, end } = await childOutput([script, ...(train ? ['--train'] : [])], timeoutMs);
  const lines = output.split('\n').flatMap(parseLine);
  const info = lines.find((line) => line.stage === 'loaded')?.info ?? null;
  const device = lines.find((line) => line.stage === 'device')?.device ?? null;
  const loss = lines.find((line) => line.stage === 'trained')?.loss ?? null;
  const complete = info !== null && (!train || loss !== null);
  const where = info === null ? 'while loading libtorch and the addon' : 'in the training step';
  const failure = end === 'exit code 0' ? 'ended without a result' : end;
  const error = end === 'exit code 0' && complete ? null : `${failure} ${where}${summary(errors)}`;
  return { info, device, loss, error, seconds: (performance.now() - start) / 1000 };
}

function parseLine(line: string): ProbeLine[] {
  try {
    return [JSON.parse(line) as ProbeLine];
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

function childOutput(args: string[], timeoutMs: number): Promise<{ output: string; errors: string; end: string }> {
  return new Promise((resolve) => {
    let output = '';
    let errors = '';
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const finish = (end: string) => {
      clearTimeout(timer);
      resolve({ output, errors, end });
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('error', (cause) => finish(messageOf(cause)));
    child.on('close', (code, signal) => finish(signal === null ? `exit code ${code}` : `killed by ${signal}`));
  });
}
