// What the commands of `torch-incremental libtorch` share.

import { nearest } from '../core/checks';
import { LearnError } from '../core/errors';
import { checkBuild } from '../install/check-build';
import { writeChoice } from '../install/choice';
import { unsupportedPlatform, type Variant, variantsOf } from '../libtorch/manifest';
import { wrongUsage } from './arguments';
import type { Terminal } from './terminal';

/** Throws where there are no builds. */
export function checkPlatform(): void {
  const unsupported = unsupportedPlatform();
  if (unsupported !== null) throw new LearnError('ERR_UNSUPPORTED_PLATFORM', unsupported);
}

/** The variant of this platform that the user named. */
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

/** Chooses a build that stays where it is. */
export async function useFolder(folder: string, terminal: Terminal): Promise<void> {
  const version = checkBuild(folder, folder);
  await writeChoice({ folder });
  terminal.print(`From now on libtorch ${version} in ${folder} is used. It stays there: nothing was copied`);
  warnOfVariables(terminal);
}

/** What is in the environment comes before everything that these commands do. */
export function warnOfVariables(terminal: Terminal): void {
  const name = ['TORCH_INCREMENTAL_LIBTORCH', 'LIBTORCH'].find((variable) => process.env[variable]);
  if (name) terminal.note(`${name} is set here to ${process.env[name]}, which comes before it`);
}
