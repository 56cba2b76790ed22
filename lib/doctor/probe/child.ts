// Run by lib/doctor/doctor.ts in a process of its own, because a wrong libtorch or CPU can end a process. Goes through its stages
// and says a line of JSON when one begins and when it ended, so that whoever reads knows how far it came: `probe.js PARENT
// [FOLDER]`, with the pid of who reads, and to train with the place for files, which who reads takes away.
import fs from 'node:fs';
import { messageOf } from '../../core/errors';
import { cudaLibraryProblem, openLoader } from '../../libtorch/open';
import { chooseDevice, type Device, planDevice } from '../../native/device';
import { native } from '../../native/native';

function say(line: object): void {
  // Not by a stream: what was said before a crash must have arrived.
  fs.writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Ends the process where the stage fails: what comes behind would only fail too. */
async function stage<T extends object>(name: string, on: string | null, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  say({ begin: name, on });
  try {
    const result = await work();
    say({ end: name, on, seconds: (performance.now() - start) / 1000, ...result });
    return result;
  } catch (error) {
    say({ failed: name, on, ...describe(error) });
    process.exit(1);
  }
}

interface Told {
  readonly code?: unknown;
  readonly attempts?: unknown;
  readonly remedies?: unknown;
}

function describe(error: unknown): object {
  const { code, attempts, remedies }: Told = { ...((error as Error).cause as Told), ...(error as Told) };
  return { message: messageOf(error), code, attempts, remedies };
}

/** What the dynamic linker says of the NVIDIA driver's library, null where it opens; nothing where that cannot be asked. */
function openDriver(): { libcuda?: string | null } {
  try {
    const loader = openLoader();
    loader.endWithParent(Number(process.argv[2]));
    return { libcuda: loader.open('libcuda.so.1', false) };
  } catch {
    return {};
  }
}

/** Files mapped into this process. */
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
  say({ done: true, memoryBytes: process.memoryUsage.rss() });
}

void main();
