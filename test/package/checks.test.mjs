// Tests that the checks of a release can fail: each receives a made-up release with one error, and must report it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { checks } from '../../scripts/release/checks/index.mjs';
import { openFolder } from '../../scripts/release/checks/packed.mjs';
import { npmPack } from '../../scripts/release/pack.mjs';
import { root, temporaryFolder } from '../support.mjs';

const named = (words) => checks[Object.keys(checks).find((name) => name.includes(words))];
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

describe('a check of a release', () => {
  const folder = temporaryFolder();
  let release;

  beforeEach(() => {
    fs.rmSync(folder(), { recursive: true });
    const dist = ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'cli/main.js'].map((name) => `dist/${name}`);
    const prebuilds = ['loader', 'torch_incremental'].map((name) => `prebuilds/linux-x64/${name}.glibc.node`);
    for (const file of ['LICENSE', 'NOTICE', 'README.md', ...dist, ...prebuilds]) write(`main/${file}`, '');
    write('main/package.json', {
      name: 'main',
      version: '1.2.3',
      preferUnplugged: true,
      optionalDependencies: { torch: '2.0.0' },
    });
    for (const file of ['LICENSE', 'README.md', 'SHA256SUMS', 'lib/libtorch.so', 'licenses/a.txt'])
      write(`libtorch/${file}`, '');
    write('libtorch/NOTICE', 'A  MIT  licenses/a.txt');
    write('libtorch/package.json', {
      name: 'torch',
      version: '2.0.0',
      os: ['linux'],
      cpu: ['x64'],
      libc: ['glibc'],
      preferUnplugged: true,
    });
    release = open();
  });

  function write(file, content) {
    fs.mkdirSync(path.dirname(folder(file)), { recursive: true });
    fs.writeFileSync(folder(file), typeof content === 'string' ? content : JSON.stringify(content));
  }

  function open() {
    const packages = { '': { version: '1.2.3', optionalDependencies: { torch: '2.0.0' } } };
    return {
      main: openFolder(folder('main'), { bytes: 1000 }),
      libtorch: openFolder(folder('libtorch'), { bytes: 1000 }),
      platform: 'linux-x64',
      platforms: ['linux-x64'],
      sums: new Map([['lib/libtorch.so', sha256('')]]),
      sumsOf: 'abc',
      archive: { sha256: 'abc' },
      libtorchVersion: '2.0.0',
      changelog: '# Changelog\n\n## 1.2.3, today\n',
      lock: JSON.stringify({ packages }),
    };
  }

  /** Returns what the check reports after `change`; before it, it must report nothing. */
  async function saysOf(words, change) {
    assert.deepEqual(await named(words)(release), []);
    change(release);
    return (await named(words)(release)).join('\n');
  }

  it('finds files that do not belong in a package, and missing files', async () => {
    const main = 'the main package holds';
    assert.match(await saysOf(main, ({ main: it }) => it.files.push('binding.gyp')), /^binding\.gyp does not belong/);
    release = open();
    assert.match(await saysOf(main, ({ main: it }) => it.files.push('dist/.stamp')), /^dist\/\.stamp does not belong/);
    release = open();
    assert.match(await saysOf(main, ({ main: it }) => it.files.push('lib/libtorch_cpu.so')), /does not belong/);
    release = open();
    const withoutPrebuild = (it) =>
      it.main.files.splice(it.main.files.indexOf('prebuilds/linux-x64/loader.glibc.node'), 1);
    assert.match(await saysOf(main, withoutPrebuild), /loader\.glibc\.node is missing/);
    release = open();
    const other = (it) => it.platforms.push('darwin-arm64');
    assert.match(await saysOf(main, other), /^prebuilds\/darwin-arm64\/loader\.node is missing/);
    const libtorch = "libtorch's package holds";
    assert.match(await saysOf(libtorch, (it) => it.libtorch.files.push('lib/libshm.so')), /libshm\.so does not belong/);
    release = open();
    assert.match(await saysOf(libtorch, (it) => it.sums.set('lib/libc10.so', '')), /libc10\.so is missing/);
  });

  it('finds a package that is too large', async () => {
    const one = await saysOf('larger', (it) => Object.assign(it.libtorch, { bytes: 150_000_001 }));
    assert.equal(one, 'torch has 150000001 bytes, at most 150000000 are allowed');
    release = open();
    assert.match(await saysOf('larger', (it) => Object.assign(it.main, { bytes: 6e6 })), /^main has/);
  });

  it('finds every script that an installation would run, and files for which npm adds one', async () => {
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'prepack', 'postpack']) {
      const says = await saysOf('no script', (it) => Object.assign(it.main.manifest, { scripts: { [name]: 'true' } }));
      assert.match(says, new RegExp(`main has the script ${name},`));
      release = open();
    }
    assert.match(
      await saysOf('no script', (it) => it.libtorch.files.push('a/binding.gyp')),
      /torch has a\/binding\.gyp/,
    );
    release = open();
    assert.equal(await saysOf('no script', (it) => Object.assign(it.main.manifest, { scripts: { test: 'true' } })), '');
  });

  it('finds versions that do not agree', async () => {
    const says = (change) => {
      release = open();
      return saysOf('versions agree', change);
    };
    assert.match(await says((it) => Object.assign(it, { libtorchVersion: '2.1.0' })), /libtorch\.json pins 2\.1\.0/);
    const pin = (version) => (it) => Object.assign(it.main.manifest.optionalDependencies, { torch: version });
    assert.match(await says(pin('^2.0.0')), /package\.json asks for torch \^2\.0\.0, it is 2\.0\.0/);
    assert.match(await says((it) => Object.assign(it, { changelog: '## 1.2.30\n' })), /no heading for 1\.2\.3/);
    const madeAgain = (it) => {
      it.libtorch.manifest.version = '2.0.0-1';
      pin('2.0.0-1')(it);
    };
    assert.equal(await says(madeAgain), '');
  });

  it('finds addresses in the lockfile, and one that was not renewed', async () => {
    const address = '{"packages":{"":{"version":"1.2.3"}},"a":{"resolved": "https://registry.example/a.tgz"}}';
    const says = await saysOf('package-lock', (it) => Object.assign(it, { lock: address }));
    assert.match(says, /has an address: "resolved": "https:\/\/registry\.example/);
    assert.match(says, /asks for torch undefined, it is 2\.0\.0/);
    release = open();
    assert.match(
      await saysOf('package-lock', (it) => Object.assign(it.main.manifest, { version: '1.2.4' })),
      /1\.2\.4/,
    );
  });

  it('finds a package that would be installed where it should not, or not where it should', async () => {
    const says = (change) => {
      release = open();
      return saysOf('for its platform', change);
    };
    assert.match(await says((it) => delete it.libtorch.manifest.libc), /torch: libc must be \["glibc"\]/);
    assert.match(await says((it) => Object.assign(it.libtorch.manifest, { cpu: ['arm64'] })), /cpu must be \["x64"\]/);
    assert.match(await says((it) => Object.assign(it.libtorch.manifest, { private: true })), /is private/);
    assert.match(await says((it) => Object.assign(it.main.manifest, { os: ['linux'] })), /main: os would keep it from/);
    assert.match(await says((it) => delete it.main.manifest.preferUnplugged), /main: without preferUnplugged/);
  });

  it('finds a library with one changed bit, a missing one, and sums of another archive', async () => {
    const change = () => write('libtorch/lib/libtorch.so', 'x');
    assert.match(await saysOf("PyTorch's", change), new RegExp(`lib/libtorch\\.so is not PyTorch's: .*${sha256('x')}`));
    fs.rmSync(folder('libtorch/lib/libtorch.so'));
    assert.match((await named("PyTorch's")(release))[0], /SHA-256 is missing/);
    write('libtorch/lib/libtorch.so', '');
    assert.match(
      await saysOf("PyTorch's", (it) => Object.assign(it, { sumsOf: 'other' })),
      /another archive .* other$/,
    );
  });

  it('finds licences that are not named, and names without a licence', async () => {
    assert.match(
      await saysOf('licence', (it) => it.libtorch.files.push('licenses/b.txt')),
      /whose licence .*b\.txt is/,
    );
    release = open();
    assert.match(
      await saysOf('licence', () => write('libtorch/NOTICE', 'licenses/c.txt licenses/a.txt')),
      /c\.txt, which/,
    );
  });

  it('finds paths of the machine it was built on', async () => {
    const addon = 'main/prebuilds/linux-x64/torch_incremental.glibc.node';
    assert.match(await saysOf('path', () => write(addon, `\0${root}/src/a.cc\0`)), /holds the path .*\/src\/a\.cc$/);
    write(addon, `\0c10/core/a.h\0src/data/a.cc\0`);
    release = open();
    assert.match(await saysOf('path', () => write(addon, '\0at /opt/x/include/c10/a.h:3\0')), /path \/opt\/x\/.*a\.h$/);
    write(addon, '');
    assert.match(
      await saysOf('path', () => write('main/dist/index.js', `// ${root}/lib/index.ts`)),
      /dist\/index\.js holds/,
    );
  });

  it('finds what publint, arethetypeswrong and a second packing find', async () => {
    const manifest = {
      name: 'main',
      version: '1.2.3',
      type: 'commonjs',
      exports: './dist/index.js',
      types: './dist/gone.d.ts',
    };
    write('main/package.json', manifest);
    write('main/dist/index.js', 'export default 1;');
    write('main/dist/index.d.ts', 'declare const value: number; export default value;');
    const { filename } = await npmPack(folder('main'), ['--pack-destination', folder()]);
    const main = { ...openFolder(folder('main')), tarball: folder(filename) };
    const libtorch = { ...openFolder(folder('libtorch')), tarball: folder(filename) };
    const context = { ...release, main, libtorch };
    assert.match((await named('publint')(context)).join('\n'), /index\.js and is written in ESM/);
    assert.match((await named('types')(context)).join('\n'), /No types|false|masquerading|resolution failed/i);
    assert.deepEqual(await named('twice')(context), []);
    write('main/README.md', 'changed');
    assert.match((await named('twice')(context))[0], /main-1\.2\.3\.tgz packed again is another file/);
  });
});
