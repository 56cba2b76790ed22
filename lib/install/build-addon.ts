// Compiles the addon for `torch-incremental build`: chooses the libtorch to compile against, and leaves the rest to the setup
// scripts, which are part of the package.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { LearnError, messageOf } from '../core/errors';
import { libtorchCandidates } from '../libtorch/candidates';
import { libtorchError } from '../libtorch/error';
import { pin } from '../libtorch/manifest';

interface ByHand {
  buildByHand(options: { libtorch: string; project: string }): Promise<string>;
}

/** Returns the folder of the compiled addon. Rejects with ERR_BUILD, or with ERR_LIBTORCH_* if no libtorch can be used. */
export async function buildAddon(project: string): Promise<string> {
  const libtorch = libtorchToBuildWith();
  const script = path.join(__dirname, '..', '..', 'scripts', 'setup', 'by-hand.mjs');
  // The scripts are JavaScript, because in a checkout they run before anything is compiled.
  const { buildByHand } = (await import(pathToFileURL(script).href)) as ByHand;
  try {
    return await buildByHand({ libtorch, project });
  } catch (cause) {
    const { syscall, path: file } = cause as NodeJS.ErrnoException;
    if (syscall !== undefined) {
      const message = `${file ?? 'The folder of the package'} cannot be written to: ${messageOf(cause)}`;
      throw new LearnError('ERR_BUILD', message, { cause });
    }
    if ((cause as Error).constructor.name !== 'SetupError') throw cause;
    throw new LearnError('ERR_BUILD', messageOf(cause), { cause });
  }
}

function libtorchToBuildWith(): string {
  const candidates = libtorchCandidates();
  const explicit = candidates.find((candidate) => candidate.explicit);
  if (explicit?.problem) throw libtorchError(candidates);
  const usable = (explicit ? [explicit] : candidates).filter(({ problem }) => problem === null);
  const chosen = usable.find(({ folder }) => hasHeaders(folder as string));
  if (chosen) return chosen.folder as string;
  const without = usable.map(({ source, folder }) => `\n  ${source} (${folder}) has no headers`).join('');
  throw new LearnError(
    'ERR_LIBTORCH_NOT_FOUND',
    `The build needs a libtorch ${pin.version} with headers (include/ATen/ATen.h).${without}\n` +
      'Name one: npx torch-incremental build --libtorch <folder>, such as the one printed by\n' +
      '  python3 -c "import torch, os; print(os.path.dirname(torch.__file__))"',
  );
}

function hasHeaders(folder: string): boolean {
  return fs.existsSync(path.join(folder, 'include', 'ATen', 'ATen.h'));
}
