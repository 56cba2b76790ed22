// The rules of docs/architecture.md that a machine can check.
import assert from 'node:assert/strict';
import native from '../../dist/native/native.js';
import { filesUnder, includesOf, read, withoutComments } from './floors.mjs';

const cpp = ['binding.cc', ...filesUnder('src', /\.(cc|h)$/)];
const sources = [
  ...cpp,
  ...['lib', 'scripts', 'test', 'bench', 'examples', 'packages'].flatMap((folder) =>
    filesUnder(folder, /\.([cm]?[jt]s|cc|h|py)$/),
  ),
];

const included = (name) => includesOf(name, read(name)).map((line) => line.included);

describe('architecture', () => {
  it('keeps napi.h in src/napi and binding.cc', () => {
    const offenders = cpp
      .filter((name) => name !== 'binding.cc' && !name.startsWith('src/napi/'))
      .filter((name) => included(name).some((header) => /(^|\/)napi(-inl)?\.h$/.test(header)));
    assert.deepEqual(offenders, []);
  });

  it('keeps the loader free of libtorch', () => {
    const headers = filesUnder('src/loader').flatMap(included);
    assert.deepEqual(
      headers.filter((name) => (name.includes('/') && !name.startsWith('sys/')) || name.startsWith('torch')),
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
    const offenders = filesUnder('lib', /\.m?ts$/).filter((name) =>
      /\.(sync|datasync|readv)\(/.test(withoutComments(read(name))),
    );
    assert.deepEqual(offenders, []);
  });

  it('names no package registry in package-lock.json', () => {
    assert.equal(read('package-lock.json').match(/"resolved": "http/g), null);
  });
});
