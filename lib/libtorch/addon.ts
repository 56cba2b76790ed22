// The compiled files of this package: where they stand, and loading them with errors that say what to do. lib/libtorch/load.ts
// opens the loader, lib/native/native.ts the addon.
import path from 'node:path';
import { LearnError, messageOf } from '../core/errors';
import { isThere } from '../files/stat';
import { isCheckout } from './checkout';
import { LibtorchError } from './error';
import { describeLibc, unsuitableLibc } from './libc';
import { platform } from './manifest';

export type AddonName = 'loader' | 'torch_incremental';

const root = path.join(__dirname, '..', '..');

/** Where a compiled file may stand, the place that is taken first; `source` names it to people. */
export function addonPlaces(name: AddonName): { source: string; file: string }[] {
  const named = process.env.TORCH_INCREMENTAL_ADDON;
  // Another build, that a test is to run with. It is taken or refused, never replaced.
  if (named) return [{ source: 'TORCH_INCREMENTAL_ADDON', file: path.join(named, `${name}.node`) }];
  return [
    { source: 'compiled here', file: path.join(root, 'build', 'Release', `${name}.node`) },
    { source: 'prebuilt', file: path.join(root, 'prebuilds', platform, `${name}.glibc.node`) },
  ];
}

/** The file that is taken; where there is none, the one that should be there. */
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
    return new LibtorchError('ERR_LIBTORCH_LOAD', 'Node was told to load no addons, and torch-incremental is one.', {
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
      remedies: [
        ...bundled,
        isCheckout() ? `build it: ${compile}` : `install the package anew, or compile: ${compile}`,
      ],
      cause,
    });
  }
  return new LibtorchError('ERR_LIBTORCH_LOAD', `${file} does not load: ${messageOf(cause)}`, {
    remedies: [isCheckout() ? `build it anew: ${compile}` : `install the package anew, or compile: ${compile}`],
    cause,
  });
}
