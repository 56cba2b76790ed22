// Whether this is a clone of the repository or an installed package: messages advise differently.
import fs from 'node:fs';
import path from 'node:path';

/** An installed package has no script for its own set-up. */
export function isCheckout(): boolean {
  return fs.existsSync(path.join(__dirname, '..', '..', 'scripts', 'setup.mjs'));
}
