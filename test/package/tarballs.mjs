// The tarballs as they would be published, for every test that looks into them or installs them: made once, and again only
// when something in them has changed.
import fs from 'node:fs';
import path from 'node:path';
import { makeTarballs, platform } from '../../scripts/release/pack.mjs';
import { builtPlatforms } from '../../scripts/release/pin.mjs';

let made;

/** { main, libtorch }: paths. Takes half a minute the first time. Call in before() or in a test. */
export function tarballs() {
  made ??= makeTarballs();
  return made;
}

/** Skips the test in hand where no tarball is made: on platforms without a prebuilt addon. */
export function needsTarballs(test) {
  if (!builtPlatforms.includes(platform)) test.skip();
}

/** What is in a package.json of this repository, by the folder it is in. */
export function manifest(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
}
