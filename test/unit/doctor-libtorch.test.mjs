// Tests doctor on the compiled files: the addon, libtorch, and foreign libraries in the process.
import assert from 'node:assert/strict';
import { addonAt, candidate, examine, failure, found, keysOf, packageName } from './doctor-support.mjs';

describe('doctor: the addon', () => {
  it('shows every place and why one is used', async () => {
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

  it('names a missing file, and the remedy in a package, in a checkout and with a named folder', async () => {
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

  it('shows every candidate, the one that is used, and its size', async () => {
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

  it('has a remedy if there is no libtorch', async () => {
    const candidates = [absent('LIBTORCH'), old, absent(packageName)];
    const report = await examine({ candidates, probe: failure({ code: 'ERR_LIBTORCH_VERSION' }) });
    assert.deepEqual(keysOf(report), ['libtorch-missing']);
    assert.match(found(report, 'libtorch-missing').remedy, /torch-incremental libtorch install.*--include=optional/);
  });

  it('reports the problem of an existing one', async () => {
    const problem = { code: 'ERR_LIBTORCH_LOAD', text: 'lib/libtorch_cpu.so has 0 bytes instead of 434184800' };
    const damaged = { ...absent(packageName), folder: '/app/node_modules/libtorch', problem };
    const report = await examine({ candidates: [absent('LIBTORCH'), damaged], probe: failure({ code: problem.code }) });
    assert.match(
      found(report, 'libtorch-missing').text,
      /usable libtorch .*: \/app\/node_modules\/libtorch lib\/libtorch_cpu\.so has 0 bytes instead of 434184800\.$/,
    );
  });

  it('points to the torch of a Python if there is nothing else', async () => {
    const report = await examine({
      candidates: [absent('LIBTORCH')],
      pythonTorch: '/usr/lib/python3/torch',
      probe: failure({ code: 'ERR_LIBTORCH_NOT_FOUND' }),
    });
    assert.match(found(report, 'libtorch-missing').remedy, /python3\/torch\. Choose it: npx .* install --from python$/);
  });

  it('never uses another than the named one, and says how to undo the choice', async () => {
    const undo = 'npx torch-incremental libtorch use auto';
    const named = { ...old, source: 'torch-incremental libtorch use', explicit: true, undo };
    const report = await examine({
      candidates: [named, candidate()],
      probe: failure({ code: 'ERR_LIBTORCH_VERSION' }),
    });
    assert.equal(report.libtorch.folder, null);
    assert.match(found(report, 'libtorch-refused').text, /torch-incremental libtorch use names.*is version 2\.11\.0/);
    assert.ok(found(report, 'libtorch-refused').remedy.includes(undo));
  });

  it('distinguishes the loaded one from the one that is tried first and does not load', async () => {
    const first = candidate({ variant: 'cu130', folder: '/cache/libtorch/2.13.0+cu130/torch' });
    const report = await examine({ candidates: [first, candidate()] });
    assert.equal(report.libtorch.variant, 'cpu');
    assert.equal(report.libraries.folder, first.folder);
    assert.deepEqual(keysOf(report), ['libtorch-skipped']);
    assert.match(found(report, 'libtorch-skipped').remedy, /install --variant cu130\. .* remove cu130/);
  });

  it('notes a version that is only used because the check is off', async () => {
    const other = candidate({ version: '2.11.0+cu128' });
    const machine = { env: { TORCH_INCREMENTAL_BYPASS_VERSION_CHECK: '1' } };
    assert.deepEqual(keysOf(await examine({ candidates: [other], machine })), ['version-check-bypassed']);
  });

  it('reports the stage, the cause and the remedies of a failed trial', async () => {
    const crashed = await examine({ probe: failure({ message: 'killed by SIGSEGV', signal: 'SIGSEGV' }) });
    assert.match(found(crashed, 'probe-crashed').text, /at loading libtorch and the addon: killed by SIGSEGV/);
    const killed = await examine({
      probe: failure({ message: 'killed by SIGKILL', signal: 'SIGKILL', stage: 'step', on: 'cpu' }),
    });
    assert.match(found(killed, 'probe-killed').text, /at a training step on cpu/);
    const refused = await examine({ probe: failure({ message: 'no', remedies: ['do this', 'do that'] }) });
    assert.equal(found(refused, 'probe-failed').remedy, 'Do this; or do that');
    const command = await examine({ probe: failure({ message: 'no', remedies: ['npx torch-incremental do'] }) });
    assert.equal(found(command, 'probe-failed').remedy, 'npx torch-incremental do');
    const nowhere = await examine({
      machine: { cwd: null },
      probe: failure({ message: 'exit code 2:\nMKL FATAL ERROR' }),
    });
    assert.match(found(nowhere, 'probe-failed').remedy, /^The current folder was deleted/);
    for (const report of [crashed, killed, refused, nowhere]) assert.equal(report.status, 'unusable');
  });
});

describe('doctor: a trial that could not start', () => {
  it('leaves open whether libtorch loads', async () => {
    const report = await examine({
      machine: { execArgv: ['--permission', '--allow-addons'] },
      probe: failure({ started: false, stage: null, message: 'Access to this API has been restricted' }),
    });
    assert.deepEqual(keysOf(report), ['probe-not-started']);
    assert.match(found(report, 'probe-not-started').remedy, /--allow-child-process/);
    assert.deepEqual([report.status, report.libtorch.loads], ['degraded', null]);
  });
});

describe('doctor: libraries in the process', () => {
  const lib = '/cache/libtorch/2.13.0+cpu/lib';

  it('warns of a second OpenMP, and of another libtorch', async () => {
    const mapped = [`${lib}/libtorch_cpu.so`, `${lib}/libgomp.so.1`, '/opt/intel/libiomp5.so', '/usr/lib/libc10.so'];
    const report = await examine({ probe: { mapped } });
    assert.equal(report.status, 'degraded');
    assert.match(found(report, 'openmp-twice').text, /libgomp\.so\.1, \/opt\/intel\/libiomp5\.so/);
    assert.match(found(report, 'libtorch-twice').text, /\/usr\/lib\/libc10\.so/);
    assert.deepEqual(report.foreign.otherLibtorch, ['/usr/lib/libc10.so']);
  });

  it('recognises a libtorch through a symbolic link', async () => {
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
