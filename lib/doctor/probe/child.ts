// Loads libtorch and trains in a child process of lib/doctor/doctor.ts, because a wrong libtorch or CPU can crash a process.
// `child.js PARENT [FOLDER]`: PARENT is the pid of the reading process. With FOLDER, a place for files that the reader removes,
// it also trains. Prints a line of JSON when a stage begins and when it ends, so that the reader knows how far it got.
import fs from 'node:fs';
import { messageOf } from '../../core/errors';
import { cudaLibraryProblem, openLoader } from '../../libtorch/open';
import { chooseDevice, type Device, planDevice } from '../../native/device';
import { native } from '../../native/native';

function report(line: object): void {
  // Written synchronously: lines before a crash must arrive.
  fs.writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Runs a stage. Ends the process if it fails, because the following stages would fail too. */
async function stage<T extends object>(name: string, on: string | null, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  report({ begin: name, on });
  try {
    const result = await work();
    report({ end: name, on, seconds: (performance.now() - start) / 1000, ...result });
    return result;
  } catch (error) {
    report({ failed: name, on, ...failureOf(error) });
    process.exit(1);
  }
}

interface ErrorFacts {
  readonly code?: unknown;
  readonly attempts?: unknown;
  readonly remedies?: unknown;
}

function failureOf(error: unknown): object {
  const { code, attempts, remedies }: ErrorFacts = {
    ...((error as Error).cause as ErrorFacts),
    ...(error as ErrorFacts),
  };
  return { message: messageOf(error), code, attempts, remedies };
}

/** Opens the NVIDIA driver's library: null if it opens, else the dynamic linker's message; {} if it cannot be tried. */
function openDriver(): { libcuda?: string | null } {
  try {
    const loader = openLoader();
    loader.endWithParent(Number(process.argv[2]));
    return { libcuda: loader.open('libcuda.so.1', false) };
  } catch {
    return {};
  }
}

/** Returns the files that are mapped into this process. */
function mappedFiles(): string[] {
  try {
    const lines = fs.readFileSync('/proc/self/maps', 'utf8').matchAll(/^\S+ \S+ \S+ \S+ \S+ +(\/.*)$/gm);
    return [...new Set([...lines].map(([, file]) => file!))];
  } catch {
    return [];
  }
}

async function main(): Promise<void> {
  await stage('driver', null, openDriver);
  await stage('load', null, () => ({
    info: native().info(),
    cudaLibraries: cudaLibraryProblem(),
    mapped: mappedFiles(),
    memoryBytes: process.memoryUsage.rss(),
  }));
  const { device } = await stage('device', null, async () => ({ device: await chooseDevice() }));
  const folder = process.argv[3];
  if (folder !== undefined) {
    const { trialChecks } = await import('./checks.js');
    const devices = ['cpu', ...(device.type === 'cuda' ? [planDevice(device)] : [])] as Device[];
    for (const on of devices)
      for (const [name, check] of Object.entries(trialChecks)) await stage(name, on, () => check(on, folder));
  }
  report({ done: true, memoryBytes: process.memoryUsage.rss() });
}

void main();
