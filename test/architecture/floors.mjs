// The floors of lib/ and src/, lowest first, and what their files import and include. A room is a folder directly in lib/ or src/; a file
// directly in lib/ is a room of its own, named without its ending.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export const floors = {
  lib: [
    [],
    ['core'],
    ['program', 'transforms', 'optimizers', 'schedulers', 'averages', 'metrics', 'detectors', 'distributed', 'files'],
    ['libtorch', 'download', 'layers', 'losses', 'strategies', 'loggers'],
    ['native', 'install', 'models'],
    ['checkpoint', 'datasets'],
    ['state'],
    ['training', 'pt2'],
    ['online', 'scenarios'],
    ['index'],
    ['doctor'],
    ['cli'],
  ],
  src: [
    ['loader'],
    ['core'],
    ['device', 'kernels', 'state'],
    ['program', 'transforms', 'datasets', 'optimizers', 'averages', 'schedulers', 'metrics', 'replay'],
    ['losses', 'strategies', 'batches', 'checkpoint', 'distributed'],
    ['train'],
    ['online'],
    ['napi'],
  ],
};

/** The room of a file of lib/ or src/: 'core' of lib/core/errors.ts, 'index' of lib/index.mts. */
export function roomOf(file) {
  const [, second, third] = file.split('/');
  return third === undefined ? second.replace(/\..*$/, '') : second;
}

/** The floor of a file, or -1 where its room has none. */
export const floorOf = (file) => floors[file.split('/')[0]].findIndex((floor) => floor.includes(roomOf(file)));

/** Every file below a folder of the project, without what installing or building put there. */
export function filesUnder(folder, pattern = /./) {
  if (!fs.existsSync(path.join(root, folder))) return [];
  return fs
    .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((name) => pattern.test(name) && !name.includes('node_modules/'))
    .sort();
}

export const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

/** Comments that begin a line become empty lines: an example in TSDoc imports nothing. */
export const withoutComments = (text) =>
  text.replace(/^[ \t]*(?:\/\/.*|\/\*[\s\S]*?\*\/)/gm, (comment) => comment.replace(/[^\n]/g, ''));

const specifiers = /(?:\bfrom|\bimport|\b(?:import|require|require\.resolve)\s*\()\s*(['"`])([^'"`\n]+)\1/g;

function targetOf(file, specifier) {
  if (specifier === 'torch-incremental') return 'lib/index.ts';
  if (!/^\.\.?(\/|$)/.test(specifier)) return undefined;
  const target = path.posix.join(path.posix.dirname(file), specifier);
  if (path.extname(target) !== '') return target.replace(/\.(m?)js$/, '.$1ts');
  return fs.existsSync(path.join(root, `${target}.ts`)) ? `${target}.ts` : `${target}/index.ts`;
}

/** Everything of the project that a TypeScript file imports, types too: `{ line, target }` each, packages left out. */
export function importsOf(file, text) {
  const found = [];
  const code = withoutComments(text);
  for (const match of code.matchAll(specifiers)) {
    const target = targetOf(file, match[2]);
    if (target !== undefined) found.push({ line: code.slice(0, match.index).split('\n').length, target });
  }
  return found;
}

/** Everything a C++ file includes: `{ line, included }` each, and the file of the project that it is, where it is one, as `target`. */
export function includesOf(file, text) {
  return text.split('\n').flatMap((line, index) => {
    const included = /^\s*#\s*include\s*[<"]([^>"]+)/.exec(line)?.[1];
    if (included === undefined) return [];
    const places = [path.posix.join(path.posix.dirname(file), included), path.posix.normalize(included)];
    const target = places.find((place) => place.startsWith('src/') && fs.existsSync(path.join(root, place)));
    return [{ line: index + 1, included, target: target ?? (included.startsWith('src/') ? included : undefined) }];
  });
}

/** What points elsewhere than strictly down, or at nothing; a line each. `files` maps each file to what it imports. */
export function offenders(files) {
  const complaints = [];
  for (const [file, imports] of files) {
    if (floorOf(file) === -1) complaints.push(`${file}: its room, ${roomOf(file)}, has no floor`);
    for (const { line, target } of imports) {
      if (!target.startsWith('lib/') && !target.startsWith('src/')) continue;
      const where = `${file}:${line} → ${target}`;
      if (!files.has(target)) complaints.push(`${where}, which does not exist`);
      else if (roomOf(file) !== roomOf(target) && floorOf(target) >= floorOf(file))
        complaints.push(`${where}: from floor ${floorOf(file)} to floor ${floorOf(target)}`);
    }
  }
  return complaints;
}

/** Every group of names that reach one another, as one circle through the first of them: 'a → b → a'. `graph` maps names to names. */
export function circles(graph) {
  const found = [];
  const seen = new Set();
  for (const start of graph.keys()) {
    if (seen.has(start)) continue;
    const circle = shortestCircle(graph, start);
    if (circle === undefined) continue;
    for (const name of circle) seen.add(name);
    found.push(circle.join(' → '));
  }
  return found;
}

function shortestCircle(graph, start) {
  const from = new Map();
  for (const queue = [start]; queue.length > 0; ) {
    const name = queue.shift();
    for (const next of graph.get(name) ?? []) {
      if (next !== start && from.has(next)) continue;
      if (next !== start) {
        from.set(next, name);
        queue.push(next);
        continue;
      }
      const circle = [start];
      for (let step = name; step !== start; step = from.get(step)) circle.unshift(step);
      return [start, ...circle];
    }
  }
  return undefined;
}
