// Makes the tarballs as they would be published, for every test that reads or installs them: once, and again only
// if their content has changed.
import fs from 'node:fs';
import path from 'node:path';
import { makeTarballs, platform } from '../../scripts/release/pack.mjs';
import { builtPlatforms } from '../../scripts/release/pin.mjs';

let made;

/** Returns the paths { main, libtorch }. Takes half a minute the first time. Call in before() or in a test. */
export function tarballs() {
  made ??= makeTarballs();
  return made;
}

/** Skips the current test on platforms without a prebuilt addon, for which no tarball is made. */
export function needsTarballs(test) {
  if (!builtPlatforms.includes(platform)) test.skip();
}

/** Reads a package.json of this repository by its folder. */
export function manifest(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
}
