// The paths that documents and comments name, and whether they are in the project.
//
// 1. A path is words with slashes, or the name of one file, whose ending is one that source files of the project have.
// 2. One whose first folder is a folder of the project, at its top or anywhere below, is the project's and has to exist.
//    torch/nn/init.py is PyTorch's, since no folder here is called torch.
// 3. A file's name alone has to exist somewhere. Headers of Node-API count, and so does a name that the same file's code uses in a
//    string: it makes or reads such a file.
// 4. ./data is the reader's own folder, and a script that a document names alone is the reader's own; ../ begins at the folder of the file.
// 5. In a pattern, <name> and * each stand for any part of one name; at least one file or folder has to match.
import fs from 'node:fs';
import path from 'node:path';
import { filesUnder, read, root } from './floors.mjs';

const tops = ['.ci', '.github', 'bench', 'docs', 'examples', 'lib', 'packages', 'scripts', 'src', 'test'];
const headers = ['node_modules/node-addon-api', 'node_modules/node-api-headers/include'];

const loose = fs.readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
export const files = [...loose, ...tops.flatMap((folder) => filesUnder(folder))];

const folders = new Set(files.flatMap((file) => parents(file)));
const foreign = headers.flatMap((folder) => fs.readdirSync(path.join(root, folder)));
const inTree = [...files, ...folders, ...foreign];
const folderNames = new Set([...folders].map((folder) => path.basename(folder)));

function parents(file) {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

const known = new Map();

/** Whether a path, as a whole or from one of its folders on, is in the project. */
function exists(name) {
  if (!known.has(name)) {
    const words = name.replace(/\/$/, '').split(/<\w+>|\*+/);
    const pattern = new RegExp(`(^|/)${words.map(escaped).join('[^/]*')}$`);
    known.set(
      name,
      inTree.some((file) => pattern.test(file)),
    );
  }
  return known.get(name);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\-]/g, '\\$&');

const named =
  /(?<![\w/.@:~$-])(?:(?:\.\.?\/)*(?:[\w.@<>*-]+\/)+[\w.*<>@-]*|[\w<>*-][\w.<>*-]*\.(?:m?ts|cjs|mjs|cc|h|py|sh))(?![\w/])/g;
const sourceEnding = /(?:^|\/)[^/.]*$|\.(?:m?ts|c?js|mjs|cc?|h|py|sh|md|yml|json|node)$/;

/** Every path that a line names and that does not exist. `code`: what is not a comment in the file, null where it is a document. */
function missingIn(file, line, code) {
  return [...line.matchAll(named)].flatMap(([match]) => {
    const name = match.replace(/[.]+$/, '');
    if (!sourceEnding.test(name.replace(/\/$/, ''))) return [];
    if (name.startsWith('./')) return [];
    if (name.startsWith('../')) return exists(path.posix.join(path.posix.dirname(file), name)) ? [] : [name];
    const [first] = name.split('/');
    if (name.includes('/') && !tops.includes(first) && !(folderNames.has(first) && /\.\w+$/.test(name))) return [];
    const isOwn = !name.includes('/') && (code === null ? /\.[cm]js$/.test(name) : code.includes(name));
    return isOwn || exists(name) ? [] : [name];
  });
}

const hashes = /\.(py|sh|yml)$|(^|\/)(CMakeLists\.txt|run)$/;

/** The text of each line that is a comment, '' where none is; and all that is not, in one text. */
function commentsOf(file, text) {
  const comment = hashes.test(file) ? /(?:^|\s)#\s.*/ : /^\s*(?:\/\/|\*|\/\*).*|\s\/\/\s.*/;
  const lines = text.split('\n').map((line) => {
    const found = comment.exec(line);
    return found === null || isInString(line.slice(0, found.index)) ? '' : found[0];
  });
  const code = text.split('\n').map((line, index) => line.slice(0, line.length - lines[index].length));
  return { lines, code: code.join('\n') };
}

const isInString = (before) => ["'", '"', '`'].some((quote) => before.split(quote).length % 2 === 0);

/** The paths that a file's comments name, or a document's lines, and that do not exist: the file, the number of the line and the path of each. */
export function missingPaths(file, text) {
  const { lines, code } = file.endsWith('.md') ? { lines: text.split('\n'), code: null } : commentsOf(file, text);
  return lines.flatMap((line, index) => missingIn(file, line, code).map((name) => `${file}:${index + 1}: ${name}`));
}

export const documents = files.filter((file) => /^(README|CONTRIBUTING|docs\/.*|examples\/.*)\.md$/.test(file));
export const sources = files.filter(
  (file) =>
    /^(lib|src|test|scripts|bench|examples|\.ci|\.github)\//.test(file) &&
    (/\.([cm]?[jt]s|cc?|h|py|sh|yml)$/.test(file) || file === '.ci/run'),
);

const usesDist = /\bdist\b['"`}/,\s]*((?:[\w-]+['"`,/\s]+)*[\w-]+\.m?js)\b/g;

/** The modules of dist/ that a script, or a program that it writes, loads, and that no file of lib/ is compiled to. */
export function missingModules(file, text) {
  return text.split('\n').flatMap((line, index) => {
    if (!/\b(?:require|import|from|stringify)\b/.test(line)) return [];
    const modules = [...line.matchAll(usesDist)].map(([, name]) => name.replace(/['"`,/\s]+/g, '/'));
    const source = (name) => path.join(root, 'lib', name.replace(/js$/, 'ts'));
    return modules.filter((name) => !fs.existsSync(source(name))).map((name) => `${file}:${index + 1}: dist/${name}`);
  });
}

const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
const anchorsOf = (text) => new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading)));

/** The links of a document that lead nowhere in the project. */
export function deadLinks(file) {
  return [...read(file).matchAll(/\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([, link, anchor]) => {
    const target = link === '' ? file : path.posix.join(path.posix.dirname(file), link);
    if (!fs.existsSync(path.join(root, target))) return [`${file}: ${link}`];
    return anchor === undefined || anchorsOf(read(target)).has(anchor) ? [] : [`${file}: ${link}#${anchor}`];
  });
}
