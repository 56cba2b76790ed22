// Formats the output of `libtorch install --print-urls`: how to fetch a build on one machine for another one that has no
// network.

import { bytes, counted } from '../core/format';
import { withoutCredentials } from '../download/credentials';
import { bytesToFetch } from '../install/overview';
import { fileName, mirrored } from '../install/sources';
import { pin, platform, type Variant } from '../libtorch/manifest';

export function urlLines(name: string, variant: Variant, mirror: string | undefined): string[] {
  const { archives } = variant;
  const size = bytesToFetch(variant);
  const unknown = archives.some(({ sha256 }) => sha256 === null);
  const install = `npx torch-incremental libtorch install --variant ${name} --from`;
  return [
    `# libtorch ${pin.version} ${name} for ${platform}: ${counted(archives.length, 'file')}, ${size === null ? 'of unknown size' : bytes(size)}`,
    '# Fetch into one folder:',
    ...archives.map(({ url }) => withoutCredentials(mirrored(url, mirror))),
    ...(unknown
      ? ['# The checksum is not known to this version: get it from a source that you trust.']
      : [
          '# Their SHA-256, in the form that `sha256sum --check` reads:',
          ...archives.map(({ url, sha256 }) => `${sha256}  ${fileName(url)}`),
        ]),
    '# Then, on the machine without a network, with that folder:',
    `# ${install} <folder>${unknown ? ' --sha256 <hex>' : ''}`,
  ];
}
