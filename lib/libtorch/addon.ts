// Locates and loads the compiled files of this package, with errors that say what to do. lib/libtorch/load.ts opens the
// loader, lib/native/native.ts the addon.
import path from 'node:path';
import { LearnError, messageOf } from '../core/errors';
import { isThere } from '../files/stat';
import { isCheckout } from './checkout';
import { LibtorchError } from './error';
import { describeLibc, unsuitableLibc } from './libc';
import { platform } from './manifest';

export type AddonName = 'loader' | 'torch_incremental';

const root = path.join(__dirname, '..', '..');

/** Returns the possible paths of a compiled file, the preferred one first; `source` names each in messages. */
export function addonPlaces(name: AddonName): { source: string; file: string }[] {
  const named = process.env.TORCH_INCREMENTAL_ADDON;
  // Another build, for tests. It is used or refused, never replaced by the default.
  if (named) return [{ source: 'TORCH_INCREMENTAL_ADDON', file: path.join(named, `${name}.node`) }];
  return [
    { source: 'compiled here', file: path.join(root, 'build', 'Release', `${name}.node`) },
    { source: 'prebuilt', file: path.join(root, 'prebuilds', platform, `${name}.glibc.node`) },
  ];
}

/** Returns the file that is used; if it does not exist, the path where it should be. */
export function addonPath(name: AddonName): string {
  const places = addonPlaces(name);
  return (places.find(({ file }) => isThere(file)) ?? places.at(-1)!).file;
}

/** Loads a compiled file of this package. */
export function openAddon(name: AddonName): unknown {
  const file = addonPath(name);
  const holder = { exports: {} };
  try {
    process.dlopen(holder as NodeModule, file);
  } catch (cause) {
    throw addonError(file, cause);
  }
  return holder.exports;
}

function addonError(file: string, cause: unknown): LearnError {
  const code = (cause as { code?: unknown }).code;
  if (code === 'ERR_DLOPEN_DISABLED') {
    return new LibtorchError('ERR_LIBTORCH_LOAD', 'Node was started without addons, and torch-incremental is one.', {
      remedies: ['start Node without --no-addons (NODE_OPTIONS may hold it); with --permission, add --allow-addons'],
      cause,
    });
  }
  const unsuitable = unsuitableLibc();
  if (unsuitable !== null) {
    const text = `${unsuitable}; this system has ${describeLibc()}. Use a newer image, such as node:22-bookworm`;
    return new LearnError('ERR_UNSUPPORTED_PLATFORM', text, { cause });
  }
  const compile = isCheckout() ? 'npm run setup' : 'npx torch-incremental build';
  if (!isThere(file)) {
    const bundled = !isThere(path.join(root, 'libtorch.json'))
      ? ['a bundler must leave this package alone: esbuild --external:torch-incremental, webpack externals']
      : [];
    return new LibtorchError('ERR_LIBTORCH_LOAD', `The addon is missing: ${file}`, {
      remedies: [...bundled, isCheckout() ? `build it: ${compile}` : `reinstall the package, or compile: ${compile}`],
      cause,
    });
  }
  return new LibtorchError('ERR_LIBTORCH_LOAD', `${file} does not load: ${messageOf(cause)}`, {
    remedies: [isCheckout() ? `rebuild it: ${compile}` : `reinstall the package, or compile: ${compile}`],
    cause,
  });
}
