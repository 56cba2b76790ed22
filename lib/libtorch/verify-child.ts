// Loads a libtorch and the addon in a child process of verify.ts: `verify-child.js FOLDER PARENT`, where PARENT is the pid of the
// waiting process. Prints a line of JSON when it begins and one when it is done. If the second is missing, loading crashed.

import { messageOf } from '../core/errors';
import { openAddon } from './addon';
import type { Problem } from './candidates';
import { openLibtorch, openLoader } from './open';

function verdict(folder: string, parent: number): Problem | null {
  openLoader().endWithParent(parent);
  const problem = openLibtorch(folder);
  if (problem !== null) return problem;
  try {
    (openAddon('torch_incremental') as { info(): unknown }).info();
    return null;
  } catch (error) {
    return { code: 'ERR_LIBTORCH_LOAD', text: `loads, but the addon does not load with it: ${messageOf(error)}` };
  }
}

console.log(JSON.stringify({ began: true }));
console.log(JSON.stringify({ problem: verdict(process.argv[2] as string, Number(process.argv[3])) }));
