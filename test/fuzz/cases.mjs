// Makes the files of each target by seed and number: the same ones on every machine.
import { Random } from './random.mjs';
import { goodFiles } from './seeds.mjs';
import * as legacy from './targets/legacy.mjs';
import * as pickle from './targets/pickle.mjs';
import * as safetensors from './targets/safetensors.mjs';
import * as zip from './targets/zip.mjs';

const targets = { zip, pickle, legacy, safetensors };
export const targetNames = Object.keys(targets);

/** The extension selects the reader in Python, not in this library. */
export const endingOf = (target) => (target === 'safetensors' ? '.safetensors' : '.pth');

/** `folder`: honest files made by writeSeeds(), which lead to other files than without. */
export function casesFrom(folder) {
  const good = goodFiles(folder);
  return (target, seed, index) => targets[target].make(new Random(Math.imul(seed, 0x9e3779b1) + index), good);
}

export const caseOf = casesFrom();
