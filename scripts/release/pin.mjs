// What the release has to know of libtorch.json: which version, for which platforms, and the checksum of its archive.
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../setup/steps.mjs';

const pin = JSON.parse(fs.readFileSync(path.join(root, 'libtorch.json'), 'utf8'));
export const libtorchVersion = pin.version;

/** Those with a prebuilt addon and a package of libtorch: 'linux-x64' … */
export const builtPlatforms = Object.keys(pin.platforms).filter((name) => pin.platforms[name].built);

/** The archive that the libraries of the platform's npm package are taken from: { url, sha256 }. */
export function archiveOf(platform) {
  if (!builtPlatforms.includes(platform))
    throw new Error(
      `Nothing is released for ${platform}: libtorch.json says that ${builtPlatforms.join(', ')} is built`,
    );
  return archivesOf(pin.platforms[platform])[0];
}

/** Every archive whose checksum libtorch.json knows. */
export function pinnedArchives() {
  return Object.values(pin.platforms)
    .flatMap(archivesOf)
    .filter(({ sha256 }) => sha256);
}

/** Those of the variant cpu first. */
function archivesOf({ variants = {} }) {
  const { cpu, ...others } = variants;
  return [cpu, ...Object.values(others)].filter(Boolean).flatMap(({ archives }) => archives);
}

/** The npm package with libtorch for a platform: its name, and its folder in this repository. */
export function libtorchPackage(platform) {
  const name = `libtorch-${platform}-cpu`;
  return { name: `@torch-incremental/${name}`, folder: path.join(root, 'packages', name) };
}
