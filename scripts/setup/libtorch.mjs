// Provides the libtorch for a checkout: the one the user names, otherwise the one in the cache, otherwise the official wheel,
// fetched over https or by pip. Uses the compiled lib/libtorch/ to find it and lib/install/ to fetch it.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root, SetupError, say, sayBriefly, step } from './steps.mjs';

const require = createRequire(import.meta.url);
const compiled = (name) => require(path.join(root, 'dist', `${name}.js`));

/** A machine without a network must fail within seconds. */
const patience = { connectMs: 5_000, stallMs: 15_000, attempts: 2 };

/** Returns the libtorch to build with. Fetches it if none exists. */
export async function provideLibtorch() {
  const found = usable() ?? (await fetchLibtorch());
  if (!fs.existsSync(path.join(found.folder, 'include', 'ATen', 'ATen.h'))) {
    throw new SetupError(
      `${found.folder} (${found.source}) has libraries but no headers (include/ATen/ATen.h), so nothing can be built ` +
        `with it.\nName another folder in ${found.source}, or unset it to have libtorch fetched.`,
    );
  }
  return found;
}

/** Returns the libtorch that the user names, or the CPU build in the cache: an addon built with it runs with any variant. */
function usable() {
  const candidates = compiled('libtorch/candidates').libtorchCandidates();
  const explicit = candidates.find(({ explicit, source }) => explicit && process.env[source]);
  if (explicit?.problem) throw new SetupError(compiled('libtorch/error').libtorchError(candidates).message);
  // The npm package has no headers, so nothing can be built with it.
  return explicit ?? candidates.find(({ variant, problem }) => variant === 'cpu' && !problem);
}

async function fetchLibtorch() {
  const { unsupportedPlatform, variantsOf } = compiled('libtorch/manifest');
  const unsupported = unsupportedPlatform();
  if (unsupported !== null) throw new SetupError(`${unsupported}.`);
  const { install } = compiled('install/install-libtorch');
  const { sourcesOf } = compiled('install/sources');
  const name = 'cpu';
  const variant = variantsOf()[name];
  const mirror = process.env.TORCH_INCREMENTAL_LIBTORCH_MIRROR;
  try {
    const sources = await sourcesOf(name, variant, { mirror });
    const host = new URL(sources[0].place.url).host;
    await step(`Fetching libtorch (${sources[0].name}) from ${host}`, () =>
      install({
        name,
        variant,
        sources,
        onProgress: showProgress(),
        onNote: (text) => say(`  ${text.replaceAll('\n', '\n  ')}`),
        ...patience,
      }),
    );
  } catch (error) {
    if (error.code === undefined) throw error;
    throw new SetupError(
      `${error.message}\n\nDo one of these:\n` +
        '  - connect this machine to the network and run this again\n' +
        '  - set LIBTORCH to a folder with lib/ and include/ of that version, for example the folder torch/ of\n' +
        `    ${variant.archives[0].url}\n    fetched by other means and unzipped`,
    );
  }
  const found = usable();
  if (!found) throw new SetupError('libtorch was installed but cannot be used. Delete it and try again.');
  return found;
}

/** Shows the progress: continuously on a terminal, otherwise a line for every 10 %. */
function showProgress() {
  const inMb = (count) => (count / 1e6).toFixed(0);
  const words = { fetch: 'fetched', unpack: 'unpacked' };
  let printed = '';
  return (what, { received, total = Number.NaN }) => {
    const text = `  ${inMb(received)} of ${inMb(total)} MB ${words[what]}`;
    const tenth = `${what} ${Math.floor((received / total) * 10)}`;
    if (process.stderr.isTTY) sayBriefly(text);
    else if (tenth !== printed) say(text);
    printed = tenth;
  };
}
