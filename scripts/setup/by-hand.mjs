// Compiles the addon of an installed package, for `torch-incremental build`. Like the setup of a checkout, but with cmake alone,
// and with Node-API headers from the user's project.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parallelJobs } from './addon.mjs';
import { buildFolder, root, run, SetupError, step, withLock } from './steps.mjs';
import { checkToolchain, onPath } from './toolchain.mjs';

const headers = ['node-addon-api', 'node-api-headers'];
const work = path.join(buildFolder, 'by-hand');
const release = path.join(buildFolder, 'Release');

/**
 * Compiles against the libtorch in `libtorch`, with headers found from the package or from `project`. Returns the folder of the
 * result, which takes precedence over prebuilds/. An earlier result is kept until the new one is complete.
 */
export async function buildByHand({ libtorch, project }) {
  if (fs.existsSync(path.join(root, 'scripts', 'setup.mjs')))
    throw new SetupError('This is a checkout of torch-incremental, where `npm run setup` builds the addon.');
  const includes = findHeaders(project);
  const compiler = await checkToolchain();
  return withLock(path.join(buildFolder, 'setup.lock'), async () => {
    fs.rmSync(work, { recursive: true, force: true });
    await step('Configuring the build', () =>
      run('cmake', 'cmake', [
        ...['-S', root, '-B', work, ...(onPath('ninja') ? ['-G', 'Ninja'] : [])],
        '-DCMAKE_BUILD_TYPE=Release',
        `-DCMAKE_CXX_COMPILER=${compiler}`,
        `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${path.join(work, 'Release')}`,
        `-DCMAKE_JS_INC=${includes.join(';')}`,
        `-DLIBTORCH=${libtorch}`,
      ]),
    );
    const jobs = parallelJobs();
    await step(`Building the addon (${jobs === 1 ? 'one job' : `${jobs} jobs`})`, () =>
      run('cmake --build', 'cmake', ['--build', work, '--parallel', String(jobs)]),
    );
    fs.rmSync(release, { recursive: true, force: true });
    fs.renameSync(path.join(work, 'Release'), release);
    fs.rmSync(work, { recursive: true });
    return release;
  });
}

/** Finds the folders of node_api.h and napi.h: two small packages that only a build needs, and therefore no dependencies. */
function findHeaders(project) {
  const bases = [root, project].map((folder) => createRequire(path.join(folder, 'package.json')));
  const found = headers.map((name) => {
    for (const require of bases) {
      try {
        const folder = path.dirname(require.resolve(`${name}/package.json`));
        return [folder, path.join(folder, 'include')].find((one) =>
          fs.readdirSync(one).some((file) => file.endsWith('.h')),
        );
      } catch (error) {
        if (error.code !== 'MODULE_NOT_FOUND') throw error;
      }
    }
    return undefined;
  });
  const missing = headers.filter((_, index) => !found[index]);
  if (missing.length === 0) return found;
  const { devDependencies } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  throw new SetupError(
    `The build needs headers of Node-API, and ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not installed. ` +
      `In your project:\n\n  npm install --no-save ${headers.map((name) => `${name}@${devDependencies[name]}`).join(' ')}`,
  );
}
