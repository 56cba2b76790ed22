// Doctor on the compiled files: the addon, libtorch, what its libraries need, and what others have put into the process.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import elf from '../../dist/doctor/elf.js';
import machineModule from '../../dist/doctor/machine.js';
import needs from '../../dist/doctor/needs.js';
import { temporaryFolder } from '../support.mjs';
import { addonAt, candidate, examine, failure, found, keysOf, packageName } from './doctor-support.mjs';

describe('doctor: the addon', () => {
  it('shows every place and why one is taken', async () => {
    const where = '/pkg/prebuilds/linux-x64';
    const files = Object.fromEntries(
      ['loader', 'torch_incremental'].map((name) => [`${where}/${name}.glibc.node`, '']),
    );
    const places = addonAt('prebuilt', where, '.glibc.node', { 'compiled here': '/elsewhere' });
    const { addon } = await examine({ machine: { files }, addon: places });
    assert.deepEqual(
      [addon.path, addon.exists, addon.reason],
      [`${where}/torch_incremental.glibc.node`, true, 'prebuilt'],
    );
    assert.deepEqual(addon.places, [
      { path: '/elsewhere/torch_incremental.node', source: 'compiled here', exists: false },
      { path: `${where}/torch_incremental.glibc.node`, source: 'prebuilt', exists: true },
    ]);
  });

  it('says where a file is missing, and what to do in a package, in a checkout and with a folder that was named', async () => {
    const at = (changes) =>
      examine({
        addon: addonAt('TORCH_INCREMENTAL_ADDON', '/elsewhere'),
        probe: failure({ code: 'ERR_LIBTORCH_LOAD' }),
        ...changes,
      });
    const report = await at({});
    assert.deepEqual(keysOf(report), ['addon-missing']);
    const { kind, text, remedy } = found(report, 'addon-missing');
    assert.equal(kind, 'problems');
    assert.match(text, /missing: \/elsewhere\/torch_incremental\.node, \/elsewhere\/loader\.node/);
    assert.match(remedy, /npx torch-incremental build/);
    assert.match(found(await at({ isCheckout: true }), 'addon-missing').remedy, /^Build it: npm run setup/);
    const named = await at({ machine: { env: { TORCH_INCREMENTAL_ADDON: '/elsewhere' } } });
    assert.match(found(named, 'addon-missing').remedy, /^Unset TORCH_INCREMENTAL_ADDON; or /);
  });
});

describe('doctor: libtorch', () => {
  const absent = (source) =>
    candidate({ source, folder: null, version: null, problem: { code: 'ERR_LIBTORCH_NOT_FOUND', text: 'not set' } });
  const old = candidate({ version: '2.11.0', problem: { code: 'ERR_LIBTORCH_VERSION', text: 'is version 2.11.0' } });

  it('shows every candidate, the one that is taken, and how large it is', async () => {
    const files = { '/opt/torch/lib/libtorch.so': '' };
    const named = candidate({ source: 'LIBTORCH', folder: '/opt/torch', explicit: true, undo: 'unset LIBTORCH' });
    const candidates = [absent('TORCH_INCREMENTAL_LIBTORCH'), named, old];
    const { libtorch } = await examine({ candidates, machine: { files, folderBytes: () => 434e6 } });
    assert.deepEqual([libtorch.folder, libtorch.source, libtorch.needed], ['/opt/torch', 'LIBTORCH', '2.13.0']);
    assert.deepEqual(
      libtorch.candidates.map(({ source, bytesOnDisk, problem }) => [source, bytesOnDisk, problem?.text ?? null]),
      [
        ['TORCH_INCREMENTAL_LIBTORCH', 0, 'not set'],
        ['LIBTORCH', 434e6, null],
        ['cache', 0, 'is version 2.11.0'],
      ],
    );
  });

  it('says how to get one where there is none', async () => {
    const candidates = [absent('LIBTORCH'), old, absent(packageName)];
    const report = await examine({ candidates, probe: failure({ code: 'ERR_LIBTORCH_VERSION' }) });
    assert.deepEqual(keysOf(report), ['libtorch-missing']);
    assert.match(found(report, 'libtorch-missing').remedy, /torch-incremental libtorch install.*--include=optional/);
  });

  it('points to the torch of a Python where there is nothing else', async () => {
    const report = await examine({
      candidates: [absent('LIBTORCH')],
      pythonTorch: '/usr/lib/python3/torch',
      probe: failure({ code: 'ERR_LIBTORCH_NOT_FOUND' }),
    });
    assert.match(found(report, 'libtorch-missing').remedy, /python3\/torch, .*: npx .* install --from python$/);
  });

  it('never takes another for one that was named, and says how to take that back', async () => {
    const undo = 'torch-incremental libtorch use auto';
    const named = { ...old, source: 'torch-incremental libtorch use', explicit: true, undo };
    const report = await examine({
      candidates: [named, candidate()],
      probe: failure({ code: 'ERR_LIBTORCH_VERSION' }),
    });
    assert.equal(report.libtorch.folder, null);
    assert.match(found(report, 'libtorch-refused').text, /torch-incremental libtorch use names.*is version 2\.11\.0/);
    assert.ok(found(report, 'libtorch-refused').remedy.includes(undo));
  });

  it('tells the one that is loaded from the one that is tried first and does not load', async () => {
    const first = candidate({ variant: 'cu130', folder: '/cache/libtorch/2.13.0+cu130/torch' });
    const report = await examine({ candidates: [first, candidate()] });
    assert.equal(report.libtorch.variant, 'cpu');
    assert.equal(report.libraries.folder, first.folder);
    assert.deepEqual(keysOf(report), ['libtorch-skipped']);
    assert.match(found(report, 'libtorch-skipped').remedy, /install --variant cu130\. .* remove cu130/);
  });

  it('notes a version that is only taken because the check is off', async () => {
    const other = candidate({ version: '2.11.0+cu128' });
    const machine = { env: { TORCH_INCREMENTAL_BYPASS_VERSION_CHECK: '1' } };
    assert.deepEqual(keysOf(await examine({ candidates: [other], machine })), ['version-check-bypassed']);
  });

  it('says of a trial that failed at which stage, by what, and what the error says to do', async () => {
    const crashed = await examine({ probe: failure({ message: 'killed by SIGSEGV', signal: 'SIGSEGV' }) });
    assert.match(found(crashed, 'probe-crashed').text, /at loading libtorch and the addon: killed by SIGSEGV/);
    const killed = await examine({
      probe: failure({ message: 'killed by SIGKILL', signal: 'SIGKILL', stage: 'step', on: 'cpu' }),
    });
    assert.match(found(killed, 'probe-killed').text, /at a training step on cpu/);
    const refused = await examine({ probe: failure({ message: 'no', remedies: ['do this', 'do that'] }) });
    assert.equal(found(refused, 'probe-failed').remedy, 'Do this; or do that');
    for (const report of [crashed, killed, refused]) assert.equal(report.status, 'unusable');
  });
});

describe('doctor: what libraries need', () => {
  const folder = temporaryFolder();
  const real = machineModule.thisMachine();

  before(() => fs.writeFileSync(folder('a.cc'), 'extern "C" int answer() { return 42; }'));

  function compile(name, ...options) {
    const file = folder(`${name}.so`);
    fs.mkdirSync(folder('sub'), { recursive: true });
    execFileSync('c++', [
      '-shared',
      '-fPIC',
      folder('a.cc'),
      '-o',
      file,
      `-Wl,-soname,${name.split('/').at(-1)}.so`,
      '-Wl,--no-as-needed',
      ...options,
    ]);
    return file;
  }

  it('reads the names, what is needed and where it is looked for', () => {
    compile('libother');
    const file = compile(
      'libfirst',
      `-L${folder()}`,
      '-lother',
      '-Wl,-rpath,$ORIGIN/sub:/opt/x',
      '-Wl,--enable-new-dtags',
    );
    const found = elf.readNeeds(file);
    assert.equal(found.soname, 'libfirst.so');
    assert.ok(found.needed.includes('libother.so') && found.needed.includes('libc.so.6'), found.needed.join());
    assert.deepEqual([found.runpath, found.rpath], [['$ORIGIN/sub', '/opt/x'], []]);
    const old = elf.readNeeds(compile('libold', '-Wl,-rpath,/opt/y', '-Wl,--disable-new-dtags'));
    assert.deepEqual([old.runpath, old.rpath], [[], ['/opt/y']]);
  });

  it('refuses what is cut short or no library, at any length', () => {
    const whole = fs.readFileSync(compile('libwhole'));
    const end = whole.length - 64 * whole.readUInt16LE(60);
    for (const length of [0, 3, 63, 64, 100, 500, 3000, Math.floor(end / 2)]) {
      fs.writeFileSync(folder('cut.so'), whole.subarray(0, length));
      assert.throws(() => elf.readNeeds(folder('cut.so')), /is cut short|is no 64-bit library/, `${length} bytes`);
    }
    fs.writeFileSync(folder('text.so'), 'INPUT(libc.so.6)'.repeat(20));
    assert.throws(() => elf.readNeeds(folder('text.so')), { code: 'ERR_FILE', message: 'is no 64-bit library' });
  });

  it('survives a library with any byte changed', () => {
    const whole = fs.readFileSync(compile('libany'));
    for (let at = 0; at < 600; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] + 101) % 256;
      fs.writeFileSync(folder('changed.so'), changed);
      try {
        elf.readNeeds(folder('changed.so'));
      } catch (error) {
        assert.equal(error.code, 'ERR_FILE', `byte ${at}: ${error.stack}`);
      }
    }
  });

  it('finds a library through RUNPATH, RPATH of a file above, LD_LIBRARY_PATH, and one that is open already', async () => {
    const missingOf = async (files, own = real) =>
      (await needs.findNeeds(files, own)).missing.map(({ library }) => library);
    compile('sub/libdeep');
    const without = compile('libwithout', `-L${folder('sub')}`, '-ldeep');
    assert.deepEqual(await missingOf([without]), ['libdeep.so']);
    const deep = folder('sub/libdeep.so');
    assert.deepEqual(await missingOf([deep, without]), []);
    assert.deepEqual(
      await missingOf([without], { ...real, env: { LD_LIBRARY_PATH: `/nowhere:${folder('sub')}` } }),
      [],
    );
    const withRunpath = compile(
      'libwith',
      `-L${folder('sub')}`,
      '-ldeep',
      '-Wl,-rpath,$ORIGIN/sub',
      '-Wl,--enable-new-dtags',
    );
    assert.deepEqual(await missingOf([withRunpath]), []);
    // A RUNPATH is for the file's own needs; an RPATH for those of the files it brings, too.
    for (const [dtags, expected] of [
      ['--enable-new-dtags', ['libdeep.so']],
      ['--disable-new-dtags', []],
    ]) {
      const top = compile('libtop', `-L${folder()}`, '-lwithout', `-Wl,-rpath,$ORIGIN:$ORIGIN/sub,${dtags}`);
      assert.deepEqual(await missingOf([top]), expected, dtags);
    }
  });

  it('says which library is missing, who needs it, and what to do', async () => {
    fs.mkdirSync(folder('made/lib'), { recursive: true });
    compile('sub/libgomp'); // named as GCC names it
    fs.renameSync(folder('sub/libgomp.so'), folder('sub/libgone.so'));
    execFileSync('c++', [
      '-shared',
      '-fPIC',
      folder('a.cc'),
      '-o',
      folder('made/lib/libtorch.so'),
      '-Wl,--no-as-needed',
      folder('sub/libgone.so'),
    ]);
    const own = candidate({ folder: folder('made') });
    const at = (changes) => examine({ candidates: [own], machine: { ...real, ...changes }, probe: failure() });
    const report = await at({});
    assert.deepEqual(report.libraries.missing, [{ library: 'libgomp.so', neededBy: 'libtorch.so' }]);
    assert.equal(found(report, 'library-missing').kind, 'problems');
    assert.match(found(report, 'library-missing').text, /libtorch\.so needs libgomp\.so\./);
    // Where the system's cache cannot be asked, it is shown and not held against anybody.
    const unsure = await at({ output: async () => null });
    assert.equal(unsure.libraries.sure, false);
    assert.equal(found(unsure, 'library-missing'), undefined);
  });

  it('agrees with what ldd finds of this libtorch', async function () {
    const { folder: where } = (await examineReal()).libtorch;
    let output;
    try {
      output = execFileSync('ldd', [`${where}/lib/libtorch.so`], { encoding: 'utf8' });
    } catch {
      this.skip();
    }
    const names = [...output.matchAll(/^\s+(\S+) => (\S+)/gm)].map(([, name]) => name);
    const { found: count, missing } = await needs.findNeeds([`${where}/lib/libtorch.so`], real);
    assert.deepEqual(missing, []);
    // Ours counts the file itself and the dynamic linker too.
    assert.ok(count >= names.length && count <= names.length + 2, `${count} found, ldd has ${names.length}`);
  });

  async function examineReal() {
    const { default: doctor } = await import('../../dist/doctor.js');
    return (await doctor.diagnose({ probe: false })).report;
  }
});

describe('doctor: what is in the process', () => {
  const lib = '/cache/libtorch/2.13.0+cpu/lib';

  it('warns of a second OpenMP, and of another libtorch', async () => {
    const mapped = [`${lib}/libtorch_cpu.so`, `${lib}/libgomp.so.1`, '/opt/intel/libiomp5.so', '/usr/lib/libc10.so'];
    const report = await examine({ probe: { mapped } });
    assert.equal(report.status, 'degraded');
    assert.match(found(report, 'openmp-twice').text, /libgomp\.so\.1, \/opt\/intel\/libiomp5\.so/);
    assert.match(found(report, 'libtorch-twice').text, /\/usr\/lib\/libc10\.so/);
    assert.deepEqual(report.foreign.otherLibtorch, ['/usr/lib/libc10.so']);
  });

  it('takes a libtorch behind a symbolic link for the one that it is', async () => {
    const files = [`/real/libtorch.so`, '/real/libc10.so'];
    assert.deepEqual(keysOf(await examine({ machine: { links: { [lib]: '/real' } }, probe: { mapped: files } })), []);
  });

  it('notes variables of the dynamic linker', async () => {
    const env = { LD_PRELOAD: '/usr/lib/libjemalloc.so', LD_LIBRARY_PATH: '/opt/cuda/lib64' };
    const report = await examine({ machine: { env } });
    assert.deepEqual(keysOf(report), ['ld-preload', 'ld-library-path']);
    assert.equal(report.status, 'ok');
    assert.match(found(report, 'ld-preload').remedy, /env -u LD_PRELOAD npx torch-incremental doctor/);
  });
});
