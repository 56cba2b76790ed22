// Finds the libraries that a set of libraries needs and the dynamic linker would not find. Loads nothing. Searches like the
// linker: RPATH, LD_LIBRARY_PATH, RUNPATH, the system's cache, the system's folders.
import path from 'node:path';
import { messageOf } from '../core/errors';
import { type ElfNeeds, readNeeds } from './elf';
import type { Machine } from './machine';

export interface MissingLibrary {
  readonly library: string;
  /** The file that needs it. */
  readonly neededBy: string;
}

export interface Needs {
  /** Number of libraries that were found. */
  readonly found: number;
  readonly missing: readonly MissingLibrary[];
  /** Files that are not valid libraries, each with the reason. */
  readonly broken: readonly { readonly file: string; readonly text: string }[];
  /** Whether `missing` is reliable; false if the system's cache of libraries could not be read. */
  readonly sure: boolean;
}

const x64 = 62;

/** Follows `files` in the order in which they are opened. */
export async function findNeeds(files: readonly string[], machine: Machine): Promise<Needs> {
  const cache = await systemCache(machine);
  const state = {
    seen: new Map<string, string>(),
    missing: [] as MissingLibrary[],
    broken: [] as Needs['broken'][number][],
  };

  /** `inherited`: the RPATHs of the files that led here. */
  const follow = (file: string, inherited: readonly string[]): void => {
    let needs: ElfNeeds;
    try {
      needs = readNeeds(file);
      if (needs.machine !== x64 && machine.arch === 'x64') throw new Error('is for another kind of processor');
    } catch (cause) {
      state.broken.push({ file, text: messageOf(cause) });
      return;
    }
    if (needs.soname !== null) state.seen.set(needs.soname, file);
    const origin = path.dirname(machine.realPath(file));
    const own = (folders: readonly string[]) => folders.map((name) => name.replace(/\$(ORIGIN|\{ORIGIN\})/g, origin));
    // A file with a RUNPATH ignores every RPATH.
    const rpath = needs.runpath.length > 0 ? [] : [...own(needs.rpath), ...inherited];
    const folders = [...rpath, ...variable(machine), ...own(needs.runpath)];
    for (const library of needs.needed) {
      if (state.seen.has(library)) continue;
      const isThere = (name: string) => machine.exists(path.join(name, library));
      const folder = folders.find(isThere);
      const inSystem = () => cache?.get(library) ?? joined(systemFolders.find(isThere), library);
      const place = joined(folder, library) ?? inSystem();
      // Recorded before its own needs are followed: libraries may need each other.
      state.seen.set(library, place ?? '');
      if (place === undefined) state.missing.push({ library, neededBy: path.basename(file) });
      else follow(place, rpath);
    }
  };

  for (const file of files) follow(file, []);
  const found = [...state.seen.values()].filter((place) => place !== '').length;
  return { found, missing: state.missing, broken: state.broken, sure: cache !== null };
}

function joined(folder: string | undefined, name: string): string | undefined {
  return folder === undefined ? undefined : path.join(folder, name);
}

const systemFolders = [
  '/lib64',
  '/usr/lib64',
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib',
  '/usr/lib',
];

function variable({ env }: Machine): string[] {
  return (env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
}

/** Returns ldconfig's cache by name: `libm.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libm.so.6`; null if it cannot run. */
async function systemCache(machine: Machine): Promise<Map<string, string> | null> {
  // It is not on the PATH of most users.
  for (const command of ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig']) {
    const output = await machine.output(command, ['-p']);
    if (output === null) continue;
    const lines = output.matchAll(/^\s+(\S+) \((libc6,x86-64)[^)]*\) => (\S+)$/gm);
    return new Map([...lines].map(([, name, , file]) => [name!, file!] as const).reverse());
  }
  return null;
}
