// Finds the NVIDIA driver of this machine. findDriver() looks at files only, because it runs whenever libtorch is loaded.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { isThere } from '../files/stat';

export interface Driver {
  /** null if the driver's version is unknown. */
  readonly version: string | null;
}

/** The kernel module reports its version; the Windows Subsystem for Linux has only the library. */
const moduleFile = '/proc/driver/nvidia/version';
const subsystemLibrary = '/usr/lib/wsl/lib/libcuda.so.1';

/** Returns null if there is no driver. */
export function findDriver(file = moduleFile, library = subsystemLibrary): Driver | null {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch {
    return isThere(library) ? { version: null } : null;
  }
  // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  …", followed by the version of the compiler.
  return { version: /Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)/.exec(text)?.[1] ?? null };
}

/** Whether `driver` is new enough. An unknown version counts as new enough. */
export function runs(minimum: string | null, driver: Driver | null): boolean {
  if (minimum === null) return true;
  if (driver === null) return false;
  return driver.version === null || compareVersions(driver.version, minimum) >= 0;
}

/** Compares versions part by part. Returns a number below, at or above zero. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** As findDriver(), but runs nvidia-smi if no file reports the version. */
export async function askDriver(found: Driver | null = findDriver()): Promise<Driver | null> {
  if (found?.version) return found;
  try {
    const args = ['--query-gpu=driver_version', '--format=csv,noheader'];
    const { stdout } = await promisify(execFile)('nvidia-smi', args, { timeout: 5000 });
    const version = /^\d+(\.\d+)+/.exec(stdout)?.[0];
    return version ? { version } : found;
  } catch {
    return found;
  }
}
