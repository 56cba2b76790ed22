// Saving, interrupted at any of 200 moments: the file is the old one or the new one, complete, and the next save removes the remains of
// the interrupted one.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createState, loadState, net, saveState } from 'torch-incremental';
import { needsPrlimit, root, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/lifetime/fixtures/save.mjs');
const kills = 60;
const limits = 140;

describe('a save that is interrupted', () => {
  const at = temporaryFolder();
  const states = [];
  before(async () => {
    fs.mkdirSync(at('out'));
    for (const [seed, name] of ['a.pth', 'b.pth'].entries()) {
      states.push(await createState(net(), { seed }));
      await saveState(states[seed], at(name));
    }
  });

  it(`by SIGKILL leaves the old file or the new one, ${kills} times`, async () => {
    const target = at('out/killed.pth');
    for (let i = 0; i < kills; i++) {
      const child = spawn(process.execPath, [script, at('a.pth'), at('b.pth'), target, 'kill']);
      await new Promise((resolve) => child.stdout.once('data', resolve));
      // A save takes a few milliseconds.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
      const found = await loadState(target);
      assert.ok(found.equals(states[0]) || found.equals(states[1]));
      found.dispose();
    }
    // Each child's first save has taken away what the one before it had left; this one takes away the last.
    await saveState(states[0], target);
    assert.deepEqual(fs.readdirSync(at('out')), ['killed.pth']);
  });

  it(`by a full disk leaves the old file, ${limits} times`, function () {
    needsPrlimit(this);
    const target = at('out/limited.pth');
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [script, at('a.pth'), at('b.pth'), target, 'limits', String(limits)],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
    let before = 'a';
    const outcomes = stdout.trim().split('\n').map(JSON.parse);
    for (const { outcome, now } of outcomes) {
      if (outcome.length > 1) assert.match(outcome, /^ERR_FILE Cannot write to .*The previous content is unchanged/);
      else before = outcome;
      assert.equal(now, before);
    }
    assert.equal(outcomes.length, limits);
    assert.ok(
      outcomes.some(({ outcome }) => outcome.length > 1) && outcomes.some(({ outcome }) => outcome.length === 1),
    );
    assert.deepEqual(fs.readdirSync(at('out')).sort(), ['killed.pth', 'limited.pth']);
  });
});
