// Tests doctor on made-up systems: C libraries, processors, containers and their limits.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import candidates from '../../dist/libtorch/candidates.js';
import floors from '../../dist/libtorch/requirements.js';
import { examine, failure, found, keysOf } from './doctor-support.mjs';

const withFlags = (flags) => ({ machine: { files: { '/proc/cpuinfo': `flags\t: ${flags}\n` } } });

describe('doctor: the system', () => {
  it('finds nothing on a healthy machine', async () => {
    const report = await examine();
    assert.deepEqual(keysOf(report), []);
    assert.equal(report.status, 'ok');
    assert.equal(report.system.name, 'Made Up Linux 1, Linux 6.1.0');
    assert.deepEqual(report.system.libc, { name: 'glibc', version: '2.36' });
    assert.equal(report.system.libstdcxx, '3.4.30');
  });

  it('names musl, and the images with glibc', async () => {
    const report = await examine({
      machine: { glibc: undefined, files: { '/lib/ld-musl-x86_64.so.1': '' } },
      probe: failure({ code: 'ERR_UNSUPPORTED_PLATFORM' }),
    });
    assert.deepEqual(report.system.libc, { name: 'musl', version: null });
    const { kind, text, remedy } = found(report, 'musl');
    assert.equal(kind, 'problems');
    assert.match(text, /musl; libtorch needs glibc/);
    assert.match(remedy, /Debian or Ubuntu/);
    assert.equal(found(report, 'probe-failed'), undefined, 'said twice');
    assert.equal(report.status, 'unusable');
  });

  it('compares glibc with the floor, part by part', async () => {
    for (const [glibc, isOld] of [
      ['2.17', true],
      ['2.27', true],
      ['2.28', false],
      ['2.4', true],
      ['3.0', false],
    ])
      assert.equal(found(await examine({ machine: { glibc } }), 'glibc-too-old') !== undefined, isOld, glibc);
    assert.match(found(await examine({ machine: { glibc: '2.17' } }), 'glibc-too-old').text, /2\.17.* 2\.28 or newer/);
  });

  it('reads the version of the C++ library from its file name, and detects an old one', async () => {
    const links = { '/usr/lib/libstdc++.so.6': '/usr/lib/libstdc++.so.6.0.21' };
    const report = await examine({ machine: { links } });
    assert.equal(report.system.libstdcxx, '3.4.21');
    assert.match(found(report, 'libstdcxx-too-old').text, /GLIBCXX_3\.4\.21.*GLIBCXX_3\.4\.22/);
    const unknown = await examine({ machine: { links: { '/usr/lib/libstdc++.so.6': '/usr/lib/libstdc++.so.6' } } });
    assert.equal(unknown.system.libstdcxx, null);
    assert.deepEqual(keysOf(unknown), []);
  });

  it('has the minimum versions that libtorch itself needs', function () {
    const { folder } = candidates.libtorchCandidates().find(({ problem }) => problem === null);
    const newest = {};
    for (const name of ['libtorch_cpu.so', 'libc10.so', 'libgomp.so.1']) {
      const { stdout, status } = spawnSync('readelf', ['-VW', path.join(folder, 'lib', name)], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      if (status !== 0) this.skip();
      for (const [, kind, version] of stdout.matchAll(/Name: (GLIBC|GLIBCXX)_(\d[\d.]*)/g)) {
        const isNewer = !newest[kind] || version.localeCompare(newest[kind], 'en', { numeric: true }) > 0;
        if (isNewer) newest[kind] = version;
      }
    }
    assert.deepEqual(newest, { GLIBC: floors.glibcFloor, GLIBCXX: floors.libstdcxxFloor });
  });

  it('names the supported platforms on another one', async () => {
    const { kind, text } = found(await examine({ platform: 'linux-arm64' }), 'platform-unsupported');
    assert.equal(kind, 'problems');
    assert.match(text, /not built for linux-arm64 yet; it runs on linux-x64/);
  });

  it('detects containers', async () => {
    const containerOf = async (own) => (await examine({ machine: own })).system.container;
    assert.equal(await containerOf({}), null);
    assert.match(await containerOf({ files: { '/.dockerenv': '' } }), /Docker/);
    assert.match(await containerOf({ files: { '/run/.containerenv': '' } }), /Podman/);
    assert.match(await containerOf({ files: { '/proc/1/cgroup': '5:cpu:/kubepods/burstable/x\n' } }), /kubepods/);
    assert.match(await containerOf({ env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }), /Kubernetes/);
    assert.match(
      await containerOf({ files: { '/proc/sys/kernel/osrelease': '5.15-microsoft-standard-WSL2' } }),
      /Subsystem for Linux/,
    );
  });
});

describe('doctor: the processor', () => {
  it('lists the instructions that libtorch has kernels for', async () => {
    const { processor } = await examine(withFlags('ssse3 sse4_1 sse4_2 popcnt cx16 avx2 fma avx512_bf16 amx_bf16 aes'));
    assert.deepEqual(processor.instructions, ['SSE4.2', 'AVX2', 'FMA', 'AVX512_BF16', 'AMX_BF16']);
  });

  it('reports one below the minimum as the reason of a failed trial, and warns if the trial worked', async () => {
    const old = withFlags('ssse3 sse4_1 popcnt cx16');
    const works = found(await examine(old), 'processor-too-old');
    assert.equal(works.kind, 'warnings');
    assert.match(works.text, /does not have .*: sse4_2\. The trial worked/);
    const fails = await examine({ ...old, probe: failure({ signal: 'SIGILL', message: 'killed by SIGILL' }) });
    assert.equal(found(fails, 'processor-too-old').kind, 'problems');
    assert.equal(found(fails, 'processor-instruction').kind, 'problems');
  });

  it('notes that AVX2 is hidden or missing', async () => {
    const report = await examine(withFlags('ssse3 sse4_1 sse4_2 popcnt cx16 avx'));
    assert.deepEqual(keysOf(report), ['no-avx2']);
    assert.equal(report.status, 'ok');
  });

  it('reports nothing about an unknown processor', async () => {
    const report = await examine({ machine: { files: { '/proc/cpuinfo': 'Processor: odd\n' } } });
    assert.equal(report.processor.instructions, null);
    assert.deepEqual(keysOf(report), []);
  });
});

describe('doctor: limits of control groups', () => {
  const memoryOf = async (files, rest = {}) => (await examine({ machine: { files, ...rest } })).memory;

  it('reads both versions, and the tightest limit on the way up', async () => {
    const second = await memoryOf({
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/b/memory.max': 'max\n',
      '/sys/fs/cgroup/a/memory.max': '2000000000\n',
      '/sys/fs/cgroup/a/b/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/a/cpu.max': 'max 100000\n',
    });
    assert.deepEqual([second.limitBytes, second.processors], [2e9, 1.5]);
    const first = await memoryOf({
      '/proc/self/cgroup': '4:memory:/x\n3:cpu,cpuacct:/x\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '3000000000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '100000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '50000\n',
    });
    assert.deepEqual([first.limitBytes, first.processors], [3e9, 2]);
  });

  it('treats max, -1 and more than the memory as no limit', async () => {
    const { limitBytes, processors } = await memoryOf({
      '/proc/self/cgroup': '4:memory:/\n3:cpu:/\n0::/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu.max': 'max 100000\n',
    });
    assert.deepEqual([limitBytes, processors], [null, null]);
  });

  it('warns of a memory limit near the needs of libtorch, and notes more threads than processors', async () => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': '300000000\n',
      '/sys/fs/cgroup/cpu.max': '150000 100000\n',
    };
    const report = await examine({ machine: { files } });
    assert.match(found(report, 'memory-limit-low').text, /300\.0 MB of memory.* took 200\.0 MB/);
    assert.match(found(report, 'threads-over-limit').remedy, /threads: 2/);
    assert.equal(report.status, 'degraded');
  });
});
