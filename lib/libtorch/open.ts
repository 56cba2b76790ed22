// Opens the libraries of a libtorch in this process, in the order that they need. Used by lib/libtorch/load.ts, and in a child
// process of its own by verify-child.ts: a wrong library can end the process that opens it.
import path from 'node:path';
import { LearnError } from '../core/errors';
import { isThere } from '../files/stat';
import { openAddon } from './addon';
import { type Problem, skipsVersionCheck } from './candidates';
import { pin } from './manifest';
import { processorFloor } from './requirements';

interface Loader {
  /** null, or what the dynamic linker said. */
  open(file: string, global: boolean): string | null;
  /** What an opened library says of itself: major << 56 | minor << 48 | … */
  abiVersion(file: string): bigint | null;
  /** Of those that libtorch uses without asking; named as in /proc/cpuinfo. */
  missingInstructions(): string[];
  /** This process is ended when its parent, with that pid, ends. */
  endWithParent(pid: number): void;
}

let opened: Loader | undefined;
let cudaProblem: string | null = null;

/** Why the CUDA libraries of the libtorch that was opened are not there; null where they are, or where it has none. */
export function cudaLibraryProblem(): string | null {
  return cudaProblem;
}

/** The addon that opens libraries. Throws where addons, or libtorch, can run on no account: for the reason, not by the way. */
export function openLoader(): Loader {
  if (opened === undefined) {
    const loader = openAddon('loader') as Loader;
    checkProcessor(loader.missingInstructions());
    opened = loader;
  }
  return opened;
}

/** Returns null, or why the libtorch in `folder` cannot be used. What was opened stays. */
export function openLibtorch(folder: string): Problem | null {
  const loader = openLoader();
  const file = (name: string) => path.join(folder, 'lib', name);
  // OpenMP and the like, shared by every library of the process as in Python's torch. Not every build has this file.
  const shared = file('libtorch_global_deps.so');
  const library = file('libtorch.so');
  const failure = (isThere(shared) ? loader.open(shared, true) : null) ?? loader.open(library, false);
  if (failure !== null) return { code: 'ERR_LIBTORCH_LOAD', text: `does not load: ${failure}` };
  const problem = versionProblem(loader.abiVersion(library));
  if (problem !== null) return problem;
  // libtorch.so brings it where the linker was told to keep it. Afterwards is too late: libtorch asks once whether there
  // is CUDA, and keeps the answer (CUDAHooksInterface.cpp).
  const cuda = file('libtorch_cuda.so');
  if (isThere(cuda)) cudaProblem = loader.open(cuda, false);
  return null;
}

/** Throws where libtorch would end the process at the first instruction that this processor does not have. */
export function checkProcessor(missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new LearnError(
    'ERR_UNSUPPORTED_PLATFORM',
    `libtorch needs a processor with ${processorFloor.join(', ')}; this one has no ${missing.join(', ')}. ` +
      'In a virtual machine, let it see the processor of its host (QEMU: -cpu host)',
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
