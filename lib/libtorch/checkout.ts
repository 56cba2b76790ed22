// Whether this is a clone of the repository or an installed package: messages advise differently.
import path from 'node:path';
import { isThere } from '../files/stat';

/** An installed package has no script for its own set-up. */
export function isCheckout(): boolean {
  return isThere(path.join(__dirname, '..', '..', 'scripts', 'setup.mjs'));
}
