// Shared functions of the commands of `torch-incremental libtorch`.

import { nearest } from '../core/checks';
import { LearnError } from '../core/errors';
import { checkBuild } from '../install/check-build';
import { writeChoice } from '../install/choice';
import { unsupportedPlatform, type Variant, variantsOf } from '../libtorch/manifest';
import { wrongUsage } from './arguments';
import type { Terminal } from './terminal';

/** Throws if there are no builds for this platform. */
export function checkPlatform(): void {
  const unsupported = unsupportedPlatform();
  if (unsupported !== null) throw new LearnError('ERR_UNSUPPORTED_PLATFORM', unsupported);
}

/** Returns the variant that the user named. Throws if this platform does not have it. */
export function variantNamed(name: string): Variant {
  checkPlatform();
  const variants = variantsOf();
  const names = Object.keys(variants);
  const found = Object.hasOwn(variants, name) ? variants[name] : undefined;
  if (found) return found;
  const suggestion = nearest(name, names);
  throw wrongUsage(
    `Unknown variant '${name}'; ${suggestion ? `did you mean ${suggestion}?` : `there are ${names.join(', ')}`}`,
  );
}

/** Chooses a build outside the cache. */
export async function useFolder(folder: string, terminal: Terminal): Promise<void> {
  const version = checkBuild(folder, folder);
  await writeChoice({ folder });
  terminal.print(`libtorch ${version} in ${folder} is used from now on. Nothing was copied`);
  warnOfVariables(terminal);
}

/** Warns about environment variables, which take precedence over the choice. */
export function warnOfVariables(terminal: Terminal): void {
  const name = ['TORCH_INCREMENTAL_LIBTORCH', 'LIBTORCH'].find((variable) => process.env[variable]);
  if (name) terminal.note(`${name} is set to ${process.env[name]}, which takes precedence`);
}
