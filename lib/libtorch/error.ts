// The error for a libtorch that cannot be found or loaded: it lists the attempts, their results, and remedies.
import { type ErrorCode, LearnError } from '../core/errors';
import { type Candidate, type Problem, platformPackageName } from './candidates';
import { isCheckout } from './checkout';
import { pin } from './manifest';

/** One place where libtorch was looked for, and the reason why it was not used. */
export interface LibtorchAttempt {
  /** Name of the place: an environment variable, `torch-incremental libtorch use`, 'cache' or an npm package. */
  readonly source: string;
  /** null if the source names no folder. */
  readonly folder: string | null;
  /** The version in the folder; null if it is not recorded. */
  readonly found: string | null;
  /** The version that is needed. */
  readonly needed: string;
  readonly code: ErrorCode;
  /** Includes the message of the dynamic linker, if it was called. */
  readonly reason: string;
}

type LibtorchCode = Extract<ErrorCode, `ERR_LIBTORCH_${string}`>;

/**
 * A {@link LearnError} whose code is `ERR_LIBTORCH_NOT_FOUND`, `ERR_LIBTORCH_VERSION` or `ERR_LIBTORCH_LOAD`.
 *
 * @example
 * ```ts
 * try {
 *   await createState(net());
 * } catch (error) {
 *   if (error instanceof LibtorchError) console.log(error.remedies);
 * }
 * ```
 */
export class LibtorchError extends LearnError {
  /** In the order in which they were tried; empty if the addon itself did not load. */
  readonly attempts: readonly LibtorchAttempt[];
  /** Remedies, the most likely first. */
  readonly remedies: readonly string[];

  constructor(
    code: LibtorchCode,
    what: string,
    { attempts = [], remedies, cause }: Partial<LibtorchError> & { remedies: readonly string[] },
  ) {
    const tried = attempts.map(({ source, folder, reason }) => `  ${source}${folder ? ` (${folder})` : ''}: ${reason}`);
    const advice = ['Do one of these:', ...remedies.map((remedy) => `  - ${remedy}`)];
    super(code, [what, ...tried, ...advice, 'To see more: npx torch-incremental doctor'].join('\n'), { cause });
    this.attempts = attempts;
    this.remedies = remedies;
  }
}

/** Makes the error for candidates that all have a problem. If one is the user's choice, only that one is reported. */
export function libtorchError(tried: readonly Candidate[]): LibtorchError {
  const explicit = tried.find((candidate) => candidate.explicit);
  const attempts = (explicit ? [explicit] : tried).flatMap((one) => (one.problem ? [attemptOf(one, one.problem)] : []));
  // The code is that of the attempt that got furthest.
  const codes = ['ERR_LIBTORCH_LOAD', 'ERR_LIBTORCH_VERSION', 'ERR_LIBTORCH_NOT_FOUND'] as const;
  const code = codes.find((one) => attempts.some((attempt) => attempt.code === one)) ?? 'ERR_LIBTORCH_NOT_FOUND';
  const what = explicit
    ? `The libtorch that ${explicit.source} names cannot be used:`
    : `No usable libtorch ${pin.version} was found:`;
  return new LibtorchError(code, what, { attempts, remedies: remediesFor(attempts, explicit) });
}

export function attemptOf(
  { source, folder, version }: Pick<Candidate, 'source' | 'folder' | 'version'>,
  { code, text }: Problem,
): LibtorchAttempt {
  return { source, folder, found: version, needed: pin.version, code, reason: text };
}

function remediesFor(attempts: readonly LibtorchAttempt[], explicit: Candidate | undefined): string[] {
  const remedies: string[] = [];
  if (explicit) remedies.push(`${explicit.undo}, to look in the usual places`);
  else if (isCheckout()) remedies.push('in a checkout of torch-incremental: npm run setup');
  else remedies.push(...packageRemedies(attempts));
  remedies.push(
    `set TORCH_INCREMENTAL_LIBTORCH to a folder with lib/libtorch.so of version ${pin.version}, such as the one printed by\n` +
      '    python3 -c "import torch, os; print(os.path.dirname(torch.__file__))"',
  );
  return remedies;
}

function packageRemedies(attempts: readonly LibtorchAttempt[]): string[] {
  const install = 'npx torch-incremental libtorch install, which fetches it from PyTorch';
  const ours = attempts.find(({ source }) => source === platformPackageName);
  // The attempts end early if a library was loaded, because it cannot be unloaded.
  if (ours === undefined) return [install];
  const again =
    ours.folder === null
      ? `npm install ${platformPackageName}@${pin.version}: npm leaves this optional dependency out with --omit=optional, ` +
        'and where a lockfile was written on another system'
      : `remove ${ours.folder} and install again: it is damaged or of another version`;
  return [again, install];
}
