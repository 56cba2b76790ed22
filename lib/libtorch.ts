// Finds libtorch and opens it before the addon, so that the addon's symbols resolve by library name.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LearnError } from './errors';
import { addonPath } from './native';

export function loadLibtorch(): string {
  const folder =
    process.env.TORCH_INCREMENTAL_LIBTORCH ?? path.join(os.homedir(), '.cache/torch-incremental/libtorch/2.13.0+cpu');
  const holder = { exports: {} as { open(path: string, global: boolean): string | null } };
  process.dlopen(holder as unknown as NodeModule, addonPath('loader'));
  for (const [name, global] of [
    ['libtorch_global_deps.so', true],
    ['libtorch.so', false],
  ] as const) {
    const file = path.join(folder, 'lib', name);
    if (!fs.existsSync(file)) continue;
    const error = holder.exports.open(file, global);
    if (error) throw new LearnError('ERR_LIBTORCH_LOAD', error);
  }
  return folder;
}
