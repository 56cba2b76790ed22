// Loads libtorch in a fresh process, from a copy of this package as it is installed and from a made-up libtorch. For the
// tests of lib/libtorch/load.ts: an opened library stays open, so each load needs its own process.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import candidates from '../../dist/libtorch/candidates.js';
import manifest from '../../dist/libtorch/manifest.js';
import { outcomeOf } from '../cli/run.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folder of the libtorch that the tests run with. */
export const real = candidates.libtorchCandidates().find(({ problem }) => problem === null)?.folder;

export function isRunning(pid) {
  try {
    return !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Sets up and removes the fixtures of the current suite. */
export function loadingLibtorch() {
  const it = {
    /** Emptied after each test. */
    folder: '',
    /** Folder in it with the right version but without libraries. */
    fake: '',
    /** dist/ of a copy, as in an installed package: a checkout has the platform's package as a workspace. */
    dist: '',

    sayVersion(version) {
      fs.writeFileSync(path.join(it.fake, 'version.py'), `from typing import Optional\n__version__ = '${version}'\n`);
    },

    /** Loads libtorch in a fresh process, after `before`. Returns { folder } or { code, message, … }. */
    load(env, before = '') {
      return answerOf(spawnSync(process.execPath, ['-e', script(before)], { env: clean(env), encoding: 'utf8' }));
    },

    /** The fresh process itself, whose output is the result. */
    start: (env) => spawn(process.execPath, ['-e', script('')], { env: clean(env) }),

    answer: async (child) => answerOf(await outcomeOf(child)),

    /** Replaces only libtorch_global_deps.so of the real libtorch, the first library that is opened, by one that runs `code`. */
    withFirstLibrary(context, code) {
      for (const name of fs.readdirSync(path.join(real, 'lib'))) {
        fs.rmSync(path.join(it.fake, 'lib', name), { force: true });
        if (name !== 'libtorch_global_deps.so')
          fs.symlinkSync(path.join(real, 'lib', name), path.join(it.fake, 'lib', name));
      }
      const source = path.join(it.folder, 'first.cc');
      const head = '#include <unistd.h>\n#include <cstdio>\n#include <cstdlib>\n';
      fs.writeFileSync(source, `${head}__attribute__((constructor)) static void run() { ${code} }`);
      const output = path.join(it.fake, 'lib/libtorch_global_deps.so');
      if (spawnSync('c++', ['-shared', '-fPIC', source, '-o', output]).status !== 0) context.skip();
    },

    /** The same, which reports that it began and then waits for goOn(). */
    withWaitingLibrary(context) {
      it.withFirstLibrary(
        context,
        `FILE* file = fopen("${pidFile()}", "w"); fprintf(file, "%d\\n", getpid()); fclose(file);
         while (access("${goFile()}", F_OK) != 0) usleep(10000);`,
      );
    },

    /** The process in which it waits. */
    async waitingProcess() {
      const pid = () => Number(fs.existsSync(pidFile()) && fs.readFileSync(pidFile(), 'utf8').trim());
      while (!pid()) await sleep(10);
      return pid();
    },

    goOn: () => fs.writeFileSync(goFile(), ''),
  };

  function answerOf({ stdout, stderr }) {
    assert.equal(stderr, '');
    return JSON.parse(stdout);
  }

  const pidFile = () => path.join(it.folder, 'pid');
  const goFile = () => path.join(it.folder, 'continue');

  const script = (before) => `
    try {
      ${before}
      const folder = require(${JSON.stringify(path.join(it.dist, 'libtorch/load.js'))}).loadLibtorch();
      console.log(JSON.stringify({ folder }));
    } catch (error) {
      const { code, message, attempts, remedies } = error;
      console.log(JSON.stringify({ code, message, attempts, remedies }));
    }`;

  function clean(env) {
    const { TORCH_INCREMENTAL_LIBTORCH, LIBTORCH, TORCH_INCREMENTAL_BYPASS_VERSION_CHECK, ...rest } = process.env;
    const addon = path.join(root, 'build', 'Release');
    return { ...rest, TORCH_INCREMENTAL_ADDON: addon, XDG_CACHE_HOME: path.join(it.folder, 'no cache'), ...env };
  }

  before(() => {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'torch incremental copy-'));
    for (const name of ['dist', 'libtorch.json', 'package.json'])
      fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
    it.dist = path.join(copy, 'dist');
  });

  after(() => fs.rmSync(path.dirname(it.dist), { recursive: true }));

  beforeEach(() => {
    it.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch incremental é-'));
    it.fake = path.join(it.folder, 'libtorch');
    fs.mkdirSync(path.join(it.fake, 'lib'), { recursive: true });
    for (const name of ['libtorch.so', 'libtorch_cpu.so', 'libc10.so'])
      fs.writeFileSync(path.join(it.fake, 'lib', name), 'no library');
    it.sayVersion(`${manifest.pin.version}+cpu`);
  });

  afterEach(() => fs.rmSync(it.folder, { recursive: true }));
  return it;
}
