// Reports on the cache of libtorch builds: its content, and whether more can be installed.
import path from 'node:path';
import { bytes } from '../../core/format';
import { note, row, section, warning } from '../section';

export interface Facts {
  /** null if neither HOME nor XDG_CACHE_HOME is set. */
  readonly folder: string | null;
  readonly exists: boolean;
  readonly writable: boolean;
  /** null if it is unknown. */
  readonly freeBytes: number | null;
  /** Sizes by the names of the folders in it. */
  readonly sizes: Readonly<Record<string, number>>;
}

export const cache = section<Facts>({
  title: 'Cache',
  async look({ machine, cacheRoot: folder }) {
    if (folder === null) return { folder, exists: false, writable: false, freeBytes: null, sizes: {} };
    const builds = machine.list(folder).filter((name) => machine.list(path.join(folder, name)).length > 0);
    return {
      folder,
      exists: machine.exists(folder),
      writable: machine.writable(folder),
      freeBytes: await machine.freeBytes(folder),
      sizes: Object.fromEntries(builds.map((name) => [name, machine.folderBytes(path.join(folder, name))])),
    };
  },
  judge: ({ folder, writable }, { chosen }) =>
    writable
      ? []
      : [
          // If there is a usable libtorch, nothing has to be installed.
          (chosen?.problem === null ? note : warning)(
            'cache-not-writable',
            folder === null
              ? 'Neither HOME nor XDG_CACHE_HOME names a folder for builds of libtorch: none can be installed.'
              : `Nothing can be written to ${folder}: no build of libtorch can be installed there.`,
            folder === null
              ? 'Set one of them to an absolute path.'
              : 'Give this user access to the folder, or name another one in XDG_CACHE_HOME.',
          ),
        ],
  rows: ({ folder, exists, writable, freeBytes, sizes }) => [
    row('folder', folder === null ? 'not known' : `${folder}${exists ? '' : ' (does not exist yet)'}`),
    row('writable', writable ? 'yes' : 'no', writable ? 'good' : 'doubtful'),
    row('free', freeBytes === null ? 'unknown' : bytes(freeBytes)),
    ...Object.entries(sizes).map(([name, size]) => row(name, bytes(size))),
  ],
});
