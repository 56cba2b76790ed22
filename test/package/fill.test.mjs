// Tests filling the package of libtorch: only with PyTorch's own bits, and completely or not at all.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { readSums, writeSums } from '../../scripts/release/checksums.mjs';
import { fillLibtorchPackage } from '../../scripts/release/fill-libtorch-package.mjs';
import { archiveOf, builtPlatforms, libtorchPackage, libtorchVersion } from '../../scripts/release/pin.mjs';
import { temporaryFolder } from '../support.mjs';
import { manifest } from './tarballs.mjs';

describe("libtorch's package", () => {
  const folder = temporaryFolder();

  for (const platform of builtPlatforms) {
    const { name, folder: workspace } = libtorchPackage(platform);

    it(`is there for ${platform}, of the pinned version and with sums of the pinned archive`, () => {
      assert.deepEqual([manifest(workspace).name, manifest(workspace).version], [name, libtorchVersion]);
      assert.equal(readSums(workspace).sha256, archiveOf(platform).sha256);
    });

    it(`is not filled with libraries that are not PyTorch's (${platform})`, async () => {
      for (const file of readSums(workspace).sums.keys()) {
        fs.mkdirSync(path.dirname(folder(`source/${file}`)), { recursive: true });
        fs.writeFileSync(folder(`source/${file}`), 'other bits');
      }
      await assert.rejects(
        fillLibtorchPackage(platform, folder('source'), folder('target')),
        /source\/lib\/libc10\.so is not PyTorch's: its SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}/,
      );
      assert.ok(!fs.existsSync(folder('target')));
    });
  }

  it('reads from its file of sums what was written', () => {
    const written = { archive: 'torch.whl', sha256: 'ab', sums: new Map([['lib/a.so', 'c'.repeat(64)]]) };
    writeSums(folder(), written);
    assert.deepEqual(readSums(folder()), written);
  });
});
