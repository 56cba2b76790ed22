// Identifies the C library of this process, and whether libtorch runs on it. For doctor and for the errors of the loader.
import { compareVersions } from './driver';
import { glibcFloor } from './requirements';

/** Returns glibc's version; undefined on other C libraries. Takes some milliseconds. */
export function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}

/** Returns 'glibc 2.36', or 'musl' for any other C library. */
export function describeLibc({ glibc }: { glibc: string | undefined } = { glibc: glibcVersion() }): string {
  if (process.platform !== 'linux') return 'of the system';
  return glibc === undefined ? 'musl' : `glibc ${glibc}`;
}

/** Returns a sentence with the requirement that this C library does not meet; null if it meets it. */
export function unsuitableLibc({ glibc }: { glibc: string | undefined } = { glibc: glibcVersion() }): string | null {
  if (process.platform !== 'linux') return null;
  if (glibc !== undefined && compareVersions(glibc, glibcFloor) >= 0) return null;
  return `torch-incremental needs glibc ${glibcFloor} or newer, as libtorch does`;
}
