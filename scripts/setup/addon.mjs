// Builds the addon: configures it again if something that cmake depends on has changed, and builds it if a source has changed.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildFolder, filesUnder, fingerprint, readText, root, run, step } from './steps.mjs';
import { checkToolchain } from './toolchain.mjs';

const stampFile = path.join(buildFolder, 'setup.json');
const products = ['loader.node', 'torch_incremental.node'].map((name) => path.join(buildFolder, 'Release', name));

/** False before the first successful build, so that a missing compiler is reported before anything is fetched. */
export function hasBeenBuilt() {
  return readStamp().built !== undefined;
}

export async function buildAddon(libtorch) {
  let stamp = readStamp();
  const sources = fingerprint(['CMakeLists.txt', 'binding.cc', ...filesUnder('src', ['.cc', '.h'])]);
  const settings = fingerprint(
    ['node_modules/cmake-js/package.json', 'node_modules/node-addon-api/package.json'],
    readText(path.join(root, 'node_modules/node-api-headers/package.json')),
    [root, process.arch, process.env.CXX ?? null, process.env.CXXFLAGS ?? null],
    [libtorch.folder, libtorch.version, identity(path.join(libtorch.folder, 'lib', 'libtorch_cpu.so'))],
  );
  // A removed compiler is no reason to build again; a replaced one is.
  const compiler = stamp.compiler && (identity(stamp.compiler.path) ?? stamp.compiler.identity);
  const configured = stamp.settings === settings && compiler === stamp.compiler?.identity;
  if (configured && stamp.built === sources && products.every((file) => fs.existsSync(file))) return false;

  const compilerPath = await checkToolchain();
  if (!configured || !fs.existsSync(path.join(buildFolder, 'CMakeCache.txt'))) {
    fs.rmSync(stampFile, { force: true });
    cleanBuildFolder();
    await step('Configuring the build', () =>
      cmakeJs('configure', compilerPath, [
        `--CDLIBTORCH=${libtorch.folder}`,
        '--CDCMAKE_EXPORT_COMPILE_COMMANDS=ON', // for clang-tidy
      ]),
    );
    stamp = { settings, compiler: { path: compilerPath, identity: identity(compilerPath) } };
  }
  writeStamp({ ...stamp, built: undefined });
  const jobs = parallelJobs();
  await step(`Building the addon (${jobs === 1 ? 'one job' : `${jobs} jobs`})`, () =>
    cmakeJs('build', compilerPath, ['--parallel', String(jobs)]),
  );
  writeStamp({ ...stamp, built: sources });
  return true;
}

function cmakeJs(command, compiler, args) {
  const script = path.join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js');
  const env = { ...process.env, CXX: compiler };
  return run(`cmake-js ${command}`, process.execPath, [script, command, ...args], { env });
}

/** One compilation that includes ATen needs about 1.5 GB. */
export function parallelJobs() {
  const asked = Number(process.env.CMAKE_BUILD_PARALLEL_LEVEL);
  if (asked >= 1) return Math.floor(asked);
  return Math.max(1, Math.min(os.availableParallelism(), Math.floor(os.totalmem() / 1.5e9)));
}

/** Removes everything except the setup's own files. */
function cleanBuildFolder() {
  fs.mkdirSync(buildFolder, { recursive: true });
  for (const name of fs.readdirSync(buildFolder)) {
    if (!name.startsWith('setup.')) fs.rmSync(path.join(buildFolder, name), { recursive: true });
  }
}

/** Returns a text that changes when a file is replaced; null if it does not exist. */
function identity(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? `${fs.realpathSync(file)} ${stat.size} ${stat.mtimeMs}` : null;
}

function readStamp() {
  try {
    return JSON.parse(readText(stampFile)) ?? {};
  } catch {
    return {};
  }
}

function writeStamp(stamp) {
  fs.writeFileSync(stampFile, JSON.stringify(stamp));
}
