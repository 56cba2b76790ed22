// Which libtorch is taken: what files say, and what the trial then had in its process.
import path from 'node:path';
import { type Candidate, preferredOf } from '../libtorch/candidates';
import type { Machine } from './machine';

/** The one that was loaded; as files tell where none was. Differs where the preferred one does not load. */
export function takenOf(
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
