// Which C library this process runs on, and whether libtorch runs on it. For doctor and for the loader's error messages.
import { compareVersions } from './driver';
import { glibcFloor } from './requirements';

/** glibc's version, undefined on other C libraries. Takes some milliseconds. */
export function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}

/** 'glibc 2.36', or 'musl' for what is none. */
export function describeLibc({ glibc }: { glibc: string | undefined } = { glibc: glibcVersion() }): string {
  if (process.platform !== 'linux') return 'of the system';
  return glibc === undefined ? 'musl' : `glibc ${glibc}`;
}

/** What is needed where this C library does not do, in a sentence; null where it does. */
export function unsuitableLibc({ glibc }: { glibc: string | undefined } = { glibc: glibcVersion() }): string | null {
  if (process.platform !== 'linux') return null;
  if (glibc !== undefined && compareVersions(glibc, glibcFloor) >= 0) return null;
  return `torch-incremental needs glibc ${glibcFloor} or newer, as libtorch does`;
}
