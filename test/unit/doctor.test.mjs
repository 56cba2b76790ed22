// lib/doctor/doctor.ts on this machine: it must be right when everything works, and answer at all when nothing does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import doctor from '../../dist/doctor/doctor.js';
import runProbeModule from '../../dist/doctor/probe/run.js';
import text from '../../dist/doctor/report-text.js';
import { root, temporaryFolder } from '../support.mjs';

const { diagnose } = doctor;
const { formatReport } = text;
const { runProbe } = runProbeModule;

describe('doctor', () => {
  const folder = temporaryFolder();

  function script(text) {
    fs.writeFileSync(folder('probe.js'), text);
    return folder('probe.js');
  }

  async function contentsOf(file) {
    while (!fs.existsSync(file) || fs.statSync(file).size === 0) await setTimeout(10);
    return fs.readFileSync(file, 'utf8');
  }

  it('finds no problem on this machine, and loads libtorch and the addon', async () => {
    const diagnosis = await diagnose({ probe: false });
    const { report } = diagnosis;
    assert.deepEqual(report.problems, []);
    assert.equal(report.format, 1);
    assert.equal(report.addon.info.builtFor, report.libtorch.needed);
    assert.ok(report.libtorch.folder);
    assert.deepEqual(report.libraries.missing, []);
    assert.ok(report.libraries.found >= 8, `${report.libraries.found} libraries`);
    assert.ok(report.foreign.libtorch.some((file) => file.startsWith(report.libtorch.folder)));
    assert.deepEqual(report.foreign.otherLibtorch, []);
    assert.ok(report.memory.probeBytes > 50e6);
    assert.match(report.cuda.reason, /^CUDA is (not )?used/);
    assert.match(formatReport(diagnosis), /Everything loads\.$|not everything works as it should: see the warnings\.$/);
  });

  it('gives a report that survives JSON', async () => {
    const { report } = await diagnose({ probe: false });
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });

  it('computes, trains a step and writes a .pth in a process of its own', async () => {
    const { report } = await diagnose();
    assert.deepEqual(report.problems, []);
    const stages = report.probe.stages.map(({ stage, on }) => (on === null ? stage : `${stage} ${on}`));
    const onCpu = ['product cpu', 'convolution cpu', 'step cpu', 'file cpu'];
    assert.deepEqual(stages.slice(0, 7), ['driver', 'load', 'device', ...onCpu]);
    assert.ok(report.probe.stages.every(({ seconds }) => seconds >= 0));
    assert.ok(report.probe.loss > 0);
  });

  it('survives a probe that crashes, and says by which signal and where', async () => {
    const crash = `console.log('{"begin":"load","on":null}'); process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000);`;
    const { info, failure } = await runProbe(script(crash), { train: false });
    assert.equal(info, null);
    assert.deepEqual([failure.message, failure.stage, failure.signal], ['killed by SIGSEGV', 'load', 'SIGSEGV']);
  });

  it('ends a probe that hangs, and keeps what it said before', async () => {
    const hang = `console.log('{"end":"load","info":{}}\\n{"begin":"step","on":"cpu"}'); setInterval(() => {}, 1000);`;
    let timeoutMs = 500;
    const probe = () => runProbe(script(hang), { train: true, timeoutMs });
    let answer = await probe();
    // Node may take longer than that to start and print.
    while (answer.info === null && timeoutMs < 60_000) {
      timeoutMs *= 2;
      answer = await probe();
    }
    const { failure, info } = answer;
    assert.deepEqual(info, {});
    assert.deepEqual([failure.stage, failure.on, failure.signal], ['step', 'cpu', null]);
    assert.ok(failure.message.includes(`still ran after ${timeoutMs / 1000} s`), failure.message);
  });

  it('reports that no probe was started where the system has no files left for pipes, and keeps no process waiting', () => {
    const code = `
      const { runProbe } = require(${JSON.stringify(path.join(root, 'dist/doctor/probe/run.js'))});
      const { openSync } = require('node:fs');
      try {
        for (;;) openSync('/dev/null');
      } catch {}
      runProbe('never', { train: false }).then(({ failure }) => console.log(failure.started, failure.message));`;
    const shell = ['-c', 'ulimit -n 100; exec "$1" -e "$2"', 'sh', process.execPath, code];
    const { stdout, stderr } = spawnSync('sh', shell, { encoding: 'utf8', timeout: 60_000 });
    assert.match(stdout, /^false .* EMFILE\n$/, stderr);
  });

  it('does not take a probe for done that ended without saying so', async () => {
    const half = `console.log('{"begin":"load"}\\n{"end":"load","info":{}}')`;
    assert.equal((await runProbe(script(half), { train: false })).failure.message, 'ended without a result');
    assert.equal((await runProbe(script(`${half};console.log('{"done":true}')`), { train: false })).failure, null);
  });

  it('keeps the code and the remedies of what a probe threw', async () => {
    const line = { failed: 'load', message: 'no libtorch', code: 'ERR_LIBTORCH_NOT_FOUND', remedies: ['install it'] };
    const failing = `console.log('{"begin":"load"}'); console.log(${JSON.stringify(JSON.stringify(line))}); process.exitCode = 1;`;
    const { failure } = await runProbe(script(failing), { train: false });
    assert.deepEqual(
      [failure.message, failure.code, failure.remedies],
      ['no libtorch', 'ERR_LIBTORCH_NOT_FOUND', ['install it']],
    );
  });

  it('ends the process when it is aborted, and rejects with the reason', async () => {
    const stop = new AbortController();
    const waiting = `require('fs').writeFileSync(__dirname + '/pid', String(process.pid)); setInterval(() => {}, 1000);`;
    const running = runProbe(script(waiting), { train: false, signal: stop.signal });
    const pid = Number(await contentsOf(folder('pid')));
    stop.abort(new Error('enough'));
    await assert.rejects(running, { message: 'enough' });
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  it('takes away what the probe wrote, however that ended', async () => {
    const write = `
      const fs = require('node:fs');
      const [, , , folder] = process.argv;
      fs.mkdirSync(folder);
      fs.writeFileSync(folder + '/state.pth', 'half');
      fs.writeFileSync(__dirname + '/folder.new', folder);
      fs.renameSync(__dirname + '/folder.new', __dirname + '/folder');`;
    const stop = new AbortController();
    for (const end of ['', "process.kill(process.pid, 'SIGKILL');", 'setInterval(() => {}, 1000);']) {
      fs.rmSync(folder('folder'), { force: true });
      const running = runProbe(script(write + end), { train: true, signal: stop.signal });
      const written = await contentsOf(folder('folder'));
      assert.match(path.basename(written), /^torch-incremental-doctor-/);
      if (end.startsWith('setInterval')) stop.abort(new Error('enough'));
      await running.catch((error) => assert.equal(error.message, 'enough'));
      assert.ok(!fs.existsSync(written));
    }
  });

  it("quotes an uncaught error's message, without its stack", async () => {
    const { failure } = await runProbe(script("throw new TypeError('made up')"), { train: false });
    assert.equal(failure.message, 'exit code 1:\nTypeError: made up');
    assert.equal(failure.stage, null);
  });
});
