// Tests installed packages in unusual places: odd paths, links, folders that cannot be written, a
// lockfile of another system, a registry with a broken file.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { which } from './machine.mjs';
import { copyOfProject, failureOf, install, libtorch, main, openProject, projectsFolder } from './project.mjs';
import { registry } from './registry.mjs';

describe('an installation', () => {
  const folder = projectsFolder();

  /** README's program learns something. */
  async function checkTrains(project, how) {
    const { code, stdout, stderr } = await project.node(['app.mjs'], how);
    assert.equal(code, 0, stderr);
    const [before, after] = /^accuracy (\S+) -> (\S+)$/m.exec(stdout).slice(1).map(Number);
    assert.ok(after > before, stdout);
  }

  /** Checks that doctor finds no problem. */
  async function checkWorks(project, how) {
    await checkTrains(project, how);
    const { code, stdout, stderr } = await project.bin(['doctor', '--json'], how);
    assert.deepEqual([code, JSON.parse(stdout).ok], [0, true], stdout + stderr);
  }

  it('works under a path with spaces and letters of several scripts', async function () {
    await checkWorks(await copyOfProject(this, folder('mit Leerzeichen/Üñí ✓ 日本語 %20 #1')));
  });

  it('works through a symbolic link to the project', async function () {
    const { folder: real } = await copyOfProject(this, folder('real'));
    fs.symlinkSync(real, folder('link'));
    await checkWorks(await openProject(this, folder('link')), { env: { PWD: folder('link') } });
  });

  for (const option of [[], ['--preserve-symlinks']]) {
    it(`works if the package is linked from another project, ${option[0] ?? 'with defaults'}`, async function () {
      const { folder: owner } = await copyOfProject(this, folder(`owner ${option}`));
      const project = await openProject(this, folder(`linking ${option}`));
      project.write('first', '');
      fs.mkdirSync(project.installed());
      fs.symlinkSync(path.join(owner, 'node_modules', main), project.installed(main));
      if (option.length > 0) {
        for (const name of fs.readdirSync(path.join(owner, 'node_modules')).filter((one) => one !== main))
          fs.symlinkSync(path.join(owner, 'node_modules', name), project.installed(name));
      }
      assert.equal(await failureOf(project, { options: option }), null);
    });
  }

  it('works if neither the package nor the home folder nor a cache can be written', async function () {
    const { folder: original } = await copyOfProject(this, folder('writable'));
    const project = await openProject(this, folder('read-only'));
    // Own files, because the permissions of shared ones would change for all tests.
    execFileSync('cp', ['-r', original, project.folder]);
    fs.mkdirSync(folder('home'));
    const asNobody =
      process.getuid() === 0 ? [which('setpriv'), '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
    if (asNobody.length > 0) execFileSync('chown', ['-R', '65534:65534', project.folder, folder('home')]);
    execFileSync('chmod', ['-R', 'a-w', project.installed(), folder('home')]);
    fs.chmodSync(folder(), 0o755);
    try {
      const touch = await project.node(['-e', `fs.writeFileSync(${JSON.stringify(project.installed('x'))}, '')`], {
        prefix: asNobody,
      });
      assert.match(touch.stderr, /EACCES/);
      const how = { prefix: asNobody, env: { HOME: folder('home') } };
      await checkTrains(project, how);
      const doctor = JSON.parse((await project.bin(['doctor', '--json'], how)).stdout);
      assert.deepEqual(doctor.problems, []);
      assert.deepEqual(doctor.warnings, []);
      assert.ok(doctor.notes.some(({ key }) => key === 'cache-not-writable'));
      assert.deepEqual(fs.readdirSync(folder('home')), []);
      // A folder that must first be tried in a child, and whose verdict cannot be remembered.
      const env = { HOME: folder('home'), TORCH_INCREMENTAL_LIBTORCH: project.installed(libtorch) };
      assert.equal(await failureOf(project, { prefix: asNobody, env }), null);
    } finally {
      execFileSync('chmod', ['-R', 'u+w', project.folder, folder('home')]);
    }
  });

  it('works from a lockfile that was written for another system', async function () {
    const elsewhere = ['--os=darwin', '--cpu=arm64'];
    const project = await install(this, folder('lockfile'), undefined, [['install', ...elsewhere, main]]);
    assert.ok(!fs.existsSync(project.installed(libtorch)));
    const error = await failureOf(project);
    assert.equal(error.code, 'ERR_LIBTORCH_NOT_FOUND');
    assert.match(error.remedies[0], /where a lockfile was written on another system/);
    const { code, stderr } = await project.manage(['ci']);
    assert.equal(code, 0, stderr);
    assert.equal(await failureOf(project), null);
  });

  /**
   * Runs `work` while one bit is changed in the file that the registry serves for a package: one of gzip's time, so that only
   * the checksum detects it. Elsewhere unpacking may fail first, with various messages.
   */
  async function whileBroken(test, name, work) {
    const { storage } = await registry(test);
    const tarball = fs.readdirSync(path.join(storage, name)).find((one) => one.endsWith('.tgz'));
    const file = path.join(storage, name, tarball);
    fs.renameSync(file, `${file}.whole`);
    const bytes = fs.readFileSync(`${file}.whole`);
    bytes[4] ^= 1;
    fs.writeFileSync(file, bytes);
    try {
      await work();
    } finally {
      fs.renameSync(`${file}.whole`, file);
    }
  }

  /** With an empty cache, from which npm could take the right file. */
  const installAnew = (name) => ['install', main, `--cache=${folder(`cache of ${name}`)}`];

  it('is refused by npm when the registry gives a broken file', async function () {
    await whileBroken(this, main, async () => {
      await assert.rejects(install(this, folder('broken'), undefined, [installAnew('broken')]), /EINTEGRITY/);
      assert.ok(!fs.existsSync(path.join(folder('broken'), 'node_modules', main)));
    });
  });

  it('that npm left without libtorch, because its file was broken, reports that, and npm install repairs it', async function () {
    let project;
    await whileBroken(this, libtorch, async () => {
      project = await install(this, folder('half'), undefined, [installAnew('half')]);
    });
    assert.match(project.said, /seems to be corrupted/);
    // npm removes a partly unpacked package while it still unpacks, so some files may be left.
    assert.match((await failureOf(project)).code, /^ERR_LIBTORCH_(NOT_FOUND|LOAD)$/);
    const doctor = await project.bin(['doctor', '--json']);
    assert.equal(doctor.code, 2, doctor.stdout);
    assert.match(doctor.stdout, /"registry-custom"/);
    fs.rmSync(project.installed(libtorch), { recursive: true, force: true });
    const again = await project.manage(['install']);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(await failureOf(project), null);
  });

  describe('on an unsupported system', () => {
    let project;

    before(async function () {
      project = await copyOfProject(this, folder('elsewhere'));
    });

    /** Changes the process's view of its machine before the package reads it. */
    const pretend = (code) => {
      project.write('pretend.cjs', code);
      return failureOf(project, { options: ['--require=./pretend.cjs'] });
    };

    it('names the system, and the supported ones', async () => {
      const error = await pretend("Object.defineProperty(process, 'platform', { value: 'freebsd' });");
      assert.equal(error.code, 'ERR_UNSUPPORTED_PLATFORM');
      assert.match(error.message, /runs on linux-x64; this is freebsd-x64/);
    });

    it('reports that a planned platform is not built yet', async () => {
      const error = await pretend("Object.defineProperty(process, 'arch', { value: 'arm64' });");
      assert.equal(error.code, 'ERR_UNSUPPORTED_PLATFORM');
      assert.match(error.message, /not built for linux-arm64 yet/);
    });

    const libc = (version) => `
      const report = process.report.getReport();
      report.header.glibcVersionRuntime = ${JSON.stringify(version)};
      process.report.getReport = () => report;
      process.dlopen = () => { throw Object.assign(new Error('symbol not found'), { code: 'ERR_DLOPEN_FAILED' }); };`;

    for (const [name, version] of [
      ['musl', undefined],
      ['glibc 2.27', '2.27'],
    ]) {
      it(`names the requirement instead of ${name}`, async () => {
        const error = await pretend(libc(version));
        assert.equal(error.code, 'ERR_UNSUPPORTED_PLATFORM');
        assert.match(error.message, new RegExp(`needs glibc 2\\.28 or newer.*this system has ${name}`));
      });
    }
  });
});
