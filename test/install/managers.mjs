// The package managers: how each is told of the local registry, what installs the package, what runs Node and a bin of it.
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

/** As a release is tried, from this registry. */
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

/** steps: the arguments of each call. node, bin: what runs them if node_modules/ does not do, given the command itself. */
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
