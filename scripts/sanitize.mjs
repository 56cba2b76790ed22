// Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer in build/sanitize/, and runs the tests that reach C++
// with it. Any report is a failure. `npm run sanitize`, or with test files: `npm run sanitize -- FILES`.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parallelJobs } from './setup/addon.mjs';
import { provideLibtorch } from './setup/libtorch.mjs';
import { buildFolder, filesUnder, root, run, say, step } from './setup/steps.mjs';
import { checkToolchain } from './setup/toolchain.mjs';

const folder = path.join(buildFolder, 'sanitize');
const reports = path.join(folder, 'reports');
/** Tests that reach C++, without those that measure memory or compare with Python. */
const reaching =
  /^test\/(attacks\/(attacks(\.long)?|(layout-)?plans|programs|calls)|pt2\/(hostile|hostile-models|saving(-states)?|forms|programs|exact-json)|unit\/(checkpoint-\w+|layouts|state(-save)?|train|batches|datasets|transforms|resume|online-(options|stream)|crc32c))\.test\.mjs$/;
const tests = filesUnder('test', ['.test.mjs']).filter((file) => reaching.test(file));

const compiler = await checkToolchain();
const libtorch = await provideLibtorch();
const cmakeJs = (command, args) =>
  run(
    `cmake-js ${command}`,
    process.execPath,
    [
      path.join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js'),
      command,
      `--out=${folder}`,
      `--CDLIBTORCH=${libtorch.folder}`,
      '--CDSANITIZE=ON',
      ...args,
    ],
    { env: { ...process.env, CXX: compiler, CCACHE_SLOPPINESS: 'pch_defines,time_macros' } },
  );

await step('Building the addon with sanitizers', async () => {
  if (!fs.existsSync(path.join(folder, 'CMakeCache.txt'))) await cmakeJs('configure', []);
  await cmakeJs('build', ['--parallel', String(parallelJobs())]);
});

/** Returns the compiler's copy of a library that must be preloaded. */
const libraryOf = (name) => execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();

const addon = fs.readFileSync(path.join(folder, 'Release', 'torch_incremental.node'));
if (!addon.includes('__asan_report_load') || !addon.includes('__ubsan_handle'))
  throw new Error('The addon was built without sanitizers, so nothing would be reported');

fs.rmSync(reports, { recursive: true, force: true });
fs.mkdirSync(reports, { recursive: true });
const common = `log_path=${path.join(reports, 'report')}:halt_on_error=1`;
const env = {
  ...process.env,
  TORCH_INCREMENTAL_ADDON: path.join(folder, 'Release'),
  TORCH_INCREMENTAL_PYTHON: '', // Python would run with the sanitizer too
  // The sanitizer cannot find Node's libstdc++, and without one every C++ exception ends the process.
  LD_PRELOAD: [libraryOf('libasan.so'), libraryOf('libstdc++.so.6')].join(' '),
  // Node and libtorch do not free everything at exit. A reader that allocates too much must get an error, as without sanitizers.
  ASAN_OPTIONS: `${common}:detect_leaks=0:allocator_may_return_null=1:detect_odr_violation=0`,
  UBSAN_OPTIONS: `${common}:print_stacktrace=1`,
};
const chosen = process.argv.slice(2);
const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const { status } = spawnSync(process.execPath, [mocha, ...(chosen.length > 0 ? chosen : tests)], {
  cwd: root,
  env,
  stdio: 'inherit',
});
const found = fs.readdirSync(reports);
for (const name of found) say(`\n${name}:\n${fs.readFileSync(path.join(reports, name), 'utf8').slice(0, 5000)}`);
say(found.length === 0 ? 'Sanitizers: no reports.' : `Sanitizers: ${found.length} reports are in ${reports}`);
process.exitCode = status === 0 && found.length === 0 ? 0 : 1;
