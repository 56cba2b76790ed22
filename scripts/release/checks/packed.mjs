// Opens a tarball for the checks: unpacks it into a folder and lists its files.
import fs from 'node:fs';
import path from 'node:path';
import { extract } from 'tar';

/** Unpacks into `folder`, which is emptied first. */
export async function openTarball(tarball, folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  await extract({ file: tarball, cwd: folder, strip: 1 });
  return openFolder(folder, { tarball, bytes: fs.statSync(tarball).size });
}

/** `files` are relative paths, sorted. */
export function openFolder(folder, { tarball = null, bytes = 0 } = {}) {
  const files = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return { tarball, bytes, folder, files, manifest };
}
