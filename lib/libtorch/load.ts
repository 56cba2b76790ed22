// Finds libtorch and opens it before the addon, so that the addon's symbols resolve by library name and no search path
// is needed. lib/native/native.ts calls it once, on first use.
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
    // Of what this thread opened, what came in stays, and a second one would not get its symbols. Where it opened nothing,
    // another thread may have brought one meanwhile: the one that the loop comes to.
    if (candidate.problem === null && mappedLibtorch() !== null) break;
  }
  throw libtorchError(attempts);
}

function open(folder: string, intact: boolean): Problem | null {
  return (intact ? null : verifySync(folder)) ?? openLibtorch(folder);
}

/** Of another thread, of another copy of this package, or of another addon: what is there is taken, or nothing is. */
function openMapped({ folder, library, replaced }: MappedLibtorch): string {
  if (replaced) {
    throw new LibtorchError('ERR_LIBTORCH_LOAD', `${library} was replaced since this process loaded it.`, {
      remedies: ['start this process anew'],
    });
  }
  const named = libtorchCandidates().find(({ explicit }) => explicit);
  if (named?.problem) throw libtorchError([named]);
  if (named && !isSame(path.join(named.folder as string, 'lib', 'libtorch_cpu.so'), library)) {
    const text = `is not the libtorch that this process has loaded already, ${folder}; two cannot be loaded`;
    throw libtorchError([{ ...named, problem: { code: 'ERR_LIBTORCH_LOAD', text } }]);
  }
  const problem = openLibtorch(folder);
  if (problem === null) return folder;
  const loaded = { source: 'loaded already', folder, version: libtorchVersion(folder) };
  throw new LibtorchError(
    problem.code,
    `This process has loaded another libtorch already, ${library}, and two cannot be loaded; ${pin.version} is needed.`,
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
