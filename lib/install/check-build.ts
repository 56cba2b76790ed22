// Whether a folder holds the libtorch it is said to hold, before it is installed or chosen. Looks at files only.
import path from 'node:path';
import { LearnError } from '../core/errors';
import { isThere } from '../files/stat';
import { libtorchVersion, problemOf } from '../libtorch/candidates';

/** Throws unless it does, of the pinned version. `what` names it to the user. Returns its whole version. */
export function checkBuild(folder: string, what: string): string {
  const version = libtorchVersion(folder);
  const problem = problemOf(folder, version);
  if (problem === null) return version ?? '';
  throw new LearnError(
    problem.code,
    `${what} is no libtorch that can be used: it ${sentence(problem.text)}. Nothing was changed`,
  );
}

/** Throws unless it is the build `variant`; `cuda` says whether that has CUDA. */
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

/** Of a candidate's problem, which stands behind a colon elsewhere. */
function sentence(text: string): string {
  return text === 'no such folder' ? 'is not there' : text;
}
