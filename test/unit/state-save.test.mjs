// Tests saveState and checkWritable: a file is replaced atomically, or not at all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadState, saveState } from 'torch-incremental';
import { checkWritable } from '../../dist/files/atomic-write.js';
import { root, temporaryFolder } from '../support.mjs';

const golden = (name) => path.join(root, 'test/golden/checkpoints', name);
const isRoot = process.getuid() === 0;

describe('saveState', () => {
  const temporary = temporaryFolder();
  let state;
  let folder;
  let file;
  before(async () => {
    state = await loadState(golden('batch.norm.pth'));
  });
  beforeEach(() => {
    folder = fs.mkdtempSync(temporary('case '));
    file = path.join(folder, 'model.pth');
  });

  const modeOf = (of) => fs.statSync(of).mode & 0o777;

  it('creates a new file with the usual permissions', async () => {
    await saveState(state, file);
    fs.writeFileSync(path.join(folder, 'other'), '');
    assert.equal(modeOf(file), modeOf(path.join(folder, 'other')));
    assert.deepEqual(fs.readdirSync(folder).sort(), ['model.pth', 'other']);
  });

  it('keeps the permissions of the file that it replaces', async () => {
    fs.writeFileSync(file, 'old');
    for (const mode of [0o600, 0o666]) {
      fs.chmodSync(file, mode);
      await saveState(state, file);
      assert.equal(modeOf(file), mode);
      assert.ok((await loadState(file)).equals(state));
    }
  });

  it('replaces the target of a symbolic link, and keeps the link', async () => {
    fs.mkdirSync(path.join(folder, 'there'));
    fs.symlinkSync('there/real.pth', file);
    for (const _ of ['new', 'old']) {
      await saveState(state, file);
      assert.ok(fs.lstatSync(file).isSymbolicLink());
      assert.ok((await loadState(path.join(folder, 'there/real.pth'))).equals(state));
    }
  });

  it('writes the file it was loaded from', async () => {
    fs.copyFileSync(golden('sharing.pth'), file);
    const loaded = await loadState(file);
    await saveState(loaded, file);
    assert.ok((await loadState(file)).equals(loaded));
  });

  it('works for names that are long, hidden, beyond ASCII or without an extension', async () => {
    for (const name of [`${'ü'.repeat(120)}.pth`, '.pth', '...pth', 'größe 📦.pth', 'none']) {
      await saveState(state, path.join(folder, name));
      assert.ok((await loadState(path.join(folder, name))).equals(state), name);
    }
    assert.equal(fs.readdirSync(folder).length, 5);
  });

  it('leaves a complete file when many saves of one file run at once', async () => {
    const other = await loadState(golden('sharing.pth'));
    await Promise.all([state, other, state, other, state].map((one) => saveState(one, file)));
    const last = await loadState(file);
    assert.ok(last.equals(state) || last.equals(other));
    assert.deepEqual(fs.readdirSync(folder), ['model.pth']);
  });

  it('removes the file of a killed save once it is an hour old, and nothing else', async () => {
    const names = [
      '.model.pth.torch-incremental-1.tmp',
      '.model.pth.torch-incremental-2.tmp',
      '.other.pth.torch-incremental-1.tmp',
    ];
    for (const name of names) fs.writeFileSync(path.join(folder, name), 'part');
    const before = new Date(Date.now() - 61 * 60 * 1000);
    for (const index of [0, 2]) fs.utimesSync(path.join(folder, names[index]), before, before);
    await saveState(state, file);
    assert.deepEqual(fs.readdirSync(folder).sort(), [names[1], names[2], 'model.pth']);
  });

  it('removes at once the file of a process that has ended, but not of one with that id in another namespace', async function () {
    if (os.platform() !== 'linux') this.skip();
    const here = fs.readlinkSync('/proc/self/ns/pid');
    const temporaryOf = (namespace) => {
      const machine = createHash('sha256').update(`${os.hostname()} ${namespace}`).digest('hex').slice(0, 8);
      const name = `.model.pth.torch-incremental-${machine}-${2 ** 30}-0123456789ab.tmp`;
      fs.writeFileSync(path.join(folder, name), 'part');
      return name;
    };
    temporaryOf(here);
    const others = temporaryOf('pid:[1]');
    await saveState(state, file);
    assert.deepEqual(fs.readdirSync(folder).sort(), [others, 'model.pth'].sort());
  });

  it('leaves the old file when it is aborted before or during the save', async () => {
    fs.writeFileSync(file, 'old');
    const reason = new Error('enough');
    await assert.rejects(saveState(state, file, { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const saving = saveState(state, file, { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(saving, reason);
    assert.equal(fs.readFileSync(file, 'utf8'), 'old');
    assert.deepEqual(fs.readdirSync(folder), ['model.pth']);
  });

  it('leaves the old file and nothing else when the disk is full', () => {
    fs.copyFileSync(golden('names.pth'), file);
    // A limit on file sizes imitates a full disk: the system refuses to write in the same way.
    const script = `
      import { loadState, saveState } from 'torch-incremental';
      const state = await loadState(${JSON.stringify(golden('batch.norm.pth'))});
      const error = await saveState(state, ${JSON.stringify(file)}).catch((error) => error);
      console.log(JSON.stringify([error.code, error.message]));`;
    const command = 'ulimit -f 2; exec "$0" --input-type=module -e "$1"';
    const run = spawnSync('bash', ['-c', command, process.execPath, script], { cwd: root, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const [code, message] = JSON.parse(run.stdout);
    assert.equal(code, 'ERR_FILE');
    assert.match(message, /Cannot write to .*model\.pth: Cannot write .*File too large.*unchanged/);
    assert.ok(fs.readFileSync(file).equals(fs.readFileSync(golden('names.pth'))));
    assert.deepEqual(fs.readdirSync(folder), ['model.pth']);
  });

  it('refuses, as checkWritable does beforehand, a path that cannot be a file', async () => {
    const both = async (place, message) => {
      const failure = { code: 'ERR_FILE', message };
      await assert.rejects(checkWritable(place), failure);
      await assert.rejects(saveState(state, place), failure);
    };
    await both(path.join(folder, 'missing/model.pth'), /missing does not exist; make it with: mkdir -p/);
    await both(folder, /it is a folder; name a file in it/);
    await both('/dev/null', /a pipe or a device/);
    await both('/proc/model.pth', /ENOENT|No such file/);
    fs.writeFileSync(file, 'old');
    await both(path.join(file, 'model.pth'), /model\.pth is not a folder|ENOTDIR|does not exist/);
    if (!isRoot) {
      fs.chmodSync(file, 0o444);
      await both(file, /write-protected/);
      fs.chmodSync(folder, 0o555);
      await both(path.join(folder, 'new.pth'), /EACCES|Permission denied/);
      fs.chmodSync(folder, 0o755);
    }
    assert.equal(fs.readFileSync(file, 'utf8'), 'old');
  });

  it('passes checkWritable for a path that can be written, without leaving a trace', async () => {
    await checkWritable(file);
    assert.deepEqual(fs.readdirSync(folder), []);
    await saveState(state, file);
    await checkWritable(file);
  });

  it('refuses wrong arguments', async () => {
    const wrong = { code: 'ERR_INVALID_OPTION' };
    await assert.rejects(saveState({}, file), wrong);
    await assert.rejects(saveState(state, ''), wrong);
    await assert.rejects(saveState(state, file, { compress: true }), wrong);
  });
});
