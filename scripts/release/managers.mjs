// How each package manager installs a package with every script disabled, and how a program runs there afterwards. For the
// smoke test behind a release, and for tests of an installation.

const yarn = ['npx', '--yes', '@yarnpkg/cli-dist@4'];
const pnpm = ['npx', '--yes', 'pnpm@10'];
const bun = ['npx', '--yes', 'bun@1'];

// pnpm and Yarn leave a version alone that is younger than a day; a release of a minute ago is what is tried.
const yarnFiles = (linker) => ({
  '.yarnrc.yml': `nodeLinker: ${linker}\nenableScripts: false\nenableTelemetry: false\nnpmMinimalAgeGate: 0\n`,
  'yarn.lock': '', // without one, Yarn takes the folder for a part of a project above it
});

/** `files`: what stands in the project before. `add`: installs the named packages. `node`: a program of the project. */
export const managers = {
  npm: {
    files: {},
    add: (...packages) => ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages],
    node: (...args) => ['node', ...args],
  },
  pnpm: {
    files: {},
    add: (...packages) => [...pnpm, 'add', '--ignore-scripts', '--config.minimum-release-age=0', ...packages],
    node: (...args) => ['node', ...args],
  },
  yarn: {
    files: yarnFiles('node-modules'),
    add: (...packages) => [...yarn, 'add', ...packages],
    node: (...args) => ['node', ...args],
  },
  'yarn-pnp': {
    files: yarnFiles('pnp'),
    add: (...packages) => [...yarn, 'add', ...packages],
    node: (...args) => [...yarn, 'node', ...args],
  },
  bun: {
    files: {},
    add: (...packages) => [...bun, 'add', '--ignore-scripts', ...packages],
    node: (...args) => ['node', ...args],
  },
};
