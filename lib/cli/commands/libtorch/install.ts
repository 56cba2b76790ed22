// `torch-incremental libtorch install`: installs a build of libtorch in the cache, from the network or from files.
import fs from 'node:fs';
import path from 'node:path';
import type { Check } from '../../../core/checks';
import { bytes } from '../../../core/format';
import { checkVariant } from '../../../install/check-build';
import { install, isUsable } from '../../../install/install-libtorch';
import { bytesToFetch, defaultVariant } from '../../../install/overview';
import { type Source, sourcesOf } from '../../../install/sources';
import { libtorchIn, variantFolder } from '../../../libtorch/cache';
import { libtorchCandidates, preferredOf } from '../../../libtorch/candidates';
import { askDriver, type Driver, runs } from '../../../libtorch/driver';
import { pin, type Variant, variantsOf } from '../../../libtorch/manifest';
import { findPythonTorch } from '../../../libtorch/python';
import { wrongUsage } from '../../arguments';
import { confirm } from '../../ask';
import { type Context, command as define, on, text } from '../../command';
import { type DownloadView, downloadView } from '../../download-view';
import { interrupted } from '../../interrupt';
import { useFolder, variantNamed } from '../../libtorch';
import type { Terminal } from '../../terminal';
import { urlLines } from '../../urls';

const isSha256: Check = (value, name) => {
  if (!/^[0-9a-f]{64}$/i.test(String(value)))
    throw wrongUsage(`Expected 64 hexadecimal digits for "${name}" but received '${value}'`);
};

export const command = define({
  name: 'libtorch install',
  description: [
    'Installs a build of libtorch where this package finds it. An interrupted',
    'download is resumed by the next call. HTTP_PROXY, HTTPS_PROXY and NO_PROXY',
    'are honoured; TORCH_INCREMENTAL_LIBTORCH_MIRROR is a base address that',
    'replaces https://<host> in all addresses.',
  ].join('\n'),
  options: {
    variant: text('name', 'cpu, cu126, cu128 or cu130 (default: the newest that the NVIDIA driver runs, else cpu)'),
    from: text('place', 'A file, a folder or an address to install from; python: use the torch of python3 in place'),
    sha256: text('hex', 'Checksum of the file, if it is not a known one', { check: isSha256 }),
    yes: on('Do not ask before downloading'),
    printUrls: on('Only print the files to fetch for a machine without a network, and the command to run there'),
  },
  examples: [
    'libtorch install',
    'libtorch install --variant cu130 --yes',
    'libtorch install --variant cu130 --from ~/Downloads',
    'libtorch install --from python',
  ],
  async run(_, { variant: given, from, sha256, yes = false, printUrls = false }, context) {
    const { terminal, signal } = context;
    if (printUrls && (from ?? sha256) !== undefined)
      throw wrongUsage('--print-urls lists the files of PyTorch: it cannot be combined with --from or --sha256');
    if (given !== undefined) variantNamed(given);
    const own = from === 'python' ? await findPythonTorch(signal) : libtorchFolder(from);
    if (own !== null) {
      if (sha256 !== undefined)
        throw wrongUsage(`--sha256 is of one file, and --from names ${own}, which is used where it is`);
      if (given !== undefined) checkVariant(own, own, given, variantNamed(given).cuda !== null);
      await useFolder(own, terminal);
      return 0;
    }
    const driver = await askDriver();
    const name = given ?? defaultVariant(variantsOf(), driver);
    const variant = variantNamed(name);
    if (given === undefined) terminal.note(`Using ${name}: ${whyDefault(variant, driver)}`);
    const mirror = process.env.TORCH_INCREMENTAL_LIBTORCH_MIRROR || undefined;
    if (printUrls) {
      terminal.print(urlLines(name, variant, mirror).join('\n'));
      return 0;
    }
    if (!runs(variant.minDriver, driver))
      terminal.note(`${name} computes on the CPU here: ${driverNeeded(variant, driver)}`);
    const there = libtorchIn(variantFolder(name));
    if (await isUsable(there, variant, signal)) {
      reportPlace(name, there, 'was already installed in', terminal);
      return 0;
    }
    const sources = await sourcesOf(name, variant, { from, sha256: sha256?.toLowerCase(), mirror });
    if (!yes && !(await agreed(name, variant, sources, signal))) {
      terminal.note('Nothing was changed');
      return 1;
    }
    return fetchAndInstall(name, variant, sources, context);
  },
});

/** Returns the folder of `from` if it is a libtorch; null for a folder with archives to install from. */
function libtorchFolder(from: string | undefined): string | null {
  if (from === undefined) return null;
  const folder = libtorchIn(path.resolve(from));
  return fs.existsSync(path.join(folder, 'lib', 'libtorch.so')) ? folder : null;
}

async function agreed(
  name: string,
  variant: Variant,
  sources: readonly Source[],
  signal: AbortSignal,
): Promise<boolean> {
  const hosts = new Set(sources.flatMap(({ place }) => ('url' in place ? new URL(place.url).host : [])));
  if (hosts.size === 0) return true;
  const known = sources.every((source) => source.bytes !== null) ? bytesToFetch(variant) : null;
  const size = known === null ? 'a file of unknown size' : bytes(known);
  const place = variantFolder(name);
  return confirm(
    `Fetch libtorch ${pin.version} ${name}, ${size}, from ${[...hosts].join(', ')} into\n${place}?`,
    signal,
  );
}

async function fetchAndInstall(
  name: string,
  variant: Variant,
  sources: readonly Source[],
  { terminal, signal }: Context,
): Promise<number> {
  const view = (word: string) => downloadView(word.padEnd('Unpacking'.length), `${word} libtorch ${name}`, signal);
  const views = { fetch: view('Fetching'), check: view('Checking'), unpack: view('Unpacking') };
  let current: DownloadView | undefined;
  const show = (next?: DownloadView) => {
    if (current !== next) current?.stop();
    current = next;
  };
  try {
    const { folder, already } = await install({
      name,
      variant,
      sources,
      signal,
      onProgress: (step, progress) => {
        show(views[step]);
        views[step].onProgress(progress);
      },
      onNote: (line) => {
        show();
        terminal.note(line);
      },
    });
    show();
    reportPlace(name, folder, already ? 'was already installed in' : 'is installed in', terminal);
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    if (!terminal.readerGone) terminal.note('Interrupted; nothing was changed. The next call resumes the download');
    return interrupted;
  } finally {
    show();
  }
}

/** Prints where the build is, and warns if another build takes precedence. */
function reportPlace(name: string, there: string, how: string, terminal: Terminal): void {
  terminal.print(`libtorch ${pin.version} ${name} ${how} ${there}`);
  const inUse = preferredOf(libtorchCandidates());
  if (!inUse || inUse.variant === name) return;
  const { source, folder, undo } = inUse;
  const way = undo === '' ? `npx torch-incremental libtorch use ${name}` : undo;
  terminal.note(`${folder} (${source}) takes precedence. To change that: ${way}`);
}

function whyDefault(variant: Variant, driver: Driver | null): string {
  if (variant.cuda !== null) return `the NVIDIA driver${driver?.version ? ` ${driver.version}` : ''} runs it`;
  if (driver === null) return 'there is no NVIDIA driver here';
  return `the NVIDIA driver ${driver.version} is too old for the builds with CUDA whose checksums are known`;
}

function driverNeeded({ minDriver }: Variant, driver: Driver | null): string {
  return `it needs an NVIDIA driver of at least ${minDriver}, and there is ${driver?.version ?? 'none'}`;
}
