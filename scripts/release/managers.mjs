// Commands of each package manager that install a package with all scripts disabled, and that run a program afterwards. For the
// smoke test after a release, and for tests of an installation.

const yarn = ['npx', '--yes', '@yarnpkg/cli-dist@4'];
const pnpm = ['npx', '--yes', 'pnpm@10'];
const bun = ['npx', '--yes', 'bun@1'];

// By default pnpm and Yarn do not install a version that is younger than a day; the smoke test installs a new release.
const yarnFiles = (linker) => ({
  '.yarnrc.yml': `nodeLinker: ${linker}\nenableScripts: false\nenableTelemetry: false\nnpmMinimalAgeGate: 0\n`,
  'yarn.lock': '', // without one, Yarn treats the folder as part of a project in a parent folder
});

/** `files`: initial files of the project. `add`: installs the named packages. `node`: runs a program of the project. */
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
