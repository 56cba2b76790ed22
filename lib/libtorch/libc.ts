// Which C library this process runs on; libtorch needs glibc. For doctor and for the loader's error messages.

/** glibc's version, undefined on other C libraries. Takes some milliseconds. */
export function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}
