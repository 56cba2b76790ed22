// Writes the files of this folder's lists, hostile and benign, and prints the expected result of each:
//     node test/attacks/make.mjs FOLDER
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as bombs from './bombs.mjs';
import * as code from './code.mjs';
import * as deflated from './deflated.mjs';
import * as foreign from './foreign.mjs';
import * as injected from './injected.mjs';
import * as large from './large.mjs';
import * as legacy from './legacy.mjs';
import * as pickles from './pickles.mjs';
import * as readers from './readers.mjs';
import * as safetensors from './safetensors.mjs';
import * as shards from './shards.mjs';
import * as storages from './storages.mjs';
import * as tensors from './tensors.mjs';
import * as zips from './zips.mjs';

/** By class. Each list is { hostile: { name: [content, words, code, how] }, benign: { name: [content, tensors, how] } }. */
const classes = {
  tensors,
  storages,
  pickles,
  large,
  bombs,
  code,
  injected,
  zips,
  readers,
  deflated,
  legacy,
  safetensors,
  foreign,
  shards,
};

const usual = { weight: ['float32', [2, 2], [1, 2, 3, 4]] };

/** Files that are not regular files. */
const makers = {
  folder: (file) => fs.mkdirSync(file),
  distributed: (file) => {
    fs.mkdirSync(file);
    fs.writeFileSync(path.join(file, '.metadata'), '');
  },
  pipe: (file) => execFileSync('mkfifo', [file]),
  device: (file) => fs.symlinkSync('/dev/zero', file),
  dangling: (file) => fs.symlinkSync(`${file} that is not there`, file),
  loop: (file) => fs.symlinkSync(file, file),
  nothing: () => {},
  files: (folder, { files }) => {
    for (const [name, content] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.writeFileSync(path.join(folder, name), content);
    }
  },
  link: (file, { content }) => {
    fs.writeFileSync(`${file}.real`, content);
    fs.symlinkSync(`${file}.real`, file);
  },
};

/**
 * Returns all files for `folder`: { name, kind, file, options, write() }, and `code` and `words` of the error,
 * the `tensors` in it, or `isEither` if both results are right as long as it takes neither long nor much memory.
 */
export function listFiles(folder) {
  const files = Object.entries(classes).flatMap(([kind, { hostile, benign = {}, bounded = {} }]) => [
    ...Object.entries(hostile).map(([name, [content, words, code = 'ERR_STATE_FORMAT', how]]) => ({
      ...placed(folder, kind, name, content, how),
      code,
      words,
    })),
    ...Object.entries(benign).map(([name, [content, tensors = usual, how]]) => ({
      ...placed(folder, `good ${kind}`, name, content, how),
      tensors,
    })),
    ...Object.entries(bounded).map(([name, [content, how]]) => ({
      ...placed(folder, `sound ${kind}`, name, content, how),
      isEither: true,
    })),
  ]);
  const doubled = files.find(({ file }, i) => files.findIndex((other) => other.file === file) !== i);
  if (doubled) throw new Error(`Two files are called ${doubled.file}`);
  return files;
}

function placed(folder, kind, name, content, { extension = '.pth', options = {}, ...rest } = {}) {
  const file = path.join(folder, kind, name.replace(/[^\w]+/g, '-').slice(0, 100) + extension);
  const write = () => {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (content.make) makers[content.make](file, content);
    else fs.writeFileSync(file, typeof content === 'function' ? content() : content);
  };
  return { name, kind, file, options, write, ...rest };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (!folder) throw new Error('Usage: node test/attacks/make.mjs FOLDER');
  for (const { kind, file, code, isEither, write } of listFiles(folder)) {
    write();
    console.log(`${kind}\t${code ?? (isEither ? 'either' : 'loads')}\t${file}`);
  }
}
