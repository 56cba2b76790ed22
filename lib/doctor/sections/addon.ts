// The compiled files: where they may be, which are loaded and why, and what the addon says of itself.
import path from 'node:path';
import type { NativeInfo } from '../../native';
import { type Context, capital, type Finding, problem, row, section } from '../section';

interface Place {
  readonly path: string;
  /** Why it is looked at. */
  readonly source: string;
  readonly exists: boolean;
}

export interface Facts {
  /** That is loaded. */
  readonly path: string;
  readonly exists: boolean;
  /** Why that one. */
  readonly reason: string;
  /** In the order in which they are looked at. */
  readonly places: readonly Place[];
  /** The small addon that opens libtorch, beside it. */
  readonly loader: { readonly path: string; readonly exists: boolean };
  /** null where it could not be loaded. */
  readonly info: NativeInfo | null;
}

export const addon = section<Facts>({
  title: 'Addon',
  look(context) {
    const { machine, addonPath, probe } = context;
    const chosen = addonPath('torch_incremental');
    const loader = addonPath('loader');
    const places = placesOf(context);
    const own = places.find((place) => place.path === chosen);
    return {
      path: chosen,
      exists: machine.exists(chosen),
      reason: own?.source ?? 'the choice of lib/native.ts',
      places,
      loader: { path: loader, exists: machine.exists(loader) },
      info: probe.info,
    };
  },
  judge({ path: file, exists, loader }, { machine, package: { root } }) {
    const findings: Finding[] = [];
    const missing = [...(exists ? [] : [file]), ...(loader.exists ? [] : [loader.path])];
    if (missing.length === 0) return findings;
    const remedies = [
      ...(machine.env.TORCH_INCREMENTAL_ADDON ? ['unset TORCH_INCREMENTAL_ADDON'] : []),
      machine.exists(path.join(root, 'scripts', 'setup.mjs'))
        ? 'build it: npm run setup'
        : 'install the package anew, or compile the addon here: npx torch-incremental build',
    ];
    return [
      problem('addon-missing', `The addon is missing: ${missing.join(', ')}.`, `${capital(remedies.join('; or '))}.`),
    ];
  },
  rows: ({ path: file, exists, reason, places, info }) => [
    row('loaded from', `${file}${exists ? '' : ' (missing)'}`, exists),
    row('because', reason),
    ...places
      .filter((place) => place.path !== file)
      .map((place) => row('', `${place.path}: ${place.exists ? 'is there' : 'is not there'} (${place.source})`)),
    ...(info === null
      ? []
      : [
          row('built for', `libtorch ${info.builtFor}`),
          row('computes', `kernels for ${info.cpuCapability}; ${info.threads} threads`),
        ]),
  ],
});

function placesOf({ machine, package: { root }, platform }: Context): Place[] {
  const { TORCH_INCREMENTAL_ADDON: named } = machine.env;
  const libc = machine.platform !== 'linux' ? '' : machine.glibc === undefined ? '.musl' : '.glibc';
  const all: [string, string][] = [
    ...(named
      ? [[path.join(named, 'torch_incremental.node'), 'TORCH_INCREMENTAL_ADDON names it'] as [string, string]]
      : []),
    [path.join(root, 'build', 'Release', 'torch_incremental.node'), 'compiled on this machine'],
    [path.join(root, 'prebuilds', platform, `torch_incremental${libc}.node`), 'came with the package'],
  ];
  return all.map(([file, source]) => ({ path: file, source, exists: machine.exists(file) }));
}
