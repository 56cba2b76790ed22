// What doctor's sections ask of the machine they run on. One object, so that a test can be any machine.
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
  /** As process.platform and process.arch have them. */
  readonly platform: string;
  readonly arch: string;
  /** What the kernel says: type and release, such as 'Linux 6.1.0'; and its processor, such as 'x86_64'. */
  readonly kernel: string;
  readonly machine: string;
  /** undefined: another C library. */
  readonly glibc: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** null where it was deleted. */
  readonly cwd: string | null;
  /** null where it is not known. */
  readonly home: string | null;
  /** The directory that holds bin/node. */
  readonly prefix: string;
  readonly execArgv: readonly string[];
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly isMainThread: boolean;
  readonly cpuModel: string;
  /** That this process may run on at once. */
  readonly threads: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** null where the file cannot be read. */
  text(file: string): string | null;
  /** Names; none where the folder cannot be read. */
  list(folder: string): readonly string[];
  exists(file: string): boolean;
  /** The file itself where it is no link, or a broken one. */
  realPath(file: string): string;
  /** Whether files can be made in that folder, or in the nearest above it that exists. */
  writable(folder: string): boolean;
  /** On the disk of that folder, as it is or will be; null where that cannot be told. */
  freeBytes(folder: string): Promise<number | null>;
  /** Of all files under it; 0 where there are none. */
  folderBytes(folder: string): number;
  /** What a program prints; null where it is not there, or fails. Rejects where doctor is aborted. */
  output(command: string, args: readonly string[]): Promise<string | null>;
}

/** `signal` ends the programs that it asks. */
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

/** By making one: permissions tell nothing to root, nor of file systems that are read-only. */
function canMakeFolder(where: string): true {
  fs.rmdirSync(fs.mkdtempSync(path.join(where, '.torch-incremental-doctor-')));
  return true;
}
