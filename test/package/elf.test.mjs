// Tests that the checks of compiled files can fail: each receives addons that are built wrong, and must report the error.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import candidates from '../../dist/libtorch/candidates.js';
import { checks } from '../../scripts/release/checks/index.mjs';
import { openFolder } from '../../scripts/release/checks/packed.mjs';
import { checkToolchain } from '../../scripts/setup/toolchain.mjs';
import { root, temporaryFolder } from '../support.mjs';

const named = (words) => checks[Object.keys(checks).find((name) => name.includes(words))];

describe('a check of compiled files', () => {
  const folder = temporaryFolder();
  let compiler;

  before(async () => {
    compiler = await checkToolchain();
  });

  /** A release whose addons are compiled from one line each, with these options. */
  function compiled({ loader = [], addon = ['-ltorch', '-ltorch_cpu', '-lc10'] } = {}) {
    fs.rmSync(folder('main'), { recursive: true, force: true });
    const where = folder('main/prebuilds/linux-x64');
    fs.mkdirSync(where, { recursive: true });
    fs.writeFileSync(folder('a.cc'), 'extern "C" int answer() { return 42; }');
    for (const name of ['cudart', 'torch', 'torch_cpu', 'c10'])
      execFileSync(compiler, [
        '-shared',
        '-fPIC',
        folder('a.cc'),
        '-o',
        folder(`lib${name}.so`),
        `-Wl,-soname,lib${name}.so`,
      ]);
    const common = ['-shared', '-fPIC', '-s', '-Wl,-z,now', '-Wl,--no-as-needed', `-L${folder()}`, folder('a.cc')];
    for (const [name, options] of Object.entries({ loader, torch_incremental: addon }))
      execFileSync(compiler, [...common, ...options, '-o', path.join(where, `${name}.glibc.node`)]);
    fs.writeFileSync(folder('main/package.json'), '{}');
    const real = candidates.libtorchCandidates().find(({ problem }) => problem === null).folder;
    return {
      platform: 'linux-x64',
      main: openFolder(folder('main')),
      libtorch: { folder: real, files: ['libtorch.so', 'libtorch_cpu.so', 'libc10.so'].map((name) => `lib/${name}`) },
    };
  }

  const libraries = ['-ltorch', '-ltorch_cpu', '-lc10'];
  const says = async (words, options) => (await named(words)(compiled(options))).join('\n');

  it('finds nothing in correct files', async () => {
    assert.equal(await says('needs libtorch'), '');
    assert.equal(await says('bound'), '');
    assert.equal(await says('wherever'), '');
  });

  it('finds a library too many or too few, and folders that are searched', async () => {
    assert.match(await says('needs libtorch', { addon: [...libraries, '-lcudart'] }), /needs libcudart\.so/);
    assert.match(await says('needs libtorch', { addon: libraries.slice(1) }), /does not need libtorch\.so/);
    assert.match(await says('needs libtorch', { loader: ['-lc10'] }), /loader\.glibc\.node needs libc10\.so/);
    const runpath = [...libraries, '-Wl,-rpath,$ORIGIN:/opt/lib'];
    assert.match(await says('needs libtorch', { addon: runpath }), /looks for libraries in \/opt\/lib/);
  });

  it('finds lazy binding, and symbols that were not stripped', async () => {
    assert.match(await says('bound', { addon: [...libraries, '-Wl,-z,lazy'] }), /is bound lazily/);
    const context = compiled();
    const file = path.join(
      context.main.folder,
      context.main.files.find((name) => name.includes('loader')),
    );
    execFileSync(compiler, ['-shared', '-fPIC', '-Wl,-z,now', folder('a.cc'), '-o', file]);
    assert.match((await named('bound')(context)).join(), /loader\.glibc\.node is not stripped/);
  });

  it('finds a symbol that is newer than those libtorch needs, and a libtorch that needs no version', async () => {
    const context = compiled();
    const built = path.join(root, 'build', 'Release', 'torch_incremental.node');
    fs.copyFileSync(built, path.join(context.main.folder, 'prebuilds/linux-x64/torch_incremental.glibc.node'));
    context.libtorch.files = ['lib/libtorch_global_deps.so'];
    assert.match((await named('wherever')(context)).join(), /needs GLIBC_2\.\d+, libtorch only GLIBC_2\.2\.5/);
    context.libtorch.files = [];
    assert.match((await named('wherever')(context)).join(), /nothing can be compared/);
  });

  it('finds an addon that does not load, and one that exports nothing', async () => {
    const release = compiled();
    assert.match((await named('loads with')(release)).join(), /did not self-register|is not a function/i);
  });
});
