// Publishes tarballs in the given order: libtorch's packages first, the main one last, so that no version can be installed
// without its parts. A published package must be the same file: libtorch's package is used by many releases.
//   node scripts/release/publish.mjs [--dry-run] a.tgz b.tgz
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execute, say } from '../setup/steps.mjs';
import { openTarball } from './checks/packed.mjs';

const npm = (...args) => execute('npm', args);

export async function publish(tarballs, { dryRun }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-'));
  try {
    for (const tarball of tarballs) {
      const { manifest } = await openTarball(tarball, path.join(folder, 'package'));
      const name = `${manifest.name}@${manifest.version}`;
      const integrity = `sha512-${createHash('sha512').update(fs.readFileSync(tarball)).digest('base64')}`;
      const published = await npm('view', name, 'dist.integrity', '--loglevel=silent');
      const found = published.ok ? published.output.trim() : '';
      if (found === integrity) {
        say(`${name} is already published, with the same file.`);
      } else if (found !== '') {
        throw new Error(
          `${name} is already published with another file: ${found}, here ${integrity}. ` +
            'Give it a new version (docs/releasing.md), or build it with the Node that built the first.',
        );
      } else {
        const { ok, output } = await npm(
          'publish',
          path.resolve(tarball),
          '--loglevel=error',
          '--access',
          'public',
          ...(dryRun ? ['--dry-run'] : []),
        );
        if (!ok) throw new Error(`npm publish ${name} failed:\n${output}`);
        say(`${name} ${dryRun ? 'would be' : 'is'} published.`);
      }
    }
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const args = process.argv.slice(2);
  await publish(
    args.filter((one) => !one.startsWith('--')),
    { dryRun: args.includes('--dry-run') },
  );
}
