// Makes machines for tests of doctor: a healthy one, in which each test changes something.
import path from 'node:path';
import doctor from '../../dist/doctor/doctor.js';
import used from '../../dist/doctor/used.js';
import candidatesModule from '../../dist/libtorch/candidates.js';
import manifest from '../../dist/libtorch/manifest.js';

export const { pin } = manifest;

const cpuFlags = 'fpu sse2 ssse3 sse4_1 sse4_2 popcnt cx16 avx avx2 fma avx512f';

export const healthyFiles = {
  '/etc/os-release': 'NAME=x\nPRETTY_NAME="Made Up Linux 1"\n',
  '/proc/cpuinfo': `processor : 0\nflags\t\t: ${cpuFlags}\n`,
  '/proc/self/maps': '7f00-7f01 r-xp 00000000 08:01 11   /usr/lib/libstdc++.so.6\n',
  '/pkg/build/Release/torch_incremental.node': '',
  '/pkg/build/Release/loader.node': '',
  '/cache/libtorch/2.13.0+cpu/version.py': '',
};

/** `files` are added to the healthy ones; `programs`: their output by name. */
export function machine({ files = {}, programs = {}, links = {}, ...rest } = {}) {
  const all = { ...healthyFiles, ...files };
  const isThere = (file) => Object.keys(all).some((name) => name === file || name.startsWith(`${file}/`));
  return {
    platform: 'linux',
    arch: 'x64',
    kernel: 'Linux 6.1.0',
    machine: 'x86_64',
    glibc: '2.36',
    env: {},
    cwd: '/app',
    home: '/home/user',
    prefix: '/usr',
    execArgv: [],
    versions: { node: '22.1.0', napi: '9' },
    isMainThread: true,
    cpuModel: 'Made Up CPU',
    threads: 4,
    memoryBytes: 16e9,
    freeMemoryBytes: 8e9,
    text: (file) => all[file] ?? null,
    list: (folder) => [
      ...new Set(
        Object.keys(all)
          .filter((name) => name.startsWith(`${folder}/`))
          .map((name) => name.slice(folder.length + 1).split('/')[0]),
      ),
    ],
    exists: isThere,
    realPath: (file) => links[file] ?? { '/usr/lib/libstdc++.so.6': '/usr/lib/libstdc++.so.6.0.30' }[file] ?? file,
    writable: () => true,
    freeBytes: async () => 50e9,
    folderBytes: () => 475e6,
    output: async (command) => programs[command] ?? null,
    ...rest,
  };
}

export const info = { builtFor: '2.13.0', cpuCapability: 'AVX512', parallel: '', threads: 4, cuda: false };

export const onCpu = (reason) => ({ type: 'cpu', reason, threads: 4, capability: 'AVX512' });

export function probe(changes = {}) {
  return {
    trained: false,
    stages: [{ stage: 'load', on: null, seconds: 0.5 }],
    info,
    device: onCpu('this libtorch is built without CUDA'),
    libcuda: 'libcuda.so.1: cannot open shared object file: No such file or directory',
    cudaLibraries: null,
    mapped: ['/cache/libtorch/2.13.0+cpu/lib/libtorch_cpu.so', '/cache/libtorch/2.13.0+cpu/lib/libgomp.so.1'],
    memoryBytes: 200e6,
    loss: null,
    failure: null,
    seconds: 1,
    ...changes,
  };
}

export function failure(changes = {}) {
  const common = {
    started: true,
    stage: 'load',
    on: null,
    message: 'made up',
    code: null,
    attempts: [],
    remedies: [],
    signal: null,
  };
  return { info: null, device: null, mapped: [], failure: { ...common, ...changes } };
}

export function candidate(changes = {}) {
  return {
    source: 'cache',
    variant: 'cpu',
    folder: '/cache/libtorch/2.13.0+cpu',
    explicit: false,
    undo: '',
    version: '2.13.0+cpu',
    problem: null,
    intact: true,
    ...changes,
  };
}

const names = ['loader', 'torch_incremental'];

/** Both compiled files in `folder`, which is the only place or the last of several. */
export function addonAt(source, folder, suffix = '.node', before = {}) {
  const places = Object.entries({ ...before, [source]: folder });
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        file: path.join(folder, name + suffix),
        places: places.map(([source, where]) => ({
          source,
          file: path.join(where, where === folder ? name + suffix : `${name}.node`),
        })),
      },
    ]),
  );
}

export const packageName = '@torch-incremental/libtorch-linux-x64-cpu';

/** `machine` and `probe` are changes to the healthy ones. */
export function context({ machine: own = {}, probe: ownProbe = {}, candidates = [candidate()], ...rest } = {}) {
  const made = machine(own);
  const tried = probe(ownProbe);
  return {
    machine: made,
    package: {
      name: 'torch-incremental',
      version: '9.9.9',
      engines: '>=20.19',
      napi: 9,
      root: '/pkg',
      pins: { [packageName]: '2.13.0' },
    },
    manifest: pin,
    platform: 'linux-x64',
    candidates,
    preferred: candidatesModule.preferredOf(candidates),
    chosen: used.usedOf(candidates, tried.mapped, made),
    pythonTorch: null,
    driver: null,
    addon: addonAt('compiled here', '/pkg/build/Release'),
    isCheckout: false,
    cacheRoot: '/cache/libtorch',
    probe: tried,
    ...rest,
  };
}

/** Returns doctor's report on it. */
export async function examine(changes) {
  return (await doctor.examine(context(changes))).report;
}

/** Returns the finding of that key as { kind, text, remedy }, or undefined. */
export function found(report, key) {
  for (const kind of ['problems', 'warnings', 'notes']) {
    const finding = report[kind].find((one) => one.key === key);
    if (finding) return { kind, ...finding };
  }
  return undefined;
}

export const keysOf = ({ problems, warnings, notes }) => [...problems, ...warnings, ...notes].map(({ key }) => key);
