// Tests lib/libtorch/manifest.ts, driver.ts, cache.ts and lib/install/overview.ts: the builds, those that the driver runs, and the
// order in which they are tried.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import choiceModule from '../../dist/install/choice.js';
import overviewModule from '../../dist/install/overview.js';
import removeModule from '../../dist/install/remove-libtorch.js';
import cache from '../../dist/libtorch/cache.js';
import driver from '../../dist/libtorch/driver.js';
import manifest from '../../dist/libtorch/manifest.js';
import { root as repository, temporaryFolder } from '../support.mjs';

const { cacheCandidates, cacheRoot, choiceFile, findCacheRoot, libtorchIn, readChoice } = cache;
const { removeVariant } = removeModule;
const { writeChoice } = choiceModule;
const { askDriver, compareVersions, findDriver, runs } = driver;
const { defaultVariant } = overviewModule;
const { pin, unsupportedPlatform, variantsOf } = manifest;

describe('libtorch.json', () => {
  const archives = Object.values(variantsOf(pin, 'linux-x64')).flatMap((variant) => variant.archives);

  it('has a checksum and a size for each archive, or a note that they are unknown', () => {
    for (const { url, sha256, bytes, unpackedBytes, note } of archives) {
      if (sha256 === null) assert.deepEqual([bytes, typeof note], [null, 'string'], url);
      else {
        assert.match(sha256, /^[0-9a-f]{64}$/, url);
        assert.ok(bytes > 1000 && unpackedBytes > 1000, url);
      }
    }
  });

  it('names public addresses only, each once', () => {
    for (const { url } of archives) assert.match(url, /^https:\/\/(download\.pytorch\.org|files\.pythonhosted\.org)\//);
    assert.equal(new Set(archives.map(({ url }) => url)).size, archives.length);
  });

  it('keeps libtorch and its headers of every variant', () => {
    for (const [name, variant] of Object.entries(variantsOf(pin, 'linux-x64'))) {
      const members = variant.archives.flatMap((archive) => archive.members);
      const within = (file) => members.some((member) => `${file}/`.startsWith(`${member}/`));
      const base = variant.archives[0].strip || 'torch/';
      for (const file of ['lib/libtorch.so', 'lib/libtorch_cpu.so', 'lib/libc10.so', 'include/ATen/ATen.h'])
        assert.ok(within(base + file), `${name}: ${file}`);
      assert.equal(within(`${base}lib/libtorch_cuda.so`), variant.cuda !== null, name);
    }
  });

  it('reports that a planned platform is not built, and names the supported ones for others', () => {
    assert.equal(unsupportedPlatform(pin, 'linux-x64'), null);
    for (const name of ['linux-arm64', 'darwin-arm64', 'win32-x64']) {
      assert.equal(
        unsupportedPlatform(pin, name),
        `torch-incremental is not built for ${name} yet; it runs on linux-x64`,
      );
      assert.deepEqual(variantsOf(pin, name), {});
    }
    assert.equal(unsupportedPlatform(pin, 'aix-ppc64'), 'torch-incremental runs on linux-x64; this is aix-ppc64');
  });
});

describe('docs/install.md', () => {
  it('has a row for each build, with its driver, its GPUs and its size', () => {
    const text = fs.readFileSync(path.join(repository, 'docs/install.md'), 'utf8');
    for (const [name, { minDriver, gpuArchitectures, archives }] of Object.entries(variantsOf(pin, 'linux-x64'))) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      const known = archives.every(({ sha256 }) => sha256 !== null);
      const [, , , driver, fetched, , checksum] = row.split('|').map((cell) => cell.trim());
      assert.deepEqual([driver, checksum], [minDriver ?? '–', known ? 'known' : 'yours']);
      assert.ok(row.includes((gpuArchitectures ?? []).join(', ')), row);
      const total = archives.reduce((sum, { bytes }) => sum + bytes, 0);
      const size = total >= 1e9 ? `${(total / 1e9).toFixed(1)} GB` : `${(total / 1e6).toFixed(0)} MB`;
      assert.equal(fetched, known ? size : 'unknown');
    }
  });
});

describe('NVIDIA driver', () => {
  const folder = temporaryFolder();

  function findIn(text) {
    fs.writeFileSync(folder('version'), text);
    return findDriver(folder('version'), folder('no library'));
  }

  it("is known by the kernel module's version, of either kind of module", () => {
    const proprietary =
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version:  gcc 12.2.0\n';
    const open =
      'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder)\nGCC version:  gcc 13\n';
    assert.deepEqual(findIn(proprietary), { version: '535.129.03' });
    assert.deepEqual(findIn(open), { version: '580.65.06' });
  });

  it('may have no version, or not exist', () => {
    assert.deepEqual(findIn('something else'), { version: null });
    assert.equal(findDriver(folder('nothing'), folder('nothing')), null);
    assert.deepEqual(findDriver(folder('nothing'), folder('version')), { version: null });
  });

  it('is read from nvidia-smi if no file has its version', async () => {
    const { PATH } = process.env;
    try {
      process.env.PATH = folder();
      assert.equal(await askDriver(null), null);
      assert.deepEqual(await askDriver({ version: null }), { version: null });
      fs.writeFileSync(folder('nvidia-smi'), '#!/bin/sh\necho 550.54.14; echo 550.54.14\n', { mode: 0o755 });
      assert.deepEqual(await askDriver(null), { version: '550.54.14' });
      assert.deepEqual(await askDriver({ version: '1.2' }), { version: '1.2' });
      fs.writeFileSync(folder('nvidia-smi'), '#!/bin/sh\necho "NVIDIA-SMI has failed"; exit 9\n', { mode: 0o755 });
      assert.equal(await askDriver(null), null);
    } finally {
      process.env.PATH = PATH;
    }
  });

  it('decides which build is installed by default', () => {
    const known = variantsOf(pin, 'linux-x64');
    const variants = { ...known, cu128: { ...known.cu130, cuda: '12.8', minDriver: '525.60.13' } };
    for (const [version, expected] of [
      ['580.65.06', 'cu130'],
      ['570.1', 'cu128'],
      ['470.1', 'cpu'],
      [null, 'cu130'],
    ])
      assert.equal(defaultVariant(variants, { version }), expected, version);
    assert.equal(defaultVariant(variants, null), 'cpu');
    // Never one that would be refused for a missing checksum.
    assert.equal(defaultVariant(known, { version: '570.1' }), 'cpu');
  });

  it('runs builds that need its version or an older one', () => {
    assert.equal(compareVersions('580.65.06', '580.65.6'), 0);
    assert.ok(compareVersions('535.129.03', '525.60.13') > 0 && compareVersions('580.9', '580.65') < 0);
    assert.equal(runs('580.65.06', { version: '575.57.08' }), false);
    assert.equal(runs('525.60.13', { version: '575.57.08' }), true);
    assert.equal(runs('525.60.13', { version: null }), true);
    assert.equal(runs('525.60.13', null), false);
    assert.equal(runs(null, null), true);
  });
});

describe('cache of libtorch', () => {
  const folder = temporaryFolder();
  let root;

  beforeEach(() => {
    root = fs.mkdtempSync(folder('é cache-'));
  });

  const place = () => ({ root, platform: 'linux-x64' });
  const install = (variant, inside = '') =>
    fs.mkdirSync(path.join(root, `${pin.version}+${variant}`, inside, 'lib'), { recursive: true });
  const choose = (text) => fs.writeFileSync(choiceFile(place()), text);
  const order = (version) =>
    cacheCandidates(place(), version === undefined ? null : { version }).map(({ variant }) => variant);

  it('names the place of the CPU build even if it is empty', () => {
    assert.deepEqual(cacheCandidates(place(), null), [
      { variant: 'cpu', folder: path.join(root, `${pin.version}+cpu`), chosen: false },
    ]);
  });

  it('tries CUDA builds that the driver runs first, the newest before others, and the rest last', () => {
    for (const variant of ['cpu', 'cu126', 'cu128', 'cu130']) install(variant);
    assert.deepEqual(order('600.1'), ['cu130', 'cu128', 'cu126', 'cpu']);
    assert.deepEqual(order('550.54.14'), ['cu128', 'cu126', 'cpu', 'cu130']);
    assert.deepEqual(order('470.1'), ['cpu', 'cu130', 'cu128', 'cu126']);
    assert.deepEqual(order(undefined), ['cpu', 'cu130', 'cu128', 'cu126']);
  });

  it('finds libtorch in torch/ if libraries of NVIDIA are next to it', () => {
    install('cu130', 'torch');
    assert.equal(
      cacheCandidates(place(), { version: null })[0].folder,
      path.join(root, `${pin.version}+cu130`, 'torch'),
    );
    install('cu128');
    assert.equal(libtorchIn(path.join(root, `${pin.version}+cu128`)), path.join(root, `${pin.version}+cu128`));
  });

  it('tries the chosen variant or folder first', () => {
    for (const variant of ['cpu', 'cu130']) install(variant);
    choose('{"variant":"cpu"}');
    assert.deepEqual(
      cacheCandidates(place(), { version: null }).map(({ variant, chosen }) => [variant, chosen]),
      [
        ['cpu', true],
        ['cu130', false],
      ],
    );
    choose('{"folder":"/somewhere/torch"}');
    assert.deepEqual(cacheCandidates(place(), null)[0], { variant: null, folder: '/somewhere/torch', chosen: true });
    choose('{"variant":"cu128"}');
    assert.deepEqual(order(undefined), ['cu128', 'cpu', 'cu130']);
  });

  it('does not exist for a user without a home folder, and is not in the current folder', () => {
    const { HOME, XDG_CACHE_HOME } = process.env;
    const { homedir } = os;
    const isNowhere = () => {
      assert.equal(findCacheRoot(), null);
      assert.deepEqual(cacheCandidates(), []);
      assert.throws(cacheRoot, { name: 'LearnError', code: 'ERR_FILE', message: /HOME.*XDG_CACHE_HOME/ });
    };
    try {
      process.env.XDG_CACHE_HOME = 'relative';
      for (process.env.HOME of ['', 'relative']) isNowhere();
      os.homedir = () => {
        throw new Error('made up: no such user');
      };
      isNowhere();
      process.env.XDG_CACHE_HOME = root;
      assert.equal(findCacheRoot(), path.join(root, 'torch-incremental', 'libtorch'));
    } finally {
      os.homedir = homedir;
      Object.assign(process.env, { HOME, XDG_CACHE_HOME });
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
    }
  });

  it('removes a build, its unfinished download and the choice of it, and nothing else', async () => {
    for (const variant of ['cpu', 'cu126']) install(variant);
    fs.mkdirSync(path.join(root, `${pin.version}+cu126.parts`));
    await writeChoice({ variant: 'cu126' }, place());
    assert.equal(await removeVariant('cpu', place()), true);
    assert.deepEqual(readChoice(place()), { variant: 'cu126' });
    assert.equal(await removeVariant('cu126', place()), true);
    assert.deepEqual(fs.readdirSync(root), []);
    assert.equal(await removeVariant('cu126', place()), false);
    assert.equal(await removeVariant('cu126', { ...place(), root: path.join(root, 'nowhere') }), false);
    assert.deepEqual(fs.readdirSync(root), []);
  });

  it('lists an unreadable or damaged choice first, with its file and the reason', () => {
    const isBroken = (why, text) => {
      const [{ folder: file, chosen, broken }] = cacheCandidates(place(), null);
      assert.deepEqual([file, chosen], [choiceFile(place()), true], text);
      assert.match(broken, why);
      assert.equal(readChoice(place()), null);
    };
    for (const text of ['', 'null', '{', '{"variant":"../.."}', '{"folder":"relative"}', '[]']) {
      choose(text);
      isBroken(/is damaged$/, text);
    }
    fs.rmSync(choiceFile(place()));
    fs.mkdirSync(choiceFile(place()));
    isBroken(/^cannot be read: EISDIR/);
    fs.rmdirSync(choiceFile(place()));
    assert.deepEqual(order(undefined), ['cpu']);
  });
});
