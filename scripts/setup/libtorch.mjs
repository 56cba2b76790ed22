// libtorch for a checkout: the one the user names, else the one in the cache, else the official wheel, fetched over https
// or by pip. lib/libtorch/ decides what can be used and fetches it; it is asked through its compiled form.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root, SetupError, say, sayBriefly, step } from './steps.mjs';

const require = createRequire(import.meta.url);
const compiled = (name) => require(path.join(root, 'dist', `${name}.js`));

/** A machine without a network must know within seconds. */
const patience = { connectMs: 5_000, stallMs: 15_000, attempts: 2 };

/** The folder of the libtorch to build with, fetched if there is none. */
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

/** What the user names, or the CPU build in the cache: what is built with it runs with any variant. */
function usable() {
  const candidates = compiled('libtorch/candidates').libtorchCandidates();
  const explicit = candidates.find(({ explicit, source }) => explicit && process.env[source]);
  if (explicit?.problem) throw new SetupError(compiled('libtorch/error').libtorchError(candidates).message);
  // The npm package holds no headers, so it is nothing to build with.
  return explicit ?? candidates.find(({ variant, problem }) => variant === 'cpu' && !problem);
}

async function fetchLibtorch() {
  const { unsupportedPlatform, variantsOf } = compiled('libtorch/manifest');
  const unsupported = unsupportedPlatform();
  if (unsupported !== null) throw new SetupError(`${unsupported}.`);
  const { install } = compiled('libtorch/install');
  const { sourcesOf } = compiled('libtorch/sources');
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

/** Shows bytes: always the newest on a terminal, a line every tenth elsewhere. */
function showProgress() {
  const inMb = (count) => (count / 1e6).toFixed(0);
  const words = { fetch: 'fetched', unpack: 'unpacked' };
  let shown = '';
  return (what, { received, total = Number.NaN }) => {
    const text = `  ${inMb(received)} of ${inMb(total)} MB ${words[what]}`;
    const tenth = `${what} ${Math.floor((received / total) * 10)}`;
    if (process.stderr.isTTY) sayBriefly(text);
    else if (tenth !== shown) say(text);
    shown = tenth;
  };
}
