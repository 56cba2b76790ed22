// `torch-incremental libtorch list`: shows the builds for this machine.
import { bytes } from '../../../core/format';
import { type Overview, overview, type VariantStatus } from '../../../install/overview';
import { askDriver } from '../../../libtorch/driver';
import { command as define, on } from '../../command';
import { checkPlatform } from '../../libtorch';
import { plainTable } from '../../tables';
import type { Colors } from '../../terminal';

export const command = define({
  name: 'libtorch list',
  description: 'Shows the builds of libtorch: installed, in use, or available.',
  options: { json: on('Print the result as one line of JSON') },
  examples: ['libtorch list', 'libtorch list --json | jq .inUse.folder'],
  async run(_, { json }, { terminal, signal }) {
    checkPlatform();
    const found = await overview(await askDriver(), signal);
    terminal.print(json ? JSON.stringify(found) : overviewText(found, terminal.colors));
    return 0;
  },
});

function overviewText({ version, cache, driver, variants, inUse }: Overview, colors: Colors): string {
  const table = plainTable(
    ['variant', 'size', 'driver from', ''].map(colors.dim),
    ['left', 'right', 'left', 'left'],
    variants.map((status) => [
      status.variant,
      sizeText(status),
      status.minDriver ?? '–',
      stateOf(status, inUse, colors),
    ]),
  );
  const found = driver === null ? 'none' : (driver.version ?? 'of unknown version');
  return [
    `libtorch ${version} in ${cache}`,
    `NVIDIA driver: ${found}`,
    '',
    table,
    '',
    `In use: ${useText(inUse)}`,
  ].join('\n');
}

function sizeText({ bytesOnDisk, bytesToFetch }: VariantStatus): string {
  if (bytesOnDisk > 0) return bytes(bytesOnDisk);
  return bytesToFetch === null ? 'unknown' : bytes(bytesToFetch);
}

function stateOf(status: VariantStatus, inUse: Overview['inUse'], { green, yellow }: Colors): string {
  const { installed, problem, bytesOnDisk, bytesFetched, needsChecksum, runs } = status;
  const idle = runs ? '' : ', no driver for it';
  if (installed) return inUse?.variant === status.variant ? green('installed, in use') : `installed${idle}`;
  if (bytesOnDisk > 0) return yellow(`broken: ${problem}`);
  if (bytesFetched > 0) return `${bytes(bytesFetched)} fetched, not finished`;
  if (needsChecksum) return 'available with --sha256';
  return `available${idle}`;
}

function useText(inUse: Overview['inUse']): string {
  if (inUse === null) return 'none, because no build can be used';
  const { source, folder, problem } = inUse;
  const by = source === 'cache' ? '' : ` (${source})`;
  return `${folder}${by}${problem === null ? '' : `, which cannot be used: ${problem.text}`}`;
}
