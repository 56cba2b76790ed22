// Tests doctor's sentence on CUDA, on machines with all kinds of GPUs, drivers, containers and builds.
import assert from 'node:assert/strict';
import nvidia from '../../dist/doctor/nvidia.js';
import { candidate, examine, failure, found, info, keysOf, onCpu } from './doctor-support.mjs';

const smi = (driver, name, capability) => ({ programs: { 'nvidia-smi': `0, ${driver}, ${name}, ${capability}\n` } });
const withGpu = (driver = '580.65.06', name = 'NVIDIA H100', capability = '9.0') => ({
  machine: { ...smi(driver, name, capability), files: { '/dev/nvidia0': '', '/dev/nvidiactl': '' } },
  driver: { version: driver },
});
const opens = { libcuda: null };

const cu130 = candidate({ variant: 'cu130', folder: '/cache/libtorch/2.13.0+cu130/torch', version: '2.13.0+cu130' });
const cu126 = candidate({ variant: 'cu126', folder: '/cache/libtorch/2.13.0+cu126', version: '2.13.0+cu126' });
const mappedOf = ({ folder }) => [`${folder}/lib/libtorch_cpu.so`];

/** The build with CUDA is loaded, and the CPU is used. */
const unusable = (build, reason = 'made up') => ({
  candidates: [build],
  probe: { mapped: mappedOf(build), info: { ...info, cuda: true }, device: onCpu(reason), ...opens },
});

/** Checks for one finding of that kind and key, or none if `key` is null, and for the sentence and the command. */
async function check(changes, { kind, key, reason, command, remedy }) {
  const report = await examine(changes);
  assert.deepEqual(keysOf(report), key === null ? [] : [key]);
  if (key !== null) assert.equal(found(report, key).kind, kind);
  assert.match(report.cuda.reason, reason);
  assert.equal(report.cuda.command, command ?? null);
  if (remedy) assert.match(found(report, key).remedy, remedy);
  assert.equal(report.status, kind === 'warnings' ? 'degraded' : 'ok');
}

describe('doctor: CUDA is not in this libtorch', () => {
  it('finds nothing without a GPU', () =>
    check({}, { key: null, reason: /^CUDA is not used, because there is no NVIDIA GPU here\.$/ }));

  it('names the build to install for the GPU', () =>
    check(
      { ...withGpu(), probe: opens },
      {
        kind: 'notes',
        key: 'cuda-not-installed',
        reason: /a build without it\. The NVIDIA H100 could be used with CUDA 13\.0\./,
        command: 'npx torch-incremental libtorch install --variant cu130',
      },
    ));

  it('names an older build for an older driver, with the checksum it needs', () =>
    check(
      { ...withGpu('535.104.05'), probe: opens },
      {
        kind: 'notes',
        key: 'cuda-not-installed',
        reason: /CUDA 12\.8/,
        command: 'npx torch-incremental libtorch install --variant cu128 --sha256 <hex>',
      },
    ));

  it('names an older build if the newest has no kernels for the GPU', () =>
    check(
      { ...withGpu('580.65.06', 'Tesla P100', '6.0'), probe: opens },
      {
        kind: 'notes',
        key: 'cuda-not-installed',
        reason: /The Tesla P100 could/,
        command: 'npx torch-incremental libtorch install --variant cu128 --sha256 <hex>',
      },
    ));

  it('asks for a newer driver if no build runs on it', () =>
    check(
      { ...withGpu('470.57.02'), probe: opens },
      {
        kind: 'notes',
        key: 'no-build-for-driver',
        reason: /driver 470\.57\.02 is too old for any other: 525\.60\.13 or newer/,
      },
    ));

  it('reports that a build with CUDA is installed and another was named', () => {
    const named = candidate({
      source: 'LIBTORCH',
      folder: '/opt/cpu',
      explicit: true,
      undo: 'unset LIBTORCH',
      variant: null,
    });
    return check(
      { ...withGpu(), candidates: [named, cu130], probe: { ...opens, mapped: mappedOf(named) } },
      {
        kind: 'notes',
        key: 'cuda-not-chosen',
        reason: /because LIBTORCH names a build without it, although cu130 is installed/,
        command: 'unset LIBTORCH',
      },
    );
  });

  it('reports that a build with CUDA does not load', async () => {
    const report = await examine({ ...withGpu(), candidates: [cu130, candidate()], probe: opens });
    assert.equal(report.cuda.reason, 'CUDA is not used, because the build cu130 does not load.');
    assert.deepEqual(keysOf(report), ['libtorch-skipped']);
  });

  it('knows nothing if nothing loads', async () => {
    const report = await examine({ ...withGpu(), probe: failure({ signal: 'SIGSEGV' }) });
    assert.match(report.cuda.reason, /is not known, because nothing could be loaded/);
  });
});

describe('doctor: CUDA is in this libtorch', () => {
  it('reports that it is used', () => {
    const device = { type: 'cuda', index: 0, name: 'NVIDIA H100', reason: 'the first of 1 that libtorch sees' };
    return check(
      { ...withGpu(), candidates: [cu130], probe: { ...unusable(cu130).probe, device } },
      { key: null, reason: /^CUDA is used: cuda:0 \(NVIDIA H100\), the first of 1 that libtorch sees\.$/ },
    );
  });

  it('without a driver: suggests the CPU build', () => {
    const { probe, ...rest } = unusable(cu130);
    return check(
      { ...rest, probe: { ...probe, libcuda: 'cannot open' } },
      {
        kind: 'warnings',
        key: 'cuda-no-driver',
        reason: /no NVIDIA driver/,
        command: 'npx torch-incremental libtorch install --variant cpu',
      },
    );
  });

  it('with devices and without the library: points to the container toolkit', () => {
    const { probe, ...rest } = unusable(cu130);
    return check(
      { ...withGpu(), ...rest, probe: { ...probe, libcuda: 'libcuda.so.1: cannot open' } },
      {
        kind: 'warnings',
        key: 'cuda-no-libcuda',
        reason: /device files exist, but the driver's library does not open \(libcuda\.so\.1: cannot open\)/,
        command: 'docker run --gpus all …',
        remedy: /NVIDIA Container Toolkit.*NVIDIA_DRIVER_CAPABILITIES/,
      },
    );
  });

  it('with the library and without devices: asks for the GPUs', () =>
    check(unusable(cu130), {
      kind: 'warnings',
      key: 'cuda-no-devices',
      reason: /library exists, but no GPU does/,
      command: 'docker run --gpus all …',
    }));

  it('hidden by CUDA_VISIBLE_DEVICES: reports that', async () => {
    for (const value of ['', '-1', 'NoDevFiles']) {
      const { machine, driver } = withGpu();
      await check(
        { machine: { ...machine, env: { CUDA_VISIBLE_DEVICES: value } }, driver, ...unusable(cu130) },
        {
          kind: 'warnings',
          key: 'cuda-hidden',
          reason: /CUDA_VISIBLE_DEVICES='.*' hides every GPU/,
          command: 'unset CUDA_VISIBLE_DEVICES',
        },
      );
    }
  });

  it('with its own libraries that do not open: names them, and suggests to reinstall the build', () => {
    const { probe, ...rest } = unusable(cu130);
    const cudaLibraries = 'libcublas.so.13: cannot open shared object file';
    return check(
      { ...withGpu(), ...rest, probe: { ...probe, info, cudaLibraries } },
      {
        kind: 'warnings',
        key: 'cuda-libraries',
        reason: /libraries for it do not open: libcublas\.so\.13/,
        command: 'npx torch-incremental libtorch install --variant cu130',
      },
    );
  });

  it('on a driver that is too old: names both versions, and a build that it runs', () =>
    check(
      { ...withGpu('550.54.14'), ...unusable(cu130) },
      {
        kind: 'warnings',
        key: 'driver-too-old',
        reason: /driver 550\.54\.14 is too old: CUDA 13\.0 needs 580\.65\.06 or newer/,
        command: 'npx torch-incremental libtorch install --variant cu128 --sha256 <hex>',
      },
    ));

  it('on a driver that is too old for every build: asks for a newer one', () =>
    check(
      { ...withGpu('470.57.02'), ...unusable(cu126) },
      {
        kind: 'warnings',
        key: 'driver-too-old',
        reason: /470\.57\.02 is too old: CUDA 12\.6 needs 525\.60\.13/,
        remedy: /^Install a newer driver\.$/,
      },
    ));

  it('on a GPU without kernels: names the GPUs that have them', () =>
    check(
      { ...withGpu('580.65.06', 'Tesla P100', '6.0'), ...unusable(cu130) },
      {
        kind: 'warnings',
        key: 'gpu-not-built',
        reason: /no kernels for the Tesla P100 \(compute capability 6\.0\); it has them for 7\.5, 8\.0/,
        command: 'npx torch-incremental libtorch install --variant cu128 --sha256 <hex>',
      },
    ));

  it('for any other reason: reports the message of libtorch', () =>
    check(
      { ...withGpu(), ...unusable(cu130, 'the GPU computes wrong results.') },
      {
        kind: 'warnings',
        key: 'cuda-unusable',
        reason: /^CUDA is not used: the GPU computes wrong results\.$/,
        command: 'nvidia-smi',
      },
    ));

  it('if training fails on the GPU only: warns, because the CPU works', async () => {
    const device = { type: 'cuda', index: 0, name: 'NVIDIA H100', reason: 'the first' };
    const { failure: failed } = failure({
      stage: 'convolution',
      on: 'cuda:0',
      message: 'CUDNN_STATUS_NOT_INITIALIZED',
    });
    const probe = { ...unusable(cu130).probe, trained: true, device, failure: failed };
    const report = await examine({ ...withGpu(), candidates: [cu130], probe });
    assert.equal(report.status, 'degraded');
    assert.match(found(report, 'cuda-fails').text, /a convolution and its gradient on cuda:0: CUDNN_STATUS/);
  });
});

describe('doctor: nvidia-smi and device files', () => {
  it('reads older versions of nvidia-smi, and works without it', async () => {
    const output = async (command, [query]) =>
      command === 'nvidia-smi' && !query.includes('compute_cap')
        ? '0, 470.1.2, Tesla K80\n1, 470.1.2, Tesla K80\n'
        : null;
    const old = (await examine({ machine: { output } })).cuda;
    assert.deepEqual(
      old.gpus,
      [0, 1].map((index) => ({ index, name: 'Tesla K80', computeCapability: null })),
    );
    assert.deepEqual(old.driver, { version: '470.1.2' });
    assert.equal((await examine()).cuda.gpus, null);
  });

  it('ignores a failing nvidia-smi that prints a sentence', async () => {
    const programs = { 'nvidia-smi': 'No devices were found\n' };
    const { gpus, driver } = (await examine({ machine: { programs } })).cuda;
    assert.deepEqual([gpus, driver], [[], null]);
  });

  it('knows which kernels run on which GPU: the same major version and no newer minor one', () => {
    for (const [built, gpu, runs] of [
      [['8.0', '9.0'], '8.9', true],
      [['8.6'], '8.0', false],
      [['8.0'], '9.0', false],
      [['10.0', '12.0'], '12.0', true],
      [['8.0'], null, true],
      [null, '3.5', true],
    ])
      assert.equal(nvidia.covers(built, gpu), runs, `${built} on ${gpu}`);
  });

  it("lists GPUs' device files, and nothing else in /dev", async () => {
    const files = Object.fromEntries(
      ['nvidia0', 'nvidia10', 'nvidiactl', 'nvidia-uvm', 'null', 'dxg'].map((name) => [`/dev/${name}`, '']),
    );
    const { devices } = (await examine({ machine: { files } })).cuda;
    assert.deepEqual(devices, ['/dev/nvidia0', '/dev/nvidia10', '/dev/dxg']);
  });
});
