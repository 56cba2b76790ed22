// Reads the parts of libtorch.json that a release needs: the version, the platforms, and the checksums of archives.
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../setup/steps.mjs';

const pin = JSON.parse(fs.readFileSync(path.join(root, 'libtorch.json'), 'utf8'));
export const libtorchVersion = pin.version;

/** Platforms with a prebuilt addon and a package of libtorch: 'linux-x64' … */
export const builtPlatforms = Object.keys(pin.platforms).filter((name) => pin.platforms[name].built);

/** Returns the archive from which the libraries of the platform's npm package are taken: { url, sha256 }. */
export function archiveOf(platform) {
  if (!builtPlatforms.includes(platform))
    throw new Error(
      `Nothing is released for ${platform}: libtorch.json says that ${builtPlatforms.join(', ')} is built`,
    );
  return archivesOf(pin.platforms[platform])[0];
}

/** Returns all archives with a checksum in libtorch.json. */
export function pinnedArchives() {
  return Object.values(pin.platforms)
    .flatMap(archivesOf)
    .filter(({ sha256 }) => sha256);
}

/** Returns a platform's archives, those of the variant cpu first. */
function archivesOf({ variants = {} }) {
  const { cpu, ...others } = variants;
  return [cpu, ...Object.values(others)].filter(Boolean).flatMap(({ archives }) => archives);
}

/** Returns the npm package with libtorch for a platform: its name, and its folder in this repository. */
export function libtorchPackage(platform) {
  const name = `libtorch-${platform}-cpu`;
  return { name: `@torch-incremental/${name}`, folder: path.join(root, 'packages', name) };
}
