// Reports on the operating system: its name, the container it runs in, its C and C++ libraries.
import path from 'node:path';
import { compareVersions } from '../../libtorch/driver';
import { unsupportedPlatform } from '../../libtorch/manifest';
import { glibcFloor, libstdcxxFloor } from '../../libtorch/requirements';
import type { Machine } from '../machine';
import { type Finding, problem, row, section } from '../section';

export interface Facts {
  readonly platform: string;
  readonly name: string;
  /** The kind of container, with the evidence; null if none exists. */
  readonly container: string | null;
  readonly libc: { readonly name: 'glibc' | 'musl' | 'other'; readonly version: string | null };
  /** The newest version of its symbols; null if that is unknown. */
  readonly libstdcxx: string | null;
}

export const system = section<Facts>({
  title: 'System',
  look: ({ machine, platform }) => ({
    platform,
    name: nameOf(machine),
    container: containerOf(machine),
    libc: libcOf(machine),
    libstdcxx: libstdcxxOf(machine),
  }),
  judge({ platform, libc, libstdcxx }, { manifest }) {
    const findings: Finding[] = [];
    const unsupported = unsupportedPlatform(manifest, platform);
    if (unsupported !== null)
      findings.push(
        problem('platform-unsupported', `${unsupported}.`, 'Use a machine, container or virtual machine of that kind.'),
      );
    if (libc.name === 'musl')
      findings.push(
        problem(
          'musl',
          'This system has musl; libtorch needs glibc.',
          'Use an image based on Debian or Ubuntu, such as node:22-slim instead of node:22-alpine.',
        ),
      );
    if (libc.version !== null && compareVersions(libc.version, glibcFloor) < 0)
      findings.push(
        problem(
          'glibc-too-old',
          `This system has glibc ${libc.version}; libtorch needs ${glibcFloor} or newer.`,
          'Use a newer system or image: Debian 10, Ubuntu 18.10, RHEL 8 and everything since have it.',
        ),
      );
    if (libstdcxx !== null && compareVersions(libstdcxx, libstdcxxFloor) < 0)
      findings.push(
        problem(
          'libstdcxx-too-old',
          `The C++ library of this process has GLIBCXX_${libstdcxx}; libtorch needs GLIBCXX_${libstdcxxFloor} or newer.`,
          'Install a newer libstdc++6 (of GCC 6 or newer); look also at LD_LIBRARY_PATH.',
        ),
      );
    return findings;
  },
  rows: ({ platform, name, container, libc, libstdcxx }, { manifest }) => [
    row('name', `${name}, ${platform}`, unsupportedPlatform(manifest, platform) === null),
    ...(container === null ? [] : [row('container', container)]),
    row(
      'C library',
      libc.name === 'glibc' ? `glibc ${libc.version} (needed: ${glibcFloor} or newer)` : libc.name,
      libc.version === null ? (libc.name === 'musl' ? 'bad' : null) : compareVersions(libc.version, glibcFloor) >= 0,
    ),
    row(
      'C++ library',
      libstdcxx === null ? 'unknown' : `GLIBCXX_${libstdcxx} (needed: ${libstdcxxFloor} or newer)`,
      libstdcxx === null ? null : compareVersions(libstdcxx, libstdcxxFloor) >= 0,
    ),
  ],
});

function nameOf({ kernel, text }: Machine): string {
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(text('/etc/os-release') ?? '')?.[1];
  return name ? `${name}, ${kernel}` : kernel;
}

function containerOf({ env, exists, text }: Machine): string | null {
  if (env.KUBERNETES_SERVICE_HOST) return 'Kubernetes';
  if (exists('/.dockerenv')) return 'Docker (/.dockerenv)';
  if (exists('/run/.containerenv')) return 'Podman (/run/.containerenv)';
  if (/microsoft|wsl/i.test(text('/proc/sys/kernel/osrelease') ?? '')) return 'Windows Subsystem for Linux';
  const kind = /\b(docker|kubepods|containerd|libpod|lxc)\b/.exec(text('/proc/1/cgroup') ?? '')?.[1];
  return kind ? `${kind} (/proc/1/cgroup)` : null;
}

function libcOf({ platform, glibc, list }: Machine): Facts['libc'] {
  if (platform !== 'linux') return { name: 'other', version: null };
  if (glibc !== undefined) return { name: 'glibc', version: glibc };
  return { name: list('/lib').some((name) => name.startsWith('ld-musl-')) ? 'musl' : 'other', version: null };
}

/** Finds the library that Node has mapped: libstdc++.so.6.0.30 has all symbols up to GLIBCXX_3.4.30. */
function libstdcxxOf({ text, realPath }: Machine): string | null {
  const file = /\s(\/\S*\/libstdc\+\+\.so\.6\S*)$/m.exec(text('/proc/self/maps') ?? '')?.[1];
  const minor = file && /^libstdc\+\+\.so\.6\.0\.(\d+)$/.exec(path.basename(realPath(file)))?.[1];
  return minor ? `3.4.${minor}` : null;
}
