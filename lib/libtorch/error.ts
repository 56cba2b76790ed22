// The error of a libtorch that cannot be found or loaded: what was tried, what came of it, what to do.
import { type ErrorCode, LearnError } from '../core/errors';
import { type Candidate, type Problem, platformPackageName } from './candidates';
import { isCheckout } from './checkout';
import { pin } from './manifest';

/** One place where libtorch was looked for, and why it was not taken. */
export interface LibtorchAttempt {
  /** What names the folder: an environment variable, `torch-incremental libtorch use`, 'cache' or an npm package. */
  readonly source: string;
  /** null where the source names none. */
  readonly folder: string | null;
  /** The version that the folder says it holds; null where it says none. */
  readonly found: string | null;
  /** The version that is needed. */
  readonly needed: string;
  readonly code: ErrorCode;
  /** With the words of the dynamic linker, where it was asked. */
  readonly reason: string;
}

type LibtorchCode = Extract<ErrorCode, `ERR_LIBTORCH_${string}`>;

/** A {@link LearnError} whose code is `ERR_LIBTORCH_NOT_FOUND`, `ERR_LIBTORCH_VERSION` or `ERR_LIBTORCH_LOAD`. */
export class LibtorchError extends LearnError {
  /** In the order in which they were tried; empty where it was the addon that did not load. */
  readonly attempts: readonly LibtorchAttempt[];
  /** What would mend it, the likeliest first. */
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

/** Of candidates that all have a problem. Where one is the user's own choice, only that one counts. */
export function libtorchError(tried: readonly Candidate[]): LibtorchError {
  const explicit = tried.find((candidate) => candidate.explicit);
  const attempts = (explicit ? [explicit] : tried).flatMap((one) => (one.problem ? [attemptOf(one, one.problem)] : []));
  // The attempt that came furthest says best what is wrong.
  const codes = ['ERR_LIBTORCH_LOAD', 'ERR_LIBTORCH_VERSION', 'ERR_LIBTORCH_NOT_FOUND'] as const;
  const code = codes.find((one) => attempts.some((attempt) => attempt.code === one)) ?? 'ERR_LIBTORCH_NOT_FOUND';
  const what = explicit
    ? `The libtorch that ${explicit.source} names cannot be used:`
    : `No libtorch ${pin.version} that can be used was found:`;
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
  // The attempts end at a library that cannot be taken back.
  if (ours === undefined) return [install];
  const again =
    ours.folder === null
      ? `npm install ${platformPackageName}@${pin.version}: npm leaves this optional dependency out with --omit=optional, ` +
        'and where a lockfile was written on another system'
      : `remove ${ours.folder} and install again: what is there is damaged or another version's`;
  return [again, install];
}
