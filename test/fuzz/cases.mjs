// Makes the files of each target by seed and number: the same ones on every machine.
import { Random } from './random.mjs';
import { goodFiles } from './seeds.mjs';
import * as archives from './targets/archives.mjs';
import * as legacy from './targets/legacy.mjs';
import * as pickle from './targets/pickle.mjs';
import * as programs from './targets/programs.mjs';
import * as safetensors from './targets/safetensors.mjs';
import * as zip from './targets/zip.mjs';

const targets = { zip, pickle, legacy, safetensors, archives, programs };
export const targetNames = Object.keys(targets);

const endings = { safetensors: '.safetensors', archives: '.pt2', programs: '.json' };

/** The extension selects the reader in Python, and what worker.mjs does with the file. */
export const endingOf = (target) => endings[target] ?? '.pth';

/** Whether files of the target are models, which are run and not compared with Python. */
export const isModel = (target) => target === 'archives' || target === 'programs';

/** `folder`: honest files made by writeSeeds(), which lead to other files than without. */
export function casesFrom(folder) {
  const good = goodFiles(folder);
  return (target, seed, index) => targets[target].make(new Random(Math.imul(seed, 0x9e3779b1) + index), good);
}

export const caseOf = casesFrom();
