// The files of each target, by seed and number: the same ones on every machine.
import { Random } from './random.mjs';
import { goodFiles } from './seeds.mjs';
import * as legacy from './targets/legacy.mjs';
import * as pickle from './targets/pickle.mjs';
import * as safetensors from './targets/safetensors.mjs';
import * as zip from './targets/zip.mjs';

const targets = { zip, pickle, legacy, safetensors };
export const targetNames = Object.keys(targets);

/** What the file in hand is called. */
export const fileName = 'case.pth';

const good = goodFiles();

export function caseOf(target, seed, index) {
  return targets[target].make(new Random(Math.imul(seed, 0x9e3779b1) + index), good);
}
