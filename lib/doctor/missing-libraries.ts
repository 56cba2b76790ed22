// Which libraries a set of libraries needs and cannot find, as the dynamic linker looks for them: in the folders that the
// files name, in LD_LIBRARY_PATH, in the system's cache, in the system's folders. Loads nothing.
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
  /** How many libraries were followed. */
  readonly found: number;
  readonly missing: readonly MissingLibrary[];
  /** Libraries that cannot be read as such: which, and why. */
  readonly broken: readonly { readonly file: string; readonly text: string }[];
  /** Whether what is missing can be trusted; false where the system's cache of libraries could not be asked. */
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
      // Before its own needs: libraries may need each other.
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

/** What ldconfig knows, by name: `libm.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libm.so.6`. null: could not be asked. */
async function systemCache(machine: Machine): Promise<Map<string, string> | null> {
  // Not on the PATH of most users.
  for (const command of ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig']) {
    const output = await machine.output(command, ['-p']);
    if (output === null) continue;
    const lines = output.matchAll(/^\s+(\S+) \((libc6,x86-64)[^)]*\) => (\S+)$/gm);
    return new Map([...lines].map(([, name, , file]) => [name!, file!] as const).reverse());
  }
  return null;
}
