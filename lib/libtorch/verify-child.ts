// Run by verify.ts in a process of its own: `verify-child.js FOLDER PARENT`, with the pid of who waits for it. Loads libtorch
// from there and the addon with it, and says a line of JSON when it begins and one when it is done; that it gets there is the
// news.

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
