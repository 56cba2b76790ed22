// Distinguishes a clone of the repository from an installed package, for which messages give other advice.
import path from 'node:path';
import { isThere } from '../files/stat';

/** An installed package does not contain scripts/setup.mjs. */
export function isCheckout(): boolean {
  return isThere(path.join(__dirname, '..', '..', 'scripts', 'setup.mjs'));
}
