// Makes the published tarballs in build/release/: the main package with prebuilt addons, and libtorch for this platform. Each
// is rebuilt only if its content has changed, because the second takes half a minute.
//   node scripts/release/pack.mjs
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { provideLibtorch } from '../setup/libtorch.mjs';
import { buildFolder, execute, readText, root, say, step, withLock } from '../setup/steps.mjs';
import { sha256Of } from './checksums.mjs';
import { fillLibtorchPackage } from './fill-libtorch-package.mjs';
import { archiveOf, libtorchPackage } from './pin.mjs';
import { makePrebuilds } from './prebuilds.mjs';

const releaseFolder = path.join(buildFolder, 'release');
export const platform = `${process.platform}-${process.arch}`;

/** The setup must have run. Returns the paths of both tarballs; throws on a platform that is not built. */
export async function makeTarballs() {
  archiveOf(platform);
  return withLock(path.join(releaseFolder, 'pack.lock'), async () => {
    await makePrebuilds();
    return { main: await packMain(), libtorch: await packLibtorch() };
  });
}

async function packMain() {
  const { files } = await npmPack(root, ['--dry-run']);
  return packOnce('main', root, await fingerprintOf(root, files));
}

async function packLibtorch() {
  const { folder } = libtorchPackage(platform);
  const { files } = await npmPack(folder, ['--dry-run']);
  // Without the libraries: their checksums are in one of these files, and filling the package compares them.
  const key = await fingerprintOf(folder, files);
  const filled = path.join(releaseFolder, path.basename(folder));
  const known = packed('libtorch', key);
  if (known) return known;
  const { folder: libtorch } = await provideLibtorch();
  await step('Filling the package of libtorch', () => fillLibtorchPackage(platform, libtorch, filled));
  return packOnce('libtorch', filled, key);
}

async function packOnce(name, folder, key) {
  const known = packed(name, key);
  if (known) return known;
  const stampFile = path.join(releaseFolder, `${name}.json`);
  fs.rmSync(stampFile, { force: true });
  const { filename } = await step(`Packing ${path.relative(root, folder) || 'the main package'}`, () =>
    npmPack(folder, ['--pack-destination', releaseFolder]),
  );
  fs.writeFileSync(
    stampFile,
    JSON.stringify({ key, filename, sha256: await sha256Of(path.join(releaseFolder, filename)) }),
  );
  return path.join(releaseFolder, filename);
}

/** Returns the tarball of an earlier call with the same key, or null. */
function packed(name, key) {
  const stamp = JSON.parse(readText(path.join(releaseFolder, `${name}.json`)) ?? '{}');
  const file = stamp.key === key && path.join(releaseFolder, stamp.filename);
  return file && fs.existsSync(file) ? file : null;
}

/** Runs `npm pack`, which alone decides which files are in a package. */
export async function npmPack(folder, args) {
  const command = ['pack', '--json', '--ignore-scripts', '--loglevel=error', ...args];
  const { ok, output } = await execute('npm', command, { cwd: folder });
  if (!ok) throw new Error(`npm pack failed in ${folder}:\n${output}`);
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf('[')));
  return { filename, files: files.map(({ path: name, mode }) => ({ name, mode })) };
}

async function fingerprintOf(folder, files) {
  const hash = createHash('sha256').update(process.version);
  for (const { name, mode } of files) hash.update(`\0${name} ${mode} ${await sha256Of(path.join(folder, name))}`);
  return hash.digest('hex');
}

if (process.argv[1] === import.meta.filename) {
  for (const file of Object.values(await makeTarballs()))
    say(`${path.relative(root, file)}  ${fs.statSync(file).size} bytes`);
}
