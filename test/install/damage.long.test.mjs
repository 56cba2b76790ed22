// Tests an installed package with a missing or damaged libtorch, or one of another version: the process continues, with an error that
// has a code and lists attempts and remedies.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { copyOfProject, failureOf, install, libtorch, main, projectsFolder, sharedProject } from './project.mjs';

describe('an installed package', () => {
  const folder = projectsFolder();
  let project;
  let count = 0;

  beforeEach(async function () {
    project = await copyOfProject(this, folder(`${++count}`));
  });

  const inLibtorch = (...names) => path.join('node_modules', libtorch, ...names);

  /** Checks the fields of every such error. */
  function checkError({ name, message, attempts, remedies, isLearnError }, { source = libtorch, reason, remedy }) {
    assert.deepEqual([name, isLearnError], ['LearnError', true]);
    const attempt = attempts.find((one) => one.source === source);
    assert.match(attempt.reason, reason);
    assert.match(remedies.join('\n'), remedy);
    for (const text of [attempt.reason, ...remedies, 'npx torch-incremental doctor'])
      assert.ok(message.includes(text), text);
  }

  it('without its optional dependency names the command that installs it, and works afterwards', async function () {
    const bare = await install(this, folder('omit'), undefined, [['install', '--omit=optional', main]]);
    assert.ok(!fs.existsSync(bare.installed(libtorch)));
    const error = await failureOf(bare);
    assert.equal(error.code, 'ERR_LIBTORCH_NOT_FOUND');
    checkError(error, { reason: /^not installed$/, remedy: /--omit=optional/ });
    const [command] = /npm (install \S+)(?=:)/.exec(error.remedies[0]).slice(1);
    assert.equal((await bare.manage(command.split(' '))).code, 0);
    assert.equal(await failureOf(bare), null);
  });

  it('with another version of libtorch names both', async () => {
    const { version } = JSON.parse(fs.readFileSync(project.installed(libtorch, 'package.json'), 'utf8'));
    project.write(inLibtorch('version.py'), "__version__ = '2.9.1+cpu'\n");
    const error = await failureOf(project);
    assert.equal(error.code, 'ERR_LIBTORCH_VERSION');
    checkError(error, {
      reason: new RegExp(`is version 2\\.9\\.1\\+cpu; ${version} is needed`),
      remedy: /install again/,
    });
    assert.deepEqual(error.attempts.at(-1).found, '2.9.1+cpu');
  });

  const library = inLibtorch('lib', 'libtorch_cpu.so');
  /** The head of a shared library for 64-bit ARM. */
  const foreign = Buffer.alloc(4096);
  foreign.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 183, 0, 1]);

  const damages = {
    'cut to half its length': (name, size) => cut(name, Math.floor(size / 2)),
    'cut to nothing': (name) => project.write(name, ''),
    'replaced by a text': (name) => project.write(name, 'version https://git-lfs.github.com/spec/v1\n'),
    "replaced by another processor's": (name) => project.write(name, foreign),
  };

  function cut(name, length) {
    const file = path.join(project.folder, name);
    const bytes = Buffer.alloc(length);
    const from = fs.openSync(file);
    fs.readSync(from, bytes, 0, length, 0);
    fs.closeSync(from);
    project.write(name, bytes);
  }

  for (const [what, damage] of Object.entries(damages)) {
    it(`whose libtorch_cpu.so was ${what} reports that and the remedy`, async () => {
      const { size } = fs.statSync(path.join(project.folder, library));
      damage(library, size);
      const error = await failureOf(project);
      assert.equal(error.code, 'ERR_LIBTORCH_LOAD');
      checkError(error, { reason: /lib\/libtorch_cpu\.so has \d+ bytes instead of \d+/, remedy: /install again/ });
    });

    it(`with a chosen folder whose libtorch_cpu.so was ${what} refuses it, and survives`, async () => {
      const { size } = fs.statSync(path.join(project.folder, library));
      damage(library, size);
      const named = path.join(project.folder, inLibtorch());
      const error = await failureOf(project, { env: { TORCH_INCREMENTAL_LIBTORCH: named } });
      assert.equal(error.code, 'ERR_LIBTORCH_LOAD');
      checkError(error, {
        source: 'TORCH_INCREMENTAL_LIBTORCH',
        reason: /does not load: .*libtorch_cpu\.so|ends the process \(SIG\w+\) when it is loaded/,
        remedy: /unset TORCH_INCREMENTAL_LIBTORCH/,
      });
      assert.equal(error.attempts.length, 1);
    });
  }

  it('whose libtorch.so has other content of the same length reports the error of the dynamic linker', async () => {
    const name = inLibtorch('lib', 'libtorch.so');
    const bytes = fs.readFileSync(path.join(project.folder, name));
    bytes[18] = 183; // the processor: 64-bit ARM
    project.write(name, bytes);
    const error = await failureOf(project);
    assert.equal(error.code, 'ERR_LIBTORCH_LOAD');
    checkError(error, { reason: /does not load: .*libtorch\.so: .*/, remedy: /install again/ });
  });

  it('reports the damage in doctor, which exits with code 2', async () => {
    project.write(library, '');
    const { code, stdout } = await project.bin(['doctor', '--json']);
    assert.equal(code, 2);
    const { status, libtorch: found } = JSON.parse(stdout);
    assert.equal(status, 'unusable');
    const { problem } = found.candidates.find(({ source }) => source === libtorch);
    assert.match(problem.text, /lib\/libtorch_cpu\.so has 0 bytes instead of \d+/);
  });

  it('in a Node that may load no addons says which option that is', async function () {
    const error = await failureOf(await sharedProject(this), { options: ['--no-addons'] });
    assert.equal(error.code, 'ERR_LIBTORCH_LOAD');
    assert.match(error.message, /Node was started without addons/);
    assert.match(error.remedies.join(), /without --no-addons/);
  });
});
