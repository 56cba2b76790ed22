// Tests scripts/setup.mjs in a copy of the checkout with stubs for npm, tsc and cmake-js that record their calls:
// what is done, what is not repeated, and the messages when something fails.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { installLine } from '../../scripts/setup/toolchain.mjs';
import { root } from '../support.mjs';
import { FileServer } from '../unit/file-server.mjs';
import { madeUpManifest } from '../unit/libtorch-support.mjs';

const { version } = JSON.parse(fs.readFileSync(path.join(root, 'libtorch.json'), 'utf8'));

/** The packages that `npm ci` installs here. Each stub fails if the checkout contains a file named after it. */
const npm = `#!/bin/sh
echo npm >> calls; test -e fail-npm && { echo "npm error ENETUNREACH"; exit 1; }
mkdir -p node_modules/.bin node_modules/cmake-js/bin node_modules/node-addon-api
echo '{}' > node_modules/cmake-js/package.json; echo '{}' > node_modules/node-addon-api/package.json
cp stubs/tsc node_modules/.bin/tsc; cp stubs/cmake-js node_modules/cmake-js/bin/cmake-js
`;
const tsc = `#!/bin/sh
echo tsc >> calls; test -e fail-tsc && { echo "lib/a.ts(1,2): error TS1005: ';' expected."; exit 2; }
cp -R "$DIST" dist
`;
const cmakeJs = `const fs = require('node:fs');
const command = process.argv[2];
fs.appendFileSync('calls', command + '\\n');
if (fs.existsSync('fail-' + command)) { console.log('src/a.cc:1:2: error: no such thing'); process.exit(1); }
fs.mkdirSync('build/Release', { recursive: true });
fs.writeFileSync('build/CMakeCache.txt', '');
if (command === 'build') for (const name of ['loader', 'torch_incremental']) fs.writeFileSync('build/Release/' + name + '.node', '');
`;

/** Records its arguments except the folder, and puts the wheel there. */
const pip = `#!/bin/sh
shift 2; test "$1" = --version && exit
words=pip
while test $# -gt 0; do
  case "$1" in --dest) folder=$2; shift;; *) words="$words $1";; esac
  shift
done
echo "$words" >> "$CALLS"; mkdir -p "$folder"; cp "$WHEEL" "$folder/torch.whl"
`;

describe('setup', () => {
  let folder;
  let checkout;
  let env;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch incremental é-'));
    checkout = path.join(folder, 'a checkout');
    for (const name of ['scripts/setup', 'scripts/setup.mjs', 'libtorch.json', 'package.json', 'tsconfig.json']) {
      fs.cpSync(path.join(root, name), path.join(checkout, name), { recursive: true });
    }
    write('package-lock.json', '{}');
    for (const name of ['CMakeLists.txt', 'binding.cc', 'lib/a.ts', 'src/a.cc']) write(name, '');
    write('stubs/tsc', tsc, 0o755);
    write('stubs/cmake-js', cmakeJs);
    write('stubs/npm', npm, 0o755);
    for (const name of ['lib/libtorch.so', 'lib/libtorch_cpu.so', 'lib/libc10.so', 'include/ATen/ATen.h']) {
      write(`libtorch/${name}`, '');
    }
    write('libtorch/build-version', version);
    env = {
      ...process.env,
      CALLS: path.join(checkout, 'calls'),
      DIST: path.join(root, 'dist'),
      PATH: `${path.join(checkout, 'stubs')}:${process.env.PATH}`,
      TORCH_INCREMENTAL_LIBTORCH: path.join(checkout, 'libtorch'),
      XDG_CACHE_HOME: path.join(folder, 'cache'),
    };
  });

  afterEach(() => fs.rmSync(folder, { recursive: true }));

  function write(name, text, mode = 0o644) {
    fs.mkdirSync(path.dirname(path.join(checkout, name)), { recursive: true });
    fs.writeFileSync(path.join(checkout, name), text, { mode });
  }

  /** Runs the setup. Returns the tools it called, and its output. */
  function setUp(changes = {}) {
    fs.rmSync(path.join(checkout, 'calls'), { force: true });
    const script = path.join(checkout, 'scripts', 'setup.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
      cwd: folder,
      env: { ...env, ...changes },
      encoding: 'utf8',
    });
    assert.equal(stdout, '', 'standard output belongs to the command that follows');
    return { status, stderr, calls: calls() };
  }

  function calls() {
    const file = path.join(checkout, 'calls');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  it('does everything on a fresh clone, then nothing, silently', () => {
    const first = setUp();
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(first.calls, ['npm', 'tsc', 'configure', 'build']);
    const again = setUp();
    assert.deepEqual([again.status, again.stderr, again.calls], [0, '', []]);
  });

  it('repeats only what a change makes necessary', () => {
    setUp();
    write('src/a.cc', 'int a;');
    assert.deepEqual(setUp().calls, ['build']);
    write('src/new.h', '');
    assert.deepEqual(setUp().calls, ['build']);
    write('lib/a.ts', 'export const a = 1;');
    assert.deepEqual(setUp().calls, ['tsc']);
    write('package-lock.json', '{"packages": {}}');
    assert.deepEqual(setUp().calls, ['npm', 'tsc']);
    fs.rmSync(path.join(checkout, 'build/Release/loader.node'));
    assert.deepEqual(setUp().calls, ['build']);
    fs.rmSync(path.join(checkout, 'build'), { recursive: true });
    assert.deepEqual(setUp().calls, ['configure', 'build']);
    fs.rmSync(path.join(checkout, 'node_modules'), { recursive: true });
    assert.deepEqual(setUp().calls, ['npm']);
    assert.deepEqual(setUp().calls, []);
  });

  it('rebuilds for another libtorch', () => {
    setUp();
    fs.cpSync(path.join(checkout, 'libtorch'), path.join(checkout, 'other'), { recursive: true });
    const other = { TORCH_INCREMENTAL_LIBTORCH: '', LIBTORCH: path.join(checkout, 'other') };
    assert.deepEqual(setUp(other).calls, ['configure', 'build']);
    assert.deepEqual(setUp(other).calls, []);
  });

  it('does not leave compiled files of removed sources', () => {
    setUp();
    write('dist/gone.js', '');
    write('lib/a.ts', 'export {};');
    setUp();
    assert.ok(!fs.existsSync(path.join(checkout, 'dist/gone.js')));
  });

  for (const [tool, sign] of [
    ['npm', /npm ci failed \(exit code 1\)\.\n\n {2}npm error ENETUNREACH/],
    ['tsc', /tsc failed \(exit code 2\)\.\n\n {2}lib\/a\.ts\(1,2\): error TS1005/],
    ['configure', /cmake-js configure failed/],
    ['build', /cmake-js build failed \(exit code 1\)\.\n\n {2}src\/a\.cc:1:2: error: no such thing/],
  ]) {
    it(`reports the output of ${tool} when it fails, and tries again the next time`, () => {
      write(`fail-${tool}`, '');
      for (let time = 0; time < 2; time++) {
        const { status, stderr, calls } = setUp();
        assert.equal(status, 1);
        assert.match(stderr, sign);
        assert.match(stderr, /The whole log: .*build\/setup\.log/);
        assert.doesNotMatch(stderr, /\n {4}at /);
        assert.equal(calls.at(-1), tool);
      }
      fs.rmSync(path.join(checkout, `fail-${tool}`));
      const { status, calls } = setUp();
      assert.equal(status, 0);
      assert.equal(calls[0], tool);
      assert.deepEqual(setUp().calls, []);
    });
  }

  it('refuses a libtorch of another version, and one without headers, before building', () => {
    write('libtorch/build-version', '2.11.0+cpu');
    const wrong = setUp();
    assert.equal(wrong.status, 1);
    assert.ok(wrong.stderr.includes(`is version 2.11.0+cpu; ${version} is needed`), wrong.stderr);
    write('libtorch/build-version', version);
    fs.rmSync(path.join(checkout, 'libtorch/include'), { recursive: true });
    assert.match(setUp().stderr, /no headers/);
  });

  describe('without a libtorch', () => {
    let server;
    let archive;

    beforeEach(async () => {
      server = await new FileServer().start();
      archive = madeUpManifest(server).platforms['linux-x64'].variants.cpu.archives[0];
      // The packages that `npm ci` would install, and the pip of a machine with the wheel in its index.
      fs.appendFileSync(
        path.join(checkout, 'stubs/npm'),
        `for name in undici yauzl pend; do ln -s '${path.join(root, 'node_modules')}'/$name node_modules/$name; done\n`,
      );
      write('stubs/python3', pip, 0o755);
      env = { ...env, TORCH_INCREMENTAL_LIBTORCH: '', LIBTORCH: '', WHEEL: path.join(folder, 'wheel') };
      fs.writeFileSync(env.WHEEL, server.files.get('/torch-1+cpu.whl'));
    });

    afterEach(() => server.stop());

    /** The checkout's manifest, with the made-up wheel as the CPU build. */
    function pin(changes) {
      const manifest = JSON.parse(fs.readFileSync(path.join(root, 'libtorch.json'), 'utf8'));
      const { cpu } = manifest.platforms['linux-x64'].variants;
      cpu.archives = [{ ...archive, ...changes }];
      cpu.libraries = undefined; // the libraries of the made-up wheel have other sizes
      write('libtorch.json', JSON.stringify(manifest));
    }

    /** Not spawnSync: the server is in this process. */
    const setUpMeanwhile = () =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [path.join(checkout, 'scripts', 'setup.mjs')], { env, cwd: folder });
        let stderr = '';
        child.stderr.setEncoding('utf8').on('data', (text) => {
          stderr += text;
        });
        child.on('close', (status) => resolve({ status, stderr }));
      });
    const cached = () => path.join(env.XDG_CACHE_HOME, 'torch-incremental/libtorch', `${version}+cpu`);

    it('fetches the pinned wheel over https, and builds with it', async () => {
      pin({});
      const { status, stderr } = await setUpMeanwhile();
      assert.equal(status, 0, stderr);
      assert.deepEqual(calls(), ['npm', 'tsc', 'configure', 'build']);
      assert.deepEqual(fs.readdirSync(cached()).sort(), ['include', 'lib', 'version.py']);
      assert.match(stderr, /Fetching libtorch \(torch-1\+cpu\.whl\) from 127\.0\.0\.1/);
      assert.match(stderr, / MB unpacked\n/);
    });

    it('asks pip if https does not work, and accepts only the same file', async () => {
      server.files.clear();
      pin({ pip: { requirement: 'torch==1+cpu', arguments: ['--platform', 'x'] } });
      const { status, stderr } = await setUpMeanwhile();
      assert.equal(status, 0, stderr);
      assert.match(stderr, /https: http:.*torch-1%2Bcpu\.whl: the server answered 404/);
      assert.equal(
        calls()[2],
        `pip download --no-input --no-deps --only-binary=:all: --timeout 15 --retries 2 --platform x torch==1+cpu`,
      );
      assert.ok(fs.existsSync(path.join(cached(), 'lib/libtorch.so')));

      fs.rmSync(cached(), { recursive: true });
      fs.writeFileSync(env.WHEEL, 'another file');
      const wrong = await setUpMeanwhile();
      assert.equal(wrong.status, 1);
      assert.match(wrong.stderr, /pip: the file \(12 bytes instead of \d+\) has sha256/);
      assert.match(
        wrong.stderr,
        /Could not fetch torch-1\+cpu\.whl:\n {2}https: .*\n {2}pip: .*\nThe next attempt resumes the partial download.*\n\nDo one of these:\n/,
      );
      assert.ok(!fs.existsSync(cached()));
    });
  });

  it('reports all missing tools, and how to install them, before anything else is done', () => {
    const bin = path.join(folder, 'bin');
    fs.mkdirSync(bin);
    fs.writeFileSync(path.join(bin, 'c++'), '#!/bin/sh\necho "c++: error: unrecognized option -std=c++20"; exit 1\n', {
      mode: 0o755,
    });
    const { status, stderr, calls } = setUp({ PATH: bin, CXX: '' });
    assert.equal(status, 1);
    assert.deepEqual(calls, []);
    assert.match(stderr, /c\+\+: does not compile C\+\+20: .*unrecognized option/);
    assert.match(stderr, /clang\+\+: not found/);
    assert.match(stderr, /cmake: cmake not found/);
    assert.match(stderr, /ninja or make: not found/);
    assert.match(setUp({ CXX: 'no-such-compiler' }).stderr, /no-such-compiler: not found \(named by CXX\)/);
  });

  it('runs two setups of one checkout one after the other', async () => {
    const script = path.join(checkout, 'scripts', 'setup.mjs');
    const run = () =>
      new Promise((resolve) => spawn(process.execPath, [script], { env, cwd: checkout }).on('close', resolve));
    assert.deepEqual(await Promise.all([run(), run(), run()]), [0, 0, 0]);
    assert.deepEqual(calls(), ['npm', 'tsc', 'configure', 'build']);
  });

  it('names the package manager of the distribution', () => {
    const missing = ['compiler', 'ninja'];
    assert.match(installLine(missing, 'ID=debian\n', 'linux'), /sudo apt-get install -y g\+\+ ninja-build$/);
    assert.match(installLine(missing, 'NAME="x"\nID="linuxmint"\nID_LIKE="ubuntu debian"\n', 'linux'), /apt-get/);
    assert.match(
      installLine(missing, 'ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'linux'),
      /dnf install -y gcc-c\+\+ ninja-build$/,
    );
    assert.match(installLine(missing, 'ID=alpine\n', 'linux'), /apk add g\+\+ ninja$/);
    assert.match(installLine(missing, 'ID=manjaro\nID_LIKE=arch\n', 'linux'), /pacman -S --needed gcc ninja$/);
    assert.match(
      installLine(missing, 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', 'linux'),
      /zypper install -y gcc-c\+\+ ninja$/,
    );
    assert.match(installLine(['cmake'], '', 'darwin'), /brew install cmake$/);
  });
});
