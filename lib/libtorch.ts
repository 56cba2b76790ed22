// Finds libtorch and opens it before the addon, so that the addon's symbols resolve by library name and no search path
// is needed. lib/native.ts calls it once, on first use.
import fs from 'node:fs';
import path from 'node:path';
import { LearnError, messageOf } from './errors';
import { type Candidate, libtorchCandidates, type Problem, skipsVersionCheck } from './libtorch/candidates';
import { glibcVersion } from './libtorch/libc';
import { pin, unsupportedPlatform } from './libtorch/manifest';
import { addonPath } from './native';

interface Loader {
  /** null, or what the dynamic linker said. */
  open(file: string, global: boolean): string | null;
  /** What an opened library says of itself: major << 56 | minor << 48 | … */
  abiVersion(file: string): bigint | null;
}

/** Opens the first usable libtorch and returns its folder. */
export function loadLibtorch(): string {
  const unsupported = unsupportedPlatform();
  if (unsupported !== null) {
    throw new LearnError(
      'ERR_UNSUPPORTED_PLATFORM',
      `${unsupported}. Use a machine, container or virtual machine of that kind.`,
    );
  }
  const attempts: Candidate[] = [];
  for (const candidate of libtorchCandidates()) {
    const problem = candidate.problem ?? open(candidate.folder as string);
    if (problem === null) return candidate.folder as string;
    attempts.push({ ...candidate, problem });
    // A library of the wrong version that did load stays in the process: a second one would not get its symbols.
    if (candidate.explicit || (candidate.problem === null && problem.code === 'ERR_LIBTORCH_VERSION')) break;
  }
  throw libtorchError(attempts);
}

let loader: Loader | undefined;

/** Opens libtorch in `folder`. Returns null, or why it cannot be used. */
function open(folder: string): Problem | null {
  loader ??= openAddon('loader') as Loader;
  const library = path.join(folder, 'lib', 'libtorch.so');
  // OpenMP and the like, shared by every library of the process as in Python's torch. Not every build has this file.
  const shared = path.join(folder, 'lib', 'libtorch_global_deps.so');
  const failure = (fs.existsSync(shared) ? loader.open(shared, true) : null) ?? loader.open(library, false);
  if (failure !== null) return { code: 'ERR_LIBTORCH_LOAD', text: `does not load: ${failure}` };

  const [major, minor] = pin.version.split('.').map(Number);
  const abi = loader.abiVersion(library);
  if (abi === null || skipsVersionCheck()) return null;
  const found = [Number(abi >> 56n), Number((abi >> 48n) & 255n)];
  if (found[0] === major && found[1] === minor) return null;
  return {
    code: 'ERR_LIBTORCH_VERSION',
    text: `holds a library of version ${found.join('.')}; ${pin.version} is needed`,
  };
}

/** The one error for all that can go wrong: what was tried, what came of it, what to do. */
export function libtorchError(attempts: readonly Candidate[]): LearnError {
  const explicit = attempts.find((attempt) => attempt.explicit);
  const relevant = explicit ? [explicit] : attempts;
  // The attempt that came furthest says best what is wrong.
  const codes = ['ERR_LIBTORCH_LOAD', 'ERR_LIBTORCH_VERSION', 'ERR_LIBTORCH_NOT_FOUND'] as const;
  const code = codes.find((one) => relevant.some(({ problem }) => problem?.code === one)) ?? 'ERR_LIBTORCH_NOT_FOUND';
  const remedies = [
    explicit ? `${explicit.undo}, to look in the usual places` : 'in a checkout of torch-incremental: npm run setup',
    `set TORCH_INCREMENTAL_LIBTORCH to a folder with lib/libtorch.so of version ${pin.version}, such as the one printed by\n` +
      '    python3 -c "import torch, os; print(os.path.dirname(torch.__file__))"',
  ];
  const message = [
    explicit
      ? `The libtorch that ${explicit.source} names cannot be used:`
      : `No libtorch ${pin.version} that can be used was found:`,
    ...relevant.map(({ source, folder, problem }) => `  ${source}${folder ? ` (${folder})` : ''}: ${problem?.text}`),
    'Do one of these:',
    ...remedies.map((remedy) => `  - ${remedy}`),
    'To see more: npx torch-incremental doctor',
  ];
  return new LearnError(code, message.join('\n'), { cause: { attempts, remedies } });
}

/** Loads a compiled file of this package, with errors that say what to do. */
export function openAddon(name: 'loader' | 'torch_incremental'): unknown {
  const file = addonPath(name);
  const holder = { exports: {} };
  try {
    process.dlopen(holder as NodeModule, file);
  } catch (cause) {
    if (glibcVersion() === undefined) {
      const message =
        'torch-incremental needs glibc, and this system has musl. Use an image based on Debian or Ubuntu.';
      throw new LearnError('ERR_UNSUPPORTED_PLATFORM', message, { cause });
    }
    const message = fs.existsSync(file)
      ? `${file} does not load: ${messageOf(cause)}\nIn a checkout of torch-incremental, build it anew: npm run setup`
      : `${file} is missing. In a checkout of torch-incremental, build it: npm run setup`;
    throw new LearnError('ERR_LIBTORCH_LOAD', message, { cause });
  }
  return holder.exports;
}
