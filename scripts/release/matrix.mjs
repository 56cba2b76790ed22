// Prints the machines that release.yml builds on, as JSON for its matrix: one for each platform that libtorch.json marks as
// built. linux-x64 is left out, because the packing job runs on it.
import { builtPlatforms } from './pin.mjs';

/** On Linux, the container has the oldest glibc that PyTorch's own wheels support. */
const machines = {
  'linux-x64': { runner: 'ubuntu-24.04', container: 'quay.io/pypa/manylinux_2_28_x86_64:2025.09.28-1' },
  'linux-arm64': { runner: 'ubuntu-24.04-arm', container: 'quay.io/pypa/manylinux_2_28_aarch64:2025.09.28-1' },
  'darwin-arm64': { runner: 'macos-15' },
  'win32-x64': { runner: 'windows-2025' },
};
export const packsOn = 'linux-x64';

export function matrix(platforms) {
  const unknown = platforms.filter((platform) => !machines[platform]);
  if (unknown.length > 0) throw new Error(`scripts/release/matrix.mjs names no machine for ${unknown.join(', ')}`);
  return platforms.filter((platform) => platform !== packsOn).map((platform) => ({ platform, ...machines[platform] }));
}

if (process.argv[1] === import.meta.filename) {
  console.log(`others=${JSON.stringify(matrix(builtPlatforms))}`);
  console.log(`container=${machines[packsOn].container}`);
}
