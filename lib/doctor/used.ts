// Determines the libtorch that is used, from the files and from the libraries that the probe had loaded.
import path from 'node:path';
import { type Candidate, preferredOf } from '../libtorch/candidates';
import type { Machine } from './machine';

/** Returns the candidate that was loaded, or the preferred one if none was. They differ if the preferred one does not load. */
export function usedOf(
  candidates: readonly Candidate[],
  mapped: readonly string[],
  { realPath }: Pick<Machine, 'realPath'>,
): Candidate | null {
  const folders = mapped
    .filter((file) => path.basename(file) === 'libtorch_cpu.so')
    .map((file) => path.dirname(realPath(file)));
  const preferred = preferredOf(candidates);
  const isLoaded = (one: Candidate) =>
    one.folder !== null && one.problem === null && folders.includes(realPath(path.join(one.folder, 'lib')));
  if (preferred !== null && isLoaded(preferred)) return preferred;
  return candidates.find(isLoaded) ?? preferred;
}
