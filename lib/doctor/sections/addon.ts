// Reports on the compiled files: where they may be, which are loaded and why, and the addon's facts about itself.
import type { NativeInfo } from '../../native/native';
import { capital, problem, row, section } from '../section';

interface Place {
  readonly path: string;
  /** 'compiled here', 'prebuilt', or the variable that names it. */
  readonly source: string;
  readonly exists: boolean;
}

export interface Facts {
  /** The file that is loaded. */
  readonly path: string;
  readonly exists: boolean;
  /** Source of that file. */
  readonly reason: string | null;
  /** In the order in which they are tried. */
  readonly places: readonly Place[];
  /** The small addon that opens libtorch, in the same folder. */
  readonly loader: { readonly path: string; readonly exists: boolean };
  /** null if the addon could not be loaded. */
  readonly info: NativeInfo | null;
}

export const addon = section<Facts>({
  title: 'Addon',
  look({ machine, addon: { torch_incremental: own, loader }, probe }) {
    const places = own.places.map(({ file, source }) => ({ path: file, source, exists: machine.exists(file) }));
    return {
      path: own.file,
      exists: machine.exists(own.file),
      reason: places.find((place) => place.path === own.file)?.source ?? null,
      places,
      loader: { path: loader.file, exists: machine.exists(loader.file) },
      info: probe.info,
    };
  },
  judge({ path: file, exists, loader }, { machine, isCheckout }) {
    const missing = [...(exists ? [] : [file]), ...(loader.exists ? [] : [loader.path])];
    if (missing.length === 0) return [];
    const remedies = [
      ...(machine.env.TORCH_INCREMENTAL_ADDON ? ['unset TORCH_INCREMENTAL_ADDON'] : []),
      isCheckout
        ? 'build it: npm run setup'
        : 'reinstall the package, or compile the addon here: npx torch-incremental build',
    ];
    return [problem('addon-missing', `The addon is missing: ${missing.join(', ')}.`, capital(remedies.join('; or ')))];
  },
  rows: ({ path: file, exists, reason, places, info }) => [
    row('loaded from', `${file} (${exists ? reason : 'missing'})`, exists),
    ...places
      .filter((place) => place.path !== file)
      .map((place) => row('', `${place.exists ? 'also exists' : 'does not exist'}: ${place.path} (${place.source})`)),
    ...(info === null
      ? []
      : [
          row('built for', `libtorch ${info.builtFor}`),
          row('computes', `kernels for ${info.cpuCapability}; ${info.threads} threads`),
        ]),
  ],
});
