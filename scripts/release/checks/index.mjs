// Lists all checks of a release, named by the expected result. A check receives the context of openRelease() and returns the
// problems it found, as sentences.
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../setup/steps.mjs';
import { readSums } from '../checksums.mjs';
import { archiveOf, builtPlatforms, libtorchVersion } from '../pin.mjs';
import { libtorchContents, mainContents, scripts, sizes } from './contents.mjs';
import { buildPaths, dependencies, floor, linking, loads } from './elf.mjs';
import { checksums, notices, targets } from './libtorch.mjs';
import { openTarball } from './packed.mjs';
import { publint, reproducible, types } from './tools.mjs';
import { lockfile, versions } from './versions.mjs';

export const checks = {
  'the main package holds what it should and nothing else': mainContents,
  "libtorch's package holds what it should and nothing else": libtorchContents,
  'neither package is larger than allowed': sizes,
  'no script runs when they are installed': scripts,
  'versions agree': versions,
  'package-lock.json agrees and names no registry': lockfile,
  "libtorch's package is for its platform, the main one for all": targets,
  "the libraries are PyTorch's": checksums,
  'every licence is included and named': notices,
  'the addon needs libtorch and no CUDA': dependencies,
  'the addon is bound when loaded, and stripped': linking,
  'the addon loads wherever libtorch does': floor,
  'the addon loads with that libtorch': loads,
  'no path of this machine is inside': buildPaths,
  'publint finds nothing': publint,
  'types are right for require and import': types,
  'packing twice gives the same file': reproducible,
};

/** Unpacks both tarballs into `folder`. `all`: include slow checks. */
export async function openRelease(tarballs, folder, { platform, all = true }) {
  const libtorch = await openTarball(tarballs.libtorch, path.join(folder, 'libtorch'));
  const { sums, sha256: sumsOf } = readSums(libtorch.folder);
  return {
    main: await openTarball(tarballs.main, path.join(folder, 'main')),
    libtorch,
    sums,
    sumsOf,
    platform,
    platforms: builtPlatforms,
    all,
    libtorchVersion,
    archive: archiveOf(platform),
    changelog: fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8'),
    lock: fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'),
  };
}
