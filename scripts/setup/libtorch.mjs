// libtorch for a checkout: the one the user names, else the one in the cache, else the official wheel, fetched over https
// or by pip. lib/libtorch/candidates.ts decides what can be used; it is asked through its compiled form.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { checkFile, download } from './download.mjs';
import { execute, root, run, SetupError, say, step, withLock } from './steps.mjs';

const require = createRequire(import.meta.url);

/** The folder of the libtorch to build with, fetched if there is none. */
export async function provideLibtorch() {
  const { libtorchCandidates } = require(path.join(root, 'dist/libtorch/candidates.js'));
  const { unsupportedPlatform, variantsOf } = require(path.join(root, 'dist/libtorch/manifest.js'));
  const { variantFolder } = require(path.join(root, 'dist/libtorch/cache.js'));
  const usable = () => {
    const candidates = libtorchCandidates();
    const explicit = candidates.find(({ explicit, source }) => explicit && process.env[source]);
    if (explicit?.problem) {
      const { libtorchError } = require(path.join(root, 'dist/libtorch.js'));
      throw new SetupError(libtorchError(candidates).message);
    }
    // The npm package holds no headers, so it is nothing to build with. What is built is for any variant.
    return explicit ?? candidates.find(({ variant, problem }) => variant === 'cpu' && !problem);
  };
  let found = usable();
  if (!found) {
    const unsupported = unsupportedPlatform();
    if (unsupported !== null) throw new SetupError(`${unsupported}.`);
    const [artefact] = variantsOf().cpu.archives;
    const target = variantFolder('cpu');
    await withLock(`${target}.lock`, async () => {
      if (!usable()) await fetchLibtorch(artefact, target);
    });
    found = usable();
    if (!found) throw new SetupError(`libtorch was put into ${target} but cannot be used. Delete it and try again.`);
  }
  if (!fs.existsSync(path.join(found.folder, 'include', 'ATen', 'ATen.h'))) {
    throw new SetupError(
      `${found.folder} (${found.source}) has libraries but no headers (include/ATen/ATen.h), so nothing can be built ` +
        `with it.\nName another folder in ${found.source}, or unset it to have libtorch fetched.`,
    );
  }
  return found;
}

/** Fetches and unpacks one artefact. `target` appears complete or not at all, also when two do this at once. */
export async function fetchLibtorch(artefact, target, fetchers = [fetchOverHttps, fetchByPip]) {
  const work = `${target}.new-${randomUUID()}`;
  fs.mkdirSync(work, { recursive: true });
  removeAbandoned(target);
  try {
    const archive = path.join(work, 'archive');
    await fetchArchive(artefact, archive, `${target}.part`, fetchers);
    await step('Unpacking libtorch', () =>
      run('Unpacking', 'cmake', ['-E', 'tar', 'xf', archive, '--format=zip', ...artefact.members], { cwd: work }),
    );
    moveInto(path.join(work, 'torch'), target, artefact.members, path.join(work, 'old'));
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

async function fetchArchive(artefact, archive, part, fetchers) {
  const failures = [];
  for (const fetcher of fetchers) {
    try {
      return await fetcher(artefact, archive, part);
    } catch (error) {
      say(`  ${error.message.split('\n')[0]}`);
      failures.push(error.message);
    }
  }
  throw new SetupError(
    `libtorch could not be fetched:\n${failures.map((line) => `  ${line}`).join('\n')}\n\nDo one of these:\n` +
      '  - connect this machine to the network and run this again; what has come already is kept and continued\n' +
      `  - set LIBTORCH to a folder with lib/ and include/ of ${artefact.pip.requirement}, for example the folder torch/ of\n` +
      `    ${artefact.url}\n    fetched by other means and unzipped`,
  );
}

async function fetchOverHttps(artefact, archive, part) {
  try {
    await step(`Fetching libtorch (${artefact.pip.requirement}) from ${new URL(artefact.url).host}`, () =>
      download(artefact, archive, { part }),
    );
  } catch (error) {
    throw new Error(`https: ${artefact.url}: ${error.message}`);
  }
}

const pips = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];

/** pip knows mirrors and proxies that we do not. It must bring the same file: the hash is ours. */
async function fetchByPip(artefact, archive) {
  const folder = `${archive}.pip-${randomUUID()}`;
  try {
    for (const [command, ...args] of pips) {
      if (!(await execute(command, [...args, '--version'])).ok) continue;
      const flags = [
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--timeout',
        '15',
        '--retries',
        '2',
        '--dest',
        folder,
      ];
      await step(`Fetching libtorch (${artefact.pip.requirement}) by ${[command, ...args].join(' ')}`, () =>
        run('pip download', command, [...args, ...flags, ...artefact.pip.arguments, artefact.pip.requirement]),
      );
      const [file] = fs.readdirSync(folder);
      await checkFile(path.join(folder, file), artefact.sha256, artefact.bytes);
      fs.renameSync(path.join(folder, file), archive);
      return;
    }
  } catch (error) {
    throw new Error(`pip: ${error.message.split('\n\nThe whole log')[0]}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  throw new Error('pip: neither python3 -m pip nor pip3 is there');
}

/** What a killed set-up left behind. */
function removeAbandoned(target) {
  const folder = path.dirname(target);
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(`${path.basename(target)}.new-`)) continue;
    const file = path.join(folder, name);
    const age = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 3_600_000) fs.rmSync(file, { recursive: true, force: true });
  }
}

/** Renames. Where another process was faster its complete folder stays; an incomplete one is moved out of the way. */
function moveInto(folder, target, members, aside) {
  try {
    fs.renameSync(folder, target);
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    if (members.every((member) => fs.existsSync(path.join(target, path.relative('torch', member))))) return;
    fs.renameSync(target, aside);
    fs.renameSync(folder, target);
  }
}
