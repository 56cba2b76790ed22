// `torch-incremental versions`: lists the versions that a learner keeps, and reproduces one from the journal.
import path from 'node:path';
import { isNumber } from '../../core/checks';
import { count, counted, percent } from '../../core/format';
import { reproduceVersion } from '../../online/recovery/reproduce';
import { VersionFiles } from '../../online/versions/files';
import type { VersionInfo } from '../../online/versions/version';
import { command as define, number, on } from '../command';
import { plainTable } from '../tables';

export const command = define({
  name: 'versions',
  description: [
    'Lists the versions that an online learner keeps in its folder. With --reproduce',
    'replays its journal from before that version, and reports whether that leads to',
    'the same bits.',
  ].join('\n'),
  argument: 'dir',
  options: {
    reproduce: number('n', 'Reproduce version n from a snapshot and the journal', {
      check: isNumber({ integer: true, min: 1 }),
    }),
    json: on('Print the result as one line of JSON'),
  },
  examples: ['versions ./learner', 'versions ./learner --reproduce 12'],
  async run(dir, { reproduce, json }, { terminal }) {
    if (reproduce !== undefined) {
      const result = await reproduceVersion(dir, reproduce);
      const { version, records, from } = result;
      if (json) terminal.print(JSON.stringify(result));
      else {
        terminal.print(
          `version ${version.version} again, from record ${from} on through ${counted(records, 'record')}:`,
        );
        terminal.print(version.sha256);
      }
      return 0;
    }
    const { versions, unreadable } = await new VersionFiles(path.join(dir, 'versions')).list();
    terminal.print(json ? JSON.stringify(versions) : versionTable(versions, terminal.colors.dim));
    for (const { message } of unreadable) terminal.note(message);
    return unreadable.length > 0 ? 1 : 0;
  },
});

function versionTable(versions: readonly VersionInfo[], dim: (text: string) => string): string {
  return plainTable(
    ['version', 'parent', 'updates', 'held out', 'sha256', 'made'].map(dim),
    ['right', 'right', 'right', 'right', 'left', 'left'],
    versions.map(({ version, parent, updates, accuracy, sha256, created }) => [
      ...[count(version), parent === null ? '–' : count(parent), count(updates), percent(accuracy ?? Number.NaN)],
      ...[sha256.slice(0, 12), new Date(created).toISOString().slice(0, 19).replace('T', ' ')],
    ]),
  );
}
