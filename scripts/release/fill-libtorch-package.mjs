// Makes the npm package of libtorch for a platform from the texts in the workspace and the libraries. Each library is compared
// with its checksum from PyTorch's own archive (renew-libtorch-package.mjs). The package is made outside the workspace: half a
// gigabyte does not belong in a working tree, and the workspace is private, so that it cannot be published empty.
import fs from 'node:fs';
import path from 'node:path';
import { readSums, sha256Of } from './checksums.mjs';
import { archiveOf, libtorchPackage } from './pin.mjs';

/** Copies the libtorch in `source` (its lib/ and the file of its version) into the folder `target`, which is emptied first. */
export async function fillLibtorchPackage(platform, source, target) {
  const { folder } = libtorchPackage(platform);
  const { sha256, sums } = readSums(folder);
  const pinned = archiveOf(platform).sha256;
  if (sha256 !== pinned) {
    throw new Error(
      `${path.join(folder, 'SHA256SUMS')} was made from an archive with the SHA-256 ${sha256}; libtorch.json pins ${pinned}. ` +
        'Renew it: node scripts/release/renew-libtorch-package.mjs WHEEL',
    );
  }
  fs.rmSync(target, { recursive: true, force: true });
  fs.cpSync(folder, target, { recursive: true });

  for (const [file, sum] of sums) {
    const copy = path.join(target, file);
    fs.mkdirSync(path.dirname(copy), { recursive: true });
    fs.copyFileSync(path.join(source, file), copy, fs.constants.COPYFILE_FICLONE);
    const found = await sha256Of(copy);
    if (found !== sum) {
      fs.rmSync(target, { recursive: true });
      throw new Error(`${path.join(source, file)} is not PyTorch's: its SHA-256 is ${found}, expected ${sum}`);
    }
  }
  const { private: _, ...manifest } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  fs.writeFileSync(path.join(target, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
