// Opens the libraries of a libtorch in this process, in the order that they need. Used by load.ts, and by verify-child.ts in a
// child process, because a wrong library can crash the process that opens it.
import path from 'node:path';
import { LearnError } from '../core/errors';
import { isThere } from '../files/stat';
import { openAddon } from './addon';
import { type Problem, skipsVersionCheck } from './candidates';
import { pin } from './manifest';
import { processorFloor } from './requirements';

interface Loader {
  /** Returns null, or the message of the dynamic linker. */
  open(file: string, global: boolean): string | null;
  /** Returns the version that an opened library reports: major << 56 | minor << 48 | … */
  abiVersion(file: string): bigint | null;
  /** Returns the instructions that libtorch uses without checking and this processor does not have, as in /proc/cpuinfo. */
  missingInstructions(): string[];
  /** Ends this process when its parent, which has that pid, ends. */
  endWithParent(pid: number): void;
}

let opened: Loader | undefined;
let cudaProblem: string | null = null;

/** Returns the reason why the CUDA libraries of the opened libtorch did not load; null if they did, or if it has none. */
export function cudaLibraryProblem(): string | null {
  return cudaProblem;
}

/** Returns the addon that opens libraries. Throws if this process cannot load addons, or if its processor cannot run libtorch. */
export function openLoader(): Loader {
  if (opened === undefined) {
    const loader = openAddon('loader') as Loader;
    checkProcessor(loader.missingInstructions());
    opened = loader;
  }
  return opened;
}

/** Returns null, or the reason why the libtorch in `folder` cannot be used. Opened libraries stay open. */
export function openLibtorch(folder: string): Problem | null {
  const loader = openLoader();
  const file = (name: string) => path.join(folder, 'lib', name);
  // Loads OpenMP and similar libraries globally, as Python's torch does. Not every build has this file.
  const shared = file('libtorch_global_deps.so');
  const library = file('libtorch.so');
  const failure = (isThere(shared) ? loader.open(shared, true) : null) ?? loader.open(library, false);
  if (failure !== null) return { code: 'ERR_LIBTORCH_LOAD', text: `does not load: ${failure}` };
  const problem = versionProblem(loader.abiVersion(library));
  if (problem !== null) return problem;
  // libtorch.so loads it too, if it was linked with --no-as-needed. Later would be too late: libtorch checks for CUDA once and
  // keeps the answer (CUDAHooksInterface.cpp).
  const cuda = file('libtorch_cuda.so');
  if (isThere(cuda)) cudaProblem = loader.open(cuda, false);
  return null;
}

/** Throws if libtorch would crash the process at the first instruction that this processor does not have. */
export function checkProcessor(missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new LearnError(
    'ERR_UNSUPPORTED_PLATFORM',
    `libtorch needs a processor with ${processorFloor.join(', ')}; this one has no ${missing.join(', ')}. ` +
      'In a virtual machine, expose the processor of its host (QEMU: -cpu host)',
  );
}

function versionProblem(abi: bigint | null): Problem | null {
  if (abi === null || skipsVersionCheck()) return null;
  const [major, minor] = pin.version.split('.').map(Number);
  const found = [Number(abi >> 56n), Number((abi >> 48n) & 255n)];
  if (found[0] === major && found[1] === minor) return null;
  const text = `holds a library of version ${found.join('.')}; ${pin.version} is needed`;
  return { code: 'ERR_LIBTORCH_VERSION', text };
}
