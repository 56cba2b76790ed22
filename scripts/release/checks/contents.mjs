// Checks the content of the packages: allowed files, required files, and sizes.
import { prebuildsOf } from '../prebuilds.mjs';

const anyPackage = ['LICENSE', 'NOTICE', 'README.md', 'package.json'];

/** Files of the main package, by exact names or patterns. A new kind of file must be added here. */
const main = [
  ...anyPackage,
  'CHANGELOG.md',
  'CMakeLists.txt',
  'binding.cc',
  'libtorch.json',
  /^dist\/[\w./-]+\.(js|mjs|d\.ts|d\.mts)$/,
  /^docs\/[\w-]+\.md$/,
  /^scripts\/setup\/(addon|by-hand|steps|toolchain)\.mjs$/,
  /^src\/[\w./-]+\.(cc|h)$/,
];
const mainLimit = 5e6;

/** npm refuses tarballs somewhere above 176 MB. */
const libtorchLimit = 150e6;

/** Scripts that package managers run when a dependency is installed, and that npm runs when it is packed. */
const lifecycle =
  /^(pre|post)?(install|prepare|pack|publish|publishOnly|prepublish|prepublishOnly|uninstall|dependencies|shrinkwrap|version)$/;

export function mainContents({ main: { files }, platforms }) {
  const prebuilds = platforms.flatMap(prebuildsOf);
  const needed = ['dist/index.js', 'dist/index.mjs', 'dist/index.d.ts', 'dist/index.d.mts', 'dist/cli/main.js'];
  return [...outside(files, [...main, ...prebuilds]), ...missing(files, [...anyPackage, ...needed, ...prebuilds])];
}

export function libtorchContents({ libtorch: { files }, sums }) {
  const named = [...anyPackage, 'SHA256SUMS', ...sums.keys()];
  return [...outside(files, [...named, /^licenses\/[\w.-]+\.txt$/]), ...missing(files, named)];
}

function outside(files, allowed) {
  const isAllowed = (file) => allowed.some((one) => (one instanceof RegExp ? one.test(file) : one === file));
  return files.filter((file) => !isAllowed(file)).map((file) => `${file} does not belong in the package`);
}

function missing(files, needed) {
  return needed.filter((file) => !files.includes(file)).map((file) => `${file} is missing`);
}

export function sizes({ main: mainPackage, libtorch }) {
  return [
    [mainPackage, mainLimit],
    [libtorch, libtorchLimit],
  ]
    .filter(([{ bytes }, limit]) => !(bytes > 0 && bytes <= limit))
    .map(([{ manifest, bytes }, limit]) => `${manifest.name} has ${bytes} bytes, at most ${limit} are allowed`);
}

/** npm 12 and pnpm do not run such scripts, so nothing may depend on one. A binding.gyp counts, because npm adds a script. */
export function scripts({ main: mainPackage, libtorch }) {
  return [mainPackage, libtorch].flatMap(({ files, manifest }) => [
    ...Object.keys(manifest.scripts ?? {})
      .filter((name) => lifecycle.test(name))
      .map((name) => `${manifest.name} has the script ${name}, which package managers run or block`),
    ...files
      .filter((file) => file.endsWith('.gyp') || file.endsWith('.gypi'))
      .map((file) => `${manifest.name} has ${file}, by which npm runs node-gyp`),
  ]);
}
