// The machine as doctor's sections see it. It is one object, so that a test can describe any machine.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { freeBytes } from '../files/free-space';
import { homeFolder } from '../files/home-folder';
import { folderBytes, isThere, nearestThatExists } from '../files/stat';
import { glibcVersion } from '../libtorch/libc';

export interface Machine {
  /** As process.platform and process.arch. */
  readonly platform: string;
  readonly arch: string;
  /** The kernel's type and release, such as 'Linux 6.1.0', and its processor, such as 'x86_64'. */
  readonly kernel: string;
  readonly machine: string;
  /** undefined for another C library. */
  readonly glibc: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** null if it was deleted. */
  readonly cwd: string | null;
  /** null if it is not known. */
  readonly home: string | null;
  /** The folder that contains bin/node. */
  readonly prefix: string;
  readonly execArgv: readonly string[];
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly isMainThread: boolean;
  readonly cpuModel: string;
  /** Number of threads that this process may run in parallel. */
  readonly threads: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** Returns null if the file cannot be read. */
  text(file: string): string | null;
  /** Returns the names in a folder; none if it cannot be read. */
  list(folder: string): readonly string[];
  exists(file: string): boolean;
  /** Returns the path itself if it is not a link, or a broken one. */
  realPath(file: string): string;
  /** Whether files can be created in that folder, or in its nearest parent that exists. */
  writable(folder: string): boolean;
  /** Returns the free space on the disk of that folder, which need not exist; null if it is unknown. */
  freeBytes(folder: string): Promise<number | null>;
  /** Returns the size of all files in it; 0 if none exists. */
  folderBytes(folder: string): number;
  /** Returns the output of a program; null if it does not exist or fails. Rejects if doctor is aborted. */
  output(command: string, args: readonly string[]): Promise<string | null>;
}

/** Describes this machine. `signal` ends the programs that are run for it. */
export function thisMachine(signal?: AbortSignal): Machine {
  return {
    platform: process.platform,
    arch: process.arch,
    kernel: `${os.type()} ${os.release()}`,
    machine: os.machine(),
    glibc: process.platform === 'linux' ? glibcVersion() : undefined,
    env: process.env,
    cwd: attempt(() => process.cwd(), null),
    home: homeFolder(),
    prefix: path.dirname(path.dirname(process.execPath)),
    execArgv: process.execArgv,
    versions: process.versions,
    isMainThread,
    cpuModel: os.cpus()[0]?.model.trim() || 'unknown',
    threads: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    freeMemoryBytes: os.freemem(),
    text: (file) => attempt(() => fs.readFileSync(file, 'utf8'), null),
    list: (folder) => attempt(() => fs.readdirSync(folder), []),
    exists: isThere,
    realPath: (file) => attempt(() => fs.realpathSync(file), file),
    writable: (folder) => attempt(() => canMakeFolder(nearestThatExists(folder)), false),
    freeBytes: (folder) => freeBytes(folder).catch(() => null),
    folderBytes,
    output: async (command, args) => {
      const options = { timeout: 10_000, maxBuffer: 1 << 24, ...(signal && { signal }) };
      try {
        return (await promisify(execFile)(command, [...args], options)).stdout;
      } catch {
        signal?.throwIfAborted();
        return null;
      }
    },
  };
}

function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** Creates a folder to find out: permissions say nothing about root, or about read-only file systems. */
function canMakeFolder(where: string): true {
  fs.rmdirSync(fs.mkdtempSync(path.join(where, '.torch-incremental-doctor-')));
  return true;
}
