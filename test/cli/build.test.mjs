// Tests `torch-incremental build` in an installed package with a stub for cmake: its arguments, and the errors if something
// is missing. It compiles for real in .github/workflows/release.yml.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { root, temporaryFolder } from '../support.mjs';
import { run } from './run.mjs';

const { version } = JSON.parse(fs.readFileSync(path.join(root, 'libtorch.json'), 'utf8'));

const cmake = `#!/bin/sh
case "$1" in
  --version) echo cmake version 3.31.0;;
  --build) test -e "$FAIL" && { echo "src/a.cc:1:2: error: no such thing"; exit 1; }
    mkdir "$2/Release"; for name in loader torch_incremental; do echo new > "$2/Release/$name.node"; done;;
  *) printf '%s\\n' "$@" > "$ARGUMENTS"; mkdir -p "$4";;
esac
`;

describe('command line: build', () => {
  const folder = temporaryFolder();
  const installed = folder('app/node_modules/torch-incremental');
  const headers = ['node-addon-api', 'node-api-headers'];

  before(() => {
    fs.mkdirSync(installed, { recursive: true });
    for (const name of fs.readdirSync(path.join(root, 'node_modules')))
      if (!headers.includes(name) && !name.startsWith('.'))
        fs.symlinkSync(path.join(root, 'node_modules', name), folder(`app/node_modules/${name}`));
    const { files } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
    for (const name of ['package.json', 'LICENSE', ...files.filter((one) => !/^(!|prebuilds|docs)/.test(one))])
      fs.cpSync(path.join(root, name), path.join(installed, name), { recursive: true });
    fs.mkdirSync(folder('bin'));
    fs.writeFileSync(folder('bin/cmake'), cmake, { mode: 0o755 });
    for (const name of ['lib/libtorch.so', 'lib/libtorch_cpu.so', 'lib/libc10.so', 'include/ATen/ATen.h'])
      write(`libtorch/${name}`, '');
    write('libtorch/build-version', version);
  });

  function write(file, text) {
    fs.mkdirSync(path.dirname(folder(file)), { recursive: true });
    fs.writeFileSync(folder(file), text);
  }

  const build = (args = ['--libtorch', folder('libtorch')], env = {}) =>
    run(['build', ...args], {
      script: path.join(installed, 'dist/cli/main.js'),
      cwd: folder('app'),
      env: {
        PATH: `${folder('bin')}:${process.env.PATH}`,
        XDG_CACHE_HOME: folder('cache'),
        TORCH_INCREMENTAL_LIBTORCH: '',
        LIBTORCH: '',
        ARGUMENTS: folder('arguments'),
        FAIL: folder('fail'),
        ...env,
      },
    });

  it('names the missing packages with headers, and the command that installs them', async () => {
    const { code, stderr } = await build();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error\[ERR_BUILD\]: The build needs headers of Node-API, and node-addon-api and node-api-headers/,
    );
    assert.match(stderr, /npm install --no-save node-addon-api@\^8\.\d+\.\d+ node-api-headers@\^1\.\d+\.\d+\n/);
    for (const name of headers)
      fs.symlinkSync(path.join(root, 'node_modules', name), folder(`app/node_modules/${name}`));
  });

  it('compiles the package with cmake, and puts the result where it is loaded from', async () => {
    const { code, stdout } = await build();
    assert.equal(code, 0);
    const release = path.join(installed, 'build', 'Release');
    assert.deepEqual(fs.readdirSync(release).sort(), ['loader.node', 'torch_incremental.node']);
    assert.match(stdout, new RegExp(`^The addon is in ${release} `));
    const given = fs.readFileSync(folder('arguments'), 'utf8').trim().split('\n');
    assert.deepEqual(given.slice(0, 2), ['-S', installed]);
    assert.ok(given.includes(`-DLIBTORCH=${folder('libtorch')}`));
    const [includes] = given.filter((one) => one.startsWith('-DCMAKE_JS_INC=')).map((one) => one.slice(15).split(';'));
    assert.deepEqual(
      ['napi.h', 'node_api.h'].map((file, index) => fs.existsSync(path.join(includes[index], file))),
      [true, true],
    );
  });

  it('keeps the addon that was there when a new one cannot be compiled', async () => {
    const addon = path.join(installed, 'build/Release/loader.node');
    fs.writeFileSync(addon, 'old');
    write('fail', '');
    const { code, stderr } = await build();
    fs.rmSync(folder('fail'));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /error\[ERR_BUILD\]: cmake --build failed \(exit code 1\)\.\n\n {2}src\/a\.cc:1:2: error: no such thing/,
    );
    assert.equal(fs.readFileSync(addon, 'utf8'), 'old');
    assert.equal((await build()).code, 0);
    assert.equal(fs.readFileSync(addon, 'utf8'), 'new\n');
  });

  it('names the folder that cannot be written to', async () => {
    const folderOfBuilds = path.join(installed, 'build');
    fs.renameSync(folderOfBuilds, folder('aside'));
    fs.writeFileSync(folderOfBuilds, 'a file in the way');
    const { code, stderr } = await build();
    fs.rmSync(folderOfBuilds);
    fs.renameSync(folder('aside'), folderOfBuilds);
    assert.equal(code, 1);
    assert.match(stderr, /^error\[ERR_BUILD\]: \S.*\/torch-incremental\/build cannot be written to: EEXIST/);
  });

  it('names the missing tools', async () => {
    const { code, stderr } = await build(undefined, { CXX: 'no-such-compiler' });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /error\[ERR_BUILD\]: The build needs a C\+\+20 compiler .*\n\n {2}no-such-compiler: not found/s,
    );
  });

  it('asks for a libtorch with headers, and refuses one of another version', async () => {
    fs.renameSync(folder('libtorch/include'), folder('libtorch/elsewhere'));
    const without = await build();
    fs.renameSync(folder('libtorch/elsewhere'), folder('libtorch/include'));
    assert.match(without.stderr, /^error\[ERR_LIBTORCH_NOT_FOUND\]: The build needs a libtorch .* with headers/);
    assert.ok(
      without.stderr.includes(`TORCH_INCREMENTAL_LIBTORCH (${folder('libtorch')}) has no headers`),
      without.stderr,
    );
    const none = await build([]);
    assert.match(none.stderr, /^error\[ERR_LIBTORCH_NOT_FOUND\]: .*npx torch-incremental build --libtorch <folder>/s);
    write('libtorch/build-version', '2.11.0');
    assert.match((await build()).stderr, /^error\[ERR_LIBTORCH_VERSION\]: .*is version 2\.11\.0/s);
    write('libtorch/build-version', version);
  });

  it('refuses a checkout, which has its own setup', async () => {
    const { code, stderr } = await run(['build'], { env: { TORCH_INCREMENTAL_LIBTORCH: folder('libtorch') } });
    assert.equal(code, 1);
    assert.match(stderr, /error\[ERR_BUILD\]: This is a checkout of torch-incremental, where `npm run setup` builds/);
  });
});
