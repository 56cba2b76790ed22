// Finds libtorch and opens it before the addon, so that the addon's symbols resolve by library name without a search path.
// lib/native/native.ts calls it once, on first use.
//
//  1. A libtorch that this process has already loaded is used or refused. A second one is never loaded.
//  2. A candidate that the user chose is used or refused. Otherwise the first usable one is used.
//  3. A build that is not known to be intact is first loaded in a child process (verify.ts), because it may crash.
//  4. Once a library of a candidate is loaded, no other candidate is tried: it cannot be unloaded.
import fs from 'node:fs';
import path from 'node:path';
import { LearnError } from '../core/errors';
import { type MappedLibtorch, mappedLibtorch } from './already-loaded';
import { type Candidate, libtorchCandidates, libtorchVersion, type Problem } from './candidates';
import { attemptOf, LibtorchError, libtorchError } from './error';
import { pin, unsupportedPlatform } from './manifest';
import { openLibtorch, openLoader } from './open';
import { verifySync } from './verify';

/** Opens the first usable libtorch and returns its folder. */
export function loadLibtorch(): string {
  const unsupported = unsupportedPlatform();
  if (unsupported !== null) {
    throw new LearnError(
      'ERR_UNSUPPORTED_PLATFORM',
      `${unsupported}. Use a machine, container or virtual machine of that kind.`,
    );
  }
  openLoader();
  const mapped = mappedLibtorch();
  if (mapped !== null) return openMapped(mapped);
  const attempts: Candidate[] = [];
  for (const candidate of libtorchCandidates()) {
    const problem = candidate.problem ?? open(candidate.folder as string, candidate.intact);
    if (problem === null) return candidate.folder as string;
    attempts.push({ ...candidate, problem });
    if (candidate.explicit) break;
    // Rule 4. If this attempt loaded nothing, another thread may have loaded a libtorch in the meantime: the error then
    // reports this attempt.
    if (candidate.problem === null && mappedLibtorch() !== null) break;
  }
  throw libtorchError(attempts);
}

function open(folder: string, intact: boolean): Problem | null {
  return (intact ? null : verifySync(folder)) ?? openLibtorch(folder);
}

/** Uses or refuses the libtorch that another thread, another copy of this package or another addon has loaded. */
function openMapped({ folder, library, replaced }: MappedLibtorch): string {
  if (replaced) {
    throw new LibtorchError('ERR_LIBTORCH_LOAD', `${library} was replaced since this process loaded it.`, {
      remedies: ['restart this process'],
    });
  }
  const named = libtorchCandidates().find(({ explicit }) => explicit);
  if (named?.problem) throw libtorchError([named]);
  if (named && !isSame(path.join(named.folder as string, 'lib', 'libtorch_cpu.so'), library)) {
    const text = `is not the libtorch that this process has already loaded, ${folder}; two cannot be loaded`;
    throw libtorchError([{ ...named, problem: { code: 'ERR_LIBTORCH_LOAD', text } }]);
  }
  const problem = openLibtorch(folder);
  if (problem === null) return folder;
  const loaded = { source: 'loaded already', folder, version: libtorchVersion(folder) };
  throw new LibtorchError(
    problem.code,
    `This process has already loaded another libtorch, ${library}, and two cannot be loaded; ${pin.version} is needed.`,
    {
      attempts: [attemptOf(loaded, problem)],
      remedies: [
        'use torch-incremental in a process of its own (node:child_process; worker threads share the process)',
      ],
    },
  );
}

function isSame(a: string, b: string): boolean {
  try {
    return fs.realpathSync(a) === fs.realpathSync(b);
  } catch {
    return false;
  }
}
