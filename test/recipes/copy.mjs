// A copy of the project in which recipes of CONTRIBUTING are followed: where files go, and which lists get a line, is read there.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../support.mjs';

const copied = ['lib', 'src', 'docs', 'test', 'package.json', 'tsconfig.json', 'libtorch.json', '.mocharc.json'];
const linked = [
  'node_modules',
  'build',
  'binding.cc',
  'scripts',
  'CMakeLists.txt',
  'CHANGELOG.md',
  'NOTICE',
  'README.md',
  'bench',
];
/** Of test/, what the contract tests need. */
const needed = /^(contract|support\.mjs|environment\.mjs|reporter\.cjs|package\.test\.mjs)(\/|$)/;

/** The recipes, by what they add: { write, lines, testedBy }, each a list of paths; `testedBy`: of contract tests. */
export function readRecipes() {
  const text = fs.readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8');
  const rows = /^## Recipes\n([\s\S]*?)^## /m.exec(text)[1].matchAll(/^\| (an? [\w ]+) \| (.*) \| (.*) \| (.*) \|$/gm);
  const paths = (cell) => [...cell.matchAll(/`((?:lib|src|test|docs)\/[\w./<>-]+)`/g)].map(([, name]) => name);
  return new Map(
    [...rows].map(([, added, ...cells]) => {
      const [write, lines, testedBy] = cells.map(paths);
      return [added, { write, lines, testedBy: testedBy.filter((name) => name.startsWith('test/contract/')) }];
    }),
  );
}

export function copyProject(folder) {
  for (const name of copied) {
    const filter = (source) =>
      name !== 'test' || source.endsWith('/test') || needed.test(path.relative(path.join(root, 'test'), source));
    fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true, filter });
  }
  for (const name of linked) fs.symlinkSync(path.join(root, name), path.join(folder, name));
}

/** Puts `line` before the first one after `start` that matches `end`. */
function insert(text, start, end, line) {
  const lines = text.split('\n');
  const begin = lines.findIndex((each) => start.test(each));
  const index = lines.findIndex((each, i) => i > begin && end.test(each));
  if (begin === -1 || index === -1) throw new Error(`There is no ${start} that is followed by ${end}`);
  lines.splice(index, 0, line);
  return lines.join('\n');
}

/** Adds a member to the list of its family in lib/: an import, and a line. */
function addToRoom(text, { name, file, entry }) {
  const imported = entry?.endsWith('Kind') ? `${name}, ${entry}` : (entry ?? name);
  const line = entry?.endsWith('Kind')
    ? `${name}: { make: ${name}, ...${entry} },`
    : entry
      ? `${name}: ${entry},`
      : `${name},`;
  const short = /^(export const \w+ = family\('.*', \{.*) \}\);$/m;
  const long = /^export const \w+ = (family\('.*', |Object\.freeze\()\{$/;
  const lines = short.test(text) ? text.replace(short, `$1, ${line} });`) : insert(text, long, /^\}\);$/, `  ${line}`);
  return insert(lines, /^/, /^import /, `import { ${imported} } from './${file}';`);
}

const snake = (file) => file.replaceAll('-', '_');

/** How a line is added to each list, by the list's path. */
const additions = [
  [/^lib\/(?!index)\w+\/index\.ts$/, addToRoom],
  [/^lib\/index\.ts$/, (text, { name, file }, room) => `${text}export { ${name} } from './${room}/${file}';\n`],
  [/^lib\/index\.mts$/, (text, { name }) => insert(text, /^export \{/, /^\} from/, `  ${name},`)],
  [/^docs\/api\.md$/, (text, { documented }) => `${text}\n${documented}\n`],
  [
    /^src\/transforms\/geometry\.cc$/,
    (text, { name, file }) => insert(text, /makers\[\] = \{/, /^ {2}\};$/, `      {"${name}", make_${snake(file)}},`),
  ],
  [
    /^src\/optimizers\/optimizers\.cc$/,
    (text, { name, file }) => insert(text, /kOptimizers = \{/, /^\};$/, `    {"${name}", {make_${snake(file)}}},`),
  ],
  [
    /^src\/optimizers\/members\.h$/,
    (text, { file }) => text.replace(/^MakeOptimizer make_/m, `MakeOptimizer make_${snake(file)};\n$&`),
  ],
  [
    /^src\/schedulers\/schedulers\.cc$/,
    (text, { name, file }) => insert(text, /kSchedulers = \{/, /^\};$/, `    {"${name}", make_${snake(file)}},`),
  ],
  [
    /^src\/schedulers\/members\.h$/,
    (text, { file }) => text.replace(/^MakeScheduler make_/m, `MakeScheduler make_${snake(file)};\n$&`),
  ],
  [
    /^src\/transforms\/geometry\.h$/,
    (text, { file }) =>
      text.replace(
        /^std::unique_ptr<Geometry> make_/m,
        `std::unique_ptr<Geometry> make_${snake(file)}(const Transform& transform, ImageSize& size);\n$&`,
      ),
  ],
];

/** Writes the files of a recipe, and adds the lines that it names; `skipped`: a list that gets none. */
export function follow(folder, recipe, member, { skipped } = {}) {
  for (const place of recipe.write) {
    const room = path.dirname(place);
    const text = member.files[room];
    if (text === undefined) throw new Error(`The member has nothing for ${place}`);
    const file = room.startsWith('src/') ? snake(member.file) : member.file;
    fs.writeFileSync(path.join(folder, place.replace('<name>', file)), text);
  }
  const room = path.basename(path.dirname(recipe.write[0]));
  for (const list of recipe.lines.filter((name) => name !== skipped)) {
    const addition = additions.find(([pattern]) => pattern.test(list))?.[1];
    if (!addition) throw new Error(`How a line is added to ${list} is not known`);
    const file = path.join(folder, list);
    fs.writeFileSync(file, addition(fs.readFileSync(file, 'utf8'), member, room));
  }
}

/** Compiles lib/ of the copy. */
export function compile(folder) {
  const { status, stdout } = spawnSync(path.join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The copy does not compile:\n${stdout}`);
}

/** Runs tests of the copy: { ok, output }. */
export function runTests(folder, files) {
  const mocha = path.join(root, 'node_modules/mocha/bin/mocha.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [mocha, ...files], { cwd: folder, encoding: 'utf8' });
  return { ok: status === 0, output: stdout + stderr };
}

/** What links the addon, as the build did it. */
function linkCommand(build) {
  if (!fs.existsSync(path.join(build, 'build.ninja')))
    return fs.readFileSync(path.join(build, 'CMakeFiles/torch_incremental.dir/link.txt'), 'utf8').trim();
  const target = ['-C', build, '-t', 'commands', 'Release/torch_incremental.node'];
  const commands = execFileSync('ninja', target, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return commands.trim().split('\n').at(-1);
}

/**
 * Compiles C++ files of the copy, all that a recipe added or changed, and links them with the objects that the build made of the
 * others. Returns the folder of the addon. `like`: a file that is compiled as new ones are.
 */
export function compileAddon(folder, files, like) {
  const build = path.join(root, 'build');
  const entries = JSON.parse(fs.readFileSync(path.join(build, 'compile_commands.json'), 'utf8'));
  const commandOf = (name) => name && entries.find(({ file }) => file === path.join(root, name))?.command;
  const addon = path.join(folder, 'addon');
  fs.mkdirSync(addon);
  let link = linkCommand(build).replaceAll('Release/torch_incremental.node', `'${addon}/torch_incremental.node'`);
  for (const name of files) {
    const [object, source] = [path.join(addon, `${path.basename(name)}.o`), path.join(folder, name)];
    const compiled = (commandOf(name) ?? commandOf(like))
      .replace(/ -I/, ` -I'${folder}' -I`)
      .replace(/ -o \S+ -c \S+$/, ` -o '${object}' -c '${source}'`);
    execFileSync('sh', ['-c', compiled], { cwd: build, encoding: 'utf8' });
    const known = `CMakeFiles/torch_incremental.dir/${name}.o`;
    link = link.includes(known) ? link.replace(known, `'${object}'`) : link.replace(/ CMakeFiles\//, ` '${object}'$&`);
  }
  execFileSync('sh', ['-c', link], { cwd: build, encoding: 'utf8' });
  fs.copyFileSync(path.join(build, 'Release/loader.node'), path.join(addon, 'loader.node'));
  return addon;
}
