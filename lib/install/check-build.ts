// Checks that a folder holds the expected libtorch before it is installed or chosen. Looks at files only.
import path from 'node:path';
import { LearnError } from '../core/errors';
import { isThere } from '../files/stat';
import { libtorchVersion, problemOf } from '../libtorch/candidates';

/** Throws unless the folder holds libtorch of the pinned version. `what` names it in messages. Returns its full version. */
export function checkBuild(folder: string, what: string): string {
  const version = libtorchVersion(folder);
  const problem = problemOf(folder, version);
  if (problem === null) return version ?? '';
  throw new LearnError(
    problem.code,
    `${what} is not a usable libtorch: it ${sentence(problem.text)}. Nothing was changed`,
  );
}

/** Throws unless the folder holds the build `variant`; `cuda`: whether that variant has CUDA. */
export function checkVariant(folder: string, what: string, variant: string, cuda: boolean): void {
  const version = checkBuild(folder, what);
  const own = version.split('+')[1];
  const hasCuda = isThere(path.join(folder, 'lib', 'libtorch_cuda.so'));
  if ((own === undefined || own === variant) && hasCuda === cuda) return;
  const found = `${version}, ${hasCuda ? 'with' : 'without'} CUDA`;
  throw new LearnError(
    'ERR_LIBTORCH_VERSION',
    `${what} is libtorch ${found}, which is not the variant ${variant}. Nothing was changed`,
  );
}

/** Turns the problem of a candidate, which other messages put after a colon, into the end of a sentence. */
function sentence(text: string): string {
  return text === 'no such folder' ? 'does not exist' : text;
}
