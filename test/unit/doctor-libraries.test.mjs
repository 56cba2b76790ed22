// Tests doctor on libraries: the ones they need, also of damaged files, and the missing ones.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import doctor from '../../dist/doctor/doctor.js';
import elf from '../../dist/doctor/elf.js';
import machineModule from '../../dist/doctor/machine.js';
import needs from '../../dist/doctor/missing-libraries.js';
import { temporaryFolder } from '../support.mjs';
import { candidate, examine, failure, found } from './doctor-support.mjs';

describe('doctor: needs of libraries', () => {
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

  it('reads the name, the needed libraries and the search paths', () => {
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

  it('refuses a truncated library of any length, and other files', () => {
    const whole = fs.readFileSync(compile('libwhole'));
    const end = whole.length - 64 * whole.readUInt16LE(60);
    for (const length of [0, 3, 63, 64, 100, 500, 3000, Math.floor(end / 2)]) {
      fs.writeFileSync(folder('cut.so'), whole.subarray(0, length));
      assert.throws(() => elf.readNeeds(folder('cut.so')), /is truncated|is not a 64-bit library/, `${length} bytes`);
    }
    fs.writeFileSync(folder('text.so'), 'INPUT(libc.so.6)'.repeat(20));
    assert.throws(() => elf.readNeeds(folder('text.so')), { code: 'ERR_FILE', message: 'is not a 64-bit library' });
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

  it('finds a library through RUNPATH, the RPATH of a parent, LD_LIBRARY_PATH, and one that is already open', async () => {
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
    // A RUNPATH is for the file's own needs; an RPATH also for those of the files it loads.
    for (const [dtags, expected] of [
      ['--enable-new-dtags', ['libdeep.so']],
      ['--disable-new-dtags', []],
    ]) {
      const top = compile('libtop', `-L${folder()}`, '-lwithout', `-Wl,-rpath,$ORIGIN:$ORIGIN/sub,${dtags}`);
      assert.deepEqual(await missingOf([top]), expected, dtags);
    }
  });

  it('names the missing library, the file that needs it, and the remedy', async () => {
    fs.mkdirSync(folder('made/lib'), { recursive: true });
    const gomp = compile('sub/libgomp', '-Wl,-soname,libgomp.so.1');
    compile('made/lib/libtorch', gomp);
    fs.rmSync(gomp);
    const own = candidate({ folder: folder('made') });
    const withoutLibgomp = {
      exists: (file) => !file.endsWith('/libgomp.so.1') && real.exists(file),
      output: async (...args) => (await real.output(...args))?.replace(/.*libgomp.*/g, '') ?? null,
    };
    const at = (changes) =>
      examine({ candidates: [own], machine: { ...real, ...withoutLibgomp, ...changes }, probe: failure() });
    const report = await at({});
    assert.deepEqual(report.libraries.missing, [{ library: 'libgomp.so.1', neededBy: 'libtorch.so' }]);
    assert.equal(found(report, 'library-missing').kind, 'problems');
    assert.match(found(report, 'library-missing').text, /libtorch\.so needs libgomp\.so\.1\./);
    assert.match(found(report, 'library-missing').remedy, /libgomp1/);
    // If the system's cache cannot be read, a missing library is shown, but is not a finding.
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
    // Doctor also counts the file itself and the dynamic linker.
    assert.ok(count >= names.length && count <= names.length + 2, `${count} found, ldd has ${names.length}`);
  });

  async function examineReal() {
    return (await doctor.diagnose({ probe: false })).report;
  }
});
