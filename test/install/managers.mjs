// Describes the package managers: settings for the local registry, the commands that install the package, run Node and run a bin.
// Their caches are in the home folder they are given.
import fs from 'node:fs';
import path from 'node:path';
import { managers as released } from '../../scripts/release/managers.mjs';

const main = 'torch-incremental';

const npm = (tool, steps = [['install', main]]) => ({
  tool,
  configure: (folder, url) =>
    write(folder, '.npmrc', `registry=${url}\nfund=false\naudit=false\nupdate-notifier=false\n`),
  steps,
});

/** As in the smoke test of a release, from this registry. */
const yarn = (name) => ({
  tool: 'yarn',
  configure(folder, url) {
    const registry = `npmRegistryServer: ${url}\nunsafeHttpWhitelist: [127.0.0.1]\n`;
    for (const [file, text] of Object.entries(released[name].files))
      write(folder, file, file === '.yarnrc.yml' ? text + registry : text);
    write(folder, 'package.json', '{}');
  },
  steps: [['add', main]],
});

/** steps: the arguments of each call. node, bin: commands that run them if there is no node_modules/. */
export const managers = {
  'npm 11': npm('npm 11'),
  'npm 12 with its defaults': npm('npm 12'),
  'npm ci --ignore-scripts': npm('npm 12', [
    ['install', '--package-lock-only', main],
    ['ci', '--ignore-scripts'],
  ]),
  pnpm: { ...npm('pnpm', [['add', main]]) },
  'yarn with node_modules': yarn('yarn'),
  "yarn with Plug'n'Play": {
    ...yarn('yarn-pnp'),
    node: (command) => [...command, 'node'],
    bin: (command) => [...command, 'run', main],
  },
  'bun --ignore-scripts': { ...npm('bun', [['add', '--ignore-scripts', main]]) },
};

function write(folder, name, text) {
  fs.writeFileSync(path.join(folder, name), text);
}
