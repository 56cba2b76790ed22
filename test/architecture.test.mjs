// The rules of docs/architecture.md that a machine can check.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import native from '../dist/native/native.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');

function filesUnder(folders, pattern) {
  return folders
    .filter((folder) => fs.existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      fs.readdirSync(path.join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`),
    )
    .filter((name) => pattern.test(name) && !name.includes('node_modules/'))
    .sort();
}

const cpp = ['binding.cc', ...filesUnder(['src'], /\.(cc|h)$/)];
const sources = [
  ...cpp,
  ...filesUnder(['lib', 'scripts', 'test', 'bench', 'examples', 'packages'], /\.([cm]?[jt]s|cc|h|py)$/),
];

/** Lowest first. A file includes its own layer and those below. */
const layers = [
  ['core'],
  ['device', 'kernels'],
  ['program', 'data', 'checkpoint', 'strategies'],
  ['train'],
  ['online'],
  ['napi'],
];
const layerOf = (folder) => layers.findIndex((layer) => layer.includes(folder));

function* includesOf(name) {
  for (const [, included] of read(name).matchAll(/^\s*#include [<"]([^>"]+)/gm)) yield included;
}

describe('architecture', () => {
  it('keeps napi.h in src/napi and binding.cc', () => {
    const offenders = cpp
      .filter((name) => name !== 'binding.cc' && !name.startsWith('src/napi/'))
      .filter((name) => [...includesOf(name)].some((included) => /(^|\/)napi(-inl)?\.h$|^src\/napi\//.test(included)));
    assert.deepEqual(offenders, []);
  });

  it('lets includes point down only: core, then device and kernels, then program, data and checkpoint, then train, then online, then napi', () => {
    const offenders = [];
    for (const name of cpp.filter((file) => file.startsWith('src/') && !file.startsWith('src/loader/'))) {
      const own = layerOf(name.split('/')[1]);
      assert.notEqual(own, -1, `${name} is in a folder that has no layer yet`);
      for (const included of includesOf(name)) {
        if (included.startsWith('src/') && layerOf(included.split('/')[1]) > own)
          offenders.push(`${name}: ${included}`);
      }
    }
    assert.deepEqual(offenders, []);
  });

  it('keeps the loader free of libtorch and of everything else of ours', () => {
    const included = filesUnder(['src/loader'], /./).flatMap((name) => [...includesOf(name)]);
    assert.deepEqual(
      included.filter((name) => (name.includes('/') && !name.startsWith('sys/')) || name.startsWith('torch')),
      [],
    );
  });

  it('keeps every source file under 300 lines', () => {
    const long = sources.filter((name) => read(name).split('\n').length > 301);
    assert.deepEqual(long, []);
  });

  it('exports from the addon exactly what interface Native in lib/native/native.ts declares', () => {
    const body = read('lib/native/native.ts').match(/^export interface Native \{\n(.*?)^\}/ms)[1];
    const declared = [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name);
    assert.deepEqual(Object.keys(native.native()).sort(), declared.sort());
  });

  it('names the version of libtorch in libtorch.json, and for npm in its package and the pin on it', () => {
    const { version } = JSON.parse(read('libtorch.json'));
    const code = [...sources.filter((name) => !name.startsWith('test/')), 'CMakeLists.txt'];
    assert.deepEqual(
      code.filter((name) => read(name).includes(version)),
      [],
    );
    const { optionalDependencies, ...rest } = JSON.parse(read('package.json'));
    assert.ok(!JSON.stringify(rest).includes(version));
  });

  it("calls nothing that Yarn's Plug'n'Play has no function for: sync, datasync and readv of a FileHandle", () => {
    const offenders = filesUnder(['lib'], /\.m?ts$/).filter((name) => /\.(sync|datasync|readv)\(/.test(read(name)));
    assert.deepEqual(offenders, []);
  });

  it('names no package registry in package-lock.json', () => {
    assert.equal(read('package-lock.json').match(/"resolved": "http/g), null);
  });
});
