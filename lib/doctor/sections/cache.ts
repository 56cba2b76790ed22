// Our folder for builds of libtorch: what is in it, and whether more can be put there.
import path from 'node:path';
import { bytes } from '../../core/format';
import { note, row, section, warning } from '../section';

export interface Facts {
  /** null where nothing tells where it is. */
  readonly folder: string | null;
  readonly exists: boolean;
  readonly writable: boolean;
  /** null where it cannot be told. */
  readonly freeBytes: number | null;
  /** By the names of the folders in it. */
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
          // Where there is a libtorch, nothing need be put there.
          (chosen?.problem === null ? note : warning)(
            'cache-not-writable',
            folder === null
              ? 'Neither HOME nor XDG_CACHE_HOME names a folder for builds of libtorch: none can be installed.'
              : `Nothing can be written to ${folder}: no build of libtorch can be installed there.`,
            folder === null
              ? 'Set one of them to an absolute path.'
              : 'Give this user the folder, or name another one in XDG_CACHE_HOME.',
          ),
        ],
  rows: ({ folder, exists, writable, freeBytes, sizes }) => [
    row('folder', folder === null ? 'not known' : `${folder}${exists ? '' : ' (not there yet)'}`),
    row('writable', writable ? 'yes' : 'no', writable ? 'good' : 'doubtful'),
    row('free', freeBytes === null ? 'could not tell' : bytes(freeBytes)),
    ...Object.entries(sizes).map(([name, size]) => row(name, bytes(size))),
  ],
});
