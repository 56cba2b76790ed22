// Checks the compiled files as the dynamic linker sees them: the libraries and symbol versions they need, and that they contain
// no paths of the build machine. Reads them with readelf, which is part of every compiler's tools.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execute, root } from '../../setup/steps.mjs';
import { prebuildsOf } from '../prebuilds.mjs';

const ours = ({ main }) =>
  main.files.filter((file) => /^prebuilds\/linux-.*\.node$/.test(file)).map((file) => path.join(main.folder, file));
const theirs = ({ libtorch }) =>
  libtorch.files.filter((file) => /\.so(\.\d+)?$/.test(file)).map((file) => path.join(libtorch.folder, file));

async function readelf(option, file) {
  const { ok, output, problem } = await execute('readelf', ['--wide', option, file], {
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (!ok) throw new Error(`readelf ${option} ${file}: ${problem}\n${output}`);
  return output;
}

/** Returns { NEEDED: [...], RUNPATH: [...], … }; a missing tag has no values. */
async function dynamicSection(file) {
  const entries = { NEEDED: [], RUNPATH: [], RPATH: [], FLAGS: [], FLAGS_1: [] };
  for (const [, tag, value] of (await readelf('-d', file)).matchAll(/\((\w+)\)\s+(?:[^:\n]*: )?\[?([^\]\n]*)/g))
    entries[tag]?.push(value.trim());
  return entries;
}

/** The addon must need libtorch.so, which loads the CUDA libraries if there are any. It must not need those: it serves all builds. */
export async function dependencies(context) {
  const problems = [];
  for (const file of ours(context)) {
    const { NEEDED, RUNPATH, RPATH } = await dynamicSection(file);
    const needsLibtorch = !path.basename(file).startsWith('loader');
    for (const library of ['libtorch.so', 'libtorch_cpu.so', 'libc10.so'])
      if (NEEDED.includes(library) !== needsLibtorch)
        problems.push(`${path.basename(file)} ${needsLibtorch ? 'does not need' : 'needs'} ${library}`);
    for (const library of NEEDED.filter((name) => /cuda|cudnn|cublas|nvrtc|python/i.test(name)))
      problems.push(`${path.basename(file)} needs ${library}`);
    for (const runpath of [...RUNPATH, ...RPATH].flatMap((value) => value.split(':')))
      if (!runpath.startsWith('$ORIGIN')) problems.push(`${path.basename(file)} looks for libraries in ${runpath}`);
  }
  return problems;
}

/** Symbols must be bound when a file is loaded, so that a missing one is an error and not a crash; and files must be stripped. */
export async function linking(context) {
  const problems = [];
  for (const file of ours(context)) {
    const { FLAGS, FLAGS_1 } = await dynamicSection(file);
    if (!/BIND_NOW/.test(FLAGS.join()) && !/NOW/.test(FLAGS_1.join()))
      problems.push(`${path.basename(file)} is bound lazily: a missing symbol would end the process`);
    if (/\.(symtab|debug_info)\b/.test(await readelf('-S', file)))
      problems.push(`${path.basename(file)} is not stripped`);
  }
  return problems;
}

/** Returns the newest version of each kind that a file needs: { GLIBC: [2, 28], GLIBCXX: [3, 4, 22] … } */
async function symbolVersions(file) {
  const newest = {};
  for (const [, kind, version] of (await readelf('-V', file)).matchAll(/\b(GLIBC|GLIBCXX|CXXABI|GCC)_(\d[\d.]*)/g)) {
    const parts = version.split('.').map(Number);
    if (!newest[kind] || isNewer(parts, newest[kind])) newest[kind] = parts;
  }
  return newest;
}

function isNewer(a, b) {
  const index = a.findIndex((part, i) => part !== b[i]);
  return index >= 0 && a[index] > (b[index] ?? -1);
}

/** The addon must load on every system on which libtorch loads. */
export async function floor(context) {
  const allowed = {};
  for (const file of theirs(context)) {
    for (const [kind, version] of Object.entries(await symbolVersions(file)))
      if (!allowed[kind] || isNewer(version, allowed[kind])) allowed[kind] = version;
  }
  if (!allowed.GLIBC) return ['no library of libtorch records which glibc it needs, so nothing can be compared'];
  const problems = [];
  for (const file of ours(context)) {
    for (const [kind, version] of Object.entries(await symbolVersions(file)))
      if (!allowed[kind] || isNewer(version, allowed[kind]))
        problems.push(
          `${path.basename(file)} needs ${kind}_${version.join('.')}, libtorch only ${kind}_${allowed[kind]?.join('.')}; ` +
            'add the function to src/core/glibc_floor.cc',
        );
  }
  return problems;
}

/** Loads the addon in a process with the libtorch of the other package: all symbols must exist, and Node must accept it. */
export async function loads({ main, libtorch, platform }) {
  const script = `
    const [loader, addon, ...libraries] = process.argv.slice(1);
    const load = (file) => { const holder = { exports: {} }; process.dlopen(holder, file); return holder.exports; };
    const { open } = load(loader);
    for (const file of libraries) { const problem = open(file, false); if (problem !== null) throw new Error(problem); }
    if (typeof load(addon).train !== 'function') throw new Error('loads, but exports nothing');`;
  const files = prebuildsOf(platform).map((file) => path.join(main.folder, file));
  const libraries = ['libtorch_global_deps.so', 'libtorch.so'].map((name) => path.join(libtorch.folder, 'lib', name));
  const { ok, output } = await execute(process.execPath, ['-e', script, ...files, ...libraries]);
  return ok ? [] : [output.match(/^\w*Error: .*/m)?.[0] ?? output.trim()];
}

/** No file may contain a folder of the build machine, or the path of a source file. */
export function buildPaths({ main }) {
  const folders = [root, os.homedir(), os.tmpdir()]
    .map((folder) => folder.replace(/\/?$/, '/'))
    .filter((it) => it !== '/');
  return main.files.flatMap((file) => {
    const text = fs.readFileSync(path.join(main.folder, file), 'latin1');
    const compiled = file.endsWith('.node');
    // In sources only our own folder counts, because a comment may mention /tmp/.
    const traces = (compiled ? folders : folders.slice(0, 1)).filter((folder) => text.includes(folder));
    const sources = compiled ? (text.match(/(?<![\w.+-])(\/[\w.+-]+)+\.(h|hpp|cc|cpp|cxx)\b/g) ?? []) : [];
    return [...traces, ...sources].map((trace) => `${file} holds the path ${trace}`);
  });
}
