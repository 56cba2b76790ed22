// lib/doctor.ts: it must tell the truth when everything works, and answer at all when nothing does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import probe from '../../dist/doctor/run-probe.js';
import doctor from '../../dist/doctor.js';

const { diagnose, formatReport } = doctor;
const { runProbe } = probe;

describe('doctor', () => {
  let folder;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-'));
  });

  after(() => fs.rmSync(folder, { recursive: true }));

  function script(text) {
    const file = path.join(folder, 'probe.js');
    fs.writeFileSync(file, text);
    return file;
  }

  it('finds nothing wrong with this checkout', async () => {
    const report = await diagnose({ probe: false });
    assert.deepEqual(report.problems, []);
    assert.equal(report.ok, true);
    assert.equal(report.addon.info.builtFor, report.libtorch.needed);
    assert.match(formatReport(report), /Everything works\.$/);
  });

  it('gives a report that survives JSON', async () => {
    const report = await diagnose({ probe: false });
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });

  it('answers when libtorch cannot be found, and says why', () => {
    const dist = fileURLToPath(new URL('../../dist/doctor.js', import.meta.url));
    const code = `require(${JSON.stringify(dist)}).diagnose().then((report) => console.log(JSON.stringify(report)))`;
    const env = { ...process.env, TORCH_INCREMENTAL_LIBTORCH: folder };
    const { stdout, status } = spawnSync(process.execPath, ['-e', code], { env, encoding: 'utf8' });
    assert.equal(status, 0);
    const report = JSON.parse(stdout);
    assert.equal(report.ok, false);
    assert.equal(report.libtorch.folder, null);
    assert.equal(report.addon.info, null);
    assert.match(report.problems.join('\n'), /TORCH_INCREMENTAL_LIBTORCH \(.*\): has no lib\/libtorch\.so/);
    assert.match(formatReport(report), /Problems:\n {2}- /);
  });

  it('trains a step in a process of its own and finds nothing wrong', async () => {
    const report = await diagnose();
    assert.deepEqual(report.problems, []);
    assert.ok(report.ok);
  });

  it('survives a probe that crashes, and says by which signal', async () => {
    const crash = "process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000);";
    const { info, error } = await runProbe(script(crash), false);
    assert.equal(info, null);
    assert.equal(error, 'killed by SIGSEGV while loading libtorch and the addon');
  });

  it('ends a probe that hangs', async () => {
    const hang = `console.log('{"stage":"loaded","info":{}}'); setInterval(() => {}, 1000);`;
    const { error, info } = await runProbe(script(hang), true, 500);
    assert.deepEqual(info, {});
    assert.equal(error, 'killed by SIGKILL in the training step');
  });

  it('does not take a probe for done that ended without its training step', async () => {
    const half = `console.log('{"stage":"loaded","info":{}}')`;
    assert.equal((await runProbe(script(half), false)).error, null);
    assert.equal((await runProbe(script(half), true)).error, 'ended without a result in the training step');
  });
});
