// Makes small builds of libtorch and a manifest of them, which can be fetched and unpacked quickly.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import installModule from '../../dist/install/install-libtorch.js';
import sourcesModule from '../../dist/install/sources.js';
import manifest from '../../dist/libtorch/manifest.js';
import { deflated } from '../attacks/build.mjs';
import { temporaryFolder } from '../support.mjs';
import { zip } from './checkpoint-support.mjs';
import { FileServer } from './file-server.mjs';

export const { version } = manifest.pin;

const libraries = ['libtorch.so', 'libtorch_cpu.so', 'libc10.so'];

const madeUp = (name, times) => `made up ${name}`.repeat(times);

/** Libraries of the made-up builds below, as in a manifest. */
const sizes = (names, times) => Object.fromEntries(names.map((name) => [name, madeUp(name, times).length]));

/** Records of a wheel: those that are unpacked, and those for Python. */
export function wheelRecords(local = 'cpu', { cuda = false, version: own = version } = {}) {
  const names = cuda ? [...libraries, 'libtorch_cuda.so'] : libraries;
  return [
    ...names.map((name) => deflated([`torch/lib/${name}`, madeUp(name, 20_000)])),
    ['torch/lib/libtorch_python.so', 'not wanted'],
    ['torch/include/ATen/ATen.h', '#pragma once\n'],
    ['torch/version.py', `__version__ = '${own}+${local}'\n`],
    ['torch/nn/__init__.py', ''],
  ];
}

export const wheel = (...args) => zip(wheelRecords(...args));

/** Layout of PyTorch's zip of libtorch. */
export function libtorchZip(local = 'cu126', { cuda = true, version: own = version } = {}) {
  const names = cuda ? [...libraries, 'libtorch_cuda.so'] : libraries;
  return zip([
    ...names.map((name) => deflated([`libtorch/lib/${name}`, madeUp(name, 5000)])),
    ['libtorch/include/ATen/ATen.h', '#pragma once\n'],
    ['libtorch/build-version', `${own}+${local}\n`],
  ]);
}

/** Its libraries, as in a manifest. */
export const libtorchZipSizes = sizes([...libraries, 'libtorch_cuda.so'], 5000);

/** NVIDIA's libraries in a separate wheel. */
export const nvidiaWheel = () =>
  zip([deflated(['nvidia/cu13/lib/libcublas.so.13', 'made up'.repeat(10_000)]), ['nvidia/cu13/include/cublas.h', '']]);

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const wheelMembers = ['torch/lib/libtorch.so', 'torch/lib/libtorch_cpu.so', 'torch/lib/libc10.so', 'torch/include'];

/** A manifest whose archives are what `server`, a FileServer, then serves. */
export function madeUpManifest(server, base = server.url()) {
  const serve = (name, bytes) => {
    server.files.set(`/${name}`, bytes);
    const url = `${base}/${encodeURIComponent(name)}`;
    return { url, sha256: sha256(bytes), bytes: bytes.length, unpackedBytes: 3_000_000, pip: null };
  };
  const cpu = serve('torch-1+cpu.whl', wheel());
  const gpu = serve('torch-1.whl', wheel('cu130', { cuda: true }));
  const nvidia = serve('nvidia_cublas.whl', nvidiaWheel());
  const unchecked = serve('libtorch-1+cu126.zip', libtorchZip());
  const members = [...wheelMembers, 'torch/version.py'];
  return {
    version,
    platforms: {
      'linux-x64': {
        built: true,
        os: ['linux'],
        cpu: ['x64'],
        variants: {
          cpu: {
            ...variant(null, null, [{ ...cpu, strip: 'torch/', members }]),
            libraries: sizes(libraries, 20_000),
          },
          cu126: variant('12.6', '525.60.13', [
            { ...unchecked, sha256: null, note: 'not checked', bytes: null, unpackedBytes: null, ...flat },
          ]),
          cu130: variant('13.0', '580.65.06', [
            { ...gpu, strip: '', members: [...members, 'torch/lib/libtorch_cuda.so'] },
            { ...nvidia, strip: '', members: ['nvidia/cu13/lib'] },
          ]),
        },
      },
      'linux-arm64': { built: false, os: ['linux'], cpu: ['arm64'] },
    },
  };
}

const flat = { strip: 'libtorch/', members: ['libtorch/lib', 'libtorch/include', 'libtorch/build-version'] };

function variant(cuda, minDriver, archives) {
  return { cuda, minDriver, gpuArchitectures: null, archives };
}

export const fails = (work, code, message) => assert.rejects(work, { name: 'LearnError', code, message });

/** A server with made-up builds, and an empty cache for each test. Call in describe(). */
export function useMadeUpCache() {
  const made = { folder: temporaryFolder() };

  const { XDG_CACHE_HOME } = process.env;

  beforeEach(async () => {
    // It also contains the verdicts on builds that were tried in a child process.
    process.env.XDG_CACHE_HOME = fs.mkdtempSync(made.folder('cache '));
    made.server = await new FileServer().start();
    made.manifest = madeUpManifest(made.server);
    made.root = path.join(fs.mkdtempSync(made.folder('é ')), 'libtorch');
  });

  afterEach(() => {
    if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    return made.server.stop();
  });

  made.variantOf = (name) => made.manifest.platforms['linux-x64'].variants[name];
  made.target = (name) => path.join(made.root, `${version}+${name}`);
  made.left = () => fs.readdirSync(made.root).sort();
  /** `changes`: { from, sha256, mirror } or options of install(). */
  made.install = async (name, { from, sha256: given, mirror, ...changes } = {}) => {
    const variant = made.variantOf(name);
    const sources = await sourcesModule.sourcesOf(name, variant, { from, sha256: given, mirror });
    const place = { root: made.root, manifest: made.manifest, platform: 'linux-x64' };
    return installModule.install({ name, variant, sources, place, retryDelayMs: 1, ...changes });
  };
  return made;
}
