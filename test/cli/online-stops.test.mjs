// The end of `torch-incremental online`, and readers of its answers that are slow or gone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createState, loadState, net, saveState } from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { begin, endLeftovers, lessons, take } from './online-support.mjs';
import { lines } from './run.mjs';

describe('command line: online, interrupted or unread', () => {
  const at = temporaryFolder();
  const images = madeUpImages(100);
  const all = lessons(images);

  before(async () => {
    await saveState(await createState(net(), { seed: 0 }), at('net.pth'));
  });
  afterEach(endLeftovers);

  const online = (dir, ...args) => begin(['net.pth', '--dir', dir, '--batch-size', '16', ...args], { cwd: at() });
  const metricsOf = async (dir) =>
    (await begin(['--dir', dir], { cwd: at() }).finish({ metrics: true })).answers[0].metrics;

  for (const signal of ['SIGINT', 'SIGTERM']) {
    it(`on ${signal} learns and answers the lines that it has read, saves, and ends with exit code 130`, async () => {
      // The last 4 wait for company that would come in ten minutes.
      const command = online(signal, '--max-delay-ms', '600000', '--gate-every', '1', '--save', `${signal}.pth`);
      command.send(...all);
      await take(command.answers, 96);
      command.child.kill(signal);
      assert.equal((await take(command.answers, 4)).at(-1).id, 'image 99');
      const { code, stderr } = await command.ended;
      assert.equal(code, 130);
      const [stopping, learned, serves, ...more] = lines(stderr);
      assert.equal(stopping, `${signal}: stopping after the current step; interrupt again to stop at once`);
      assert.match(learned, /^Learned 100 samples in 7 updates; /);
      assert.equal(serves, `The newest version is 7; the learner is in ${signal}`);
      assert.deepEqual(more, []);
      const last = await loadState(at(`${signal}/versions/version-000000007.pth`));
      assert.ok((await loadState(at(`${signal}.pth`))).equals(last));
      assert.equal((await metricsOf(signal)).learned, 100);
    });
  }

  it('saves at the end of its input as well, and reports before anything else that it could not', async () => {
    const saving = online('saved', '--max-delay-ms', '600000', '--gate-every', '1', '--save', 'end.pth');
    assert.equal((await saving.finish(...all)).code, 0);
    assert.ok((await loadState(at('end.pth'))).equals(await loadState(at('saved/versions/version-000000007.pth'))));
    const { code, stderr } = await online('never', '--save', 'no/such/folder/x.pth').finish();
    assert.equal(code, 1);
    assert.match(stderr, /^error\[ERR_FILE\]: Cannot write to /);
    assert.ok(!fs.existsSync(at('never')));
  });

  it('stops at once when it is interrupted twice, and loses nothing that was answered', async () => {
    const command = online('twice', '--max-delay-ms', '20');
    command.send(...all);
    await take(command.answers, 50);
    command.child.kill('SIGINT');
    await command.says(/stopping/);
    command.child.kill('SIGINT');
    const { code, signal } = await command.ended;
    // Either the second one came in time, or the first had ended it.
    assert.ok(signal === 'SIGINT' || code === 130);
    assert.ok((await metricsOf('twice')).learned >= 50);
  });

  /** Of a process, in the system's ticks. */
  function processorTime({ pid }) {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  /** Sends lines until they are no longer read. Resolves with their number. */
  async function sendUntilStuck({ child }, most) {
    for (let sent = 0; sent < most; sent++) {
      const line = JSON.stringify({ ...JSON.parse(all[sent % all.length]), id: sent });
      if (child.stdin.write(`${line}\n`)) continue;
      const drained = once(child.stdin, 'drain');
      while (child.stdin.writableNeedDrain) {
        const before = processorTime(child);
        await Promise.race([drained, sleep(3000, undefined, { ref: false })]);
        // Before its first answer, or while it computes, it is only slow.
        const isIdle = child.stdout.readableLength > 0 && processorTime(child) === before;
        if (isIdle && child.stdin.writableNeedDrain) return sent + 1;
      }
    }
    return most;
  }

  it('pauses while its answers are not read, and continues when they are', async () => {
    const command = online('unread');
    const sent = await sendUntilStuck(command, 20_000);
    assert.ok(sent < 10_000, `${sent} lines were taken`);
    const answers = await take(command.answers, sent);
    assert.deepEqual(
      answers.map(({ id }) => id),
      Array.from(answers.keys()),
    );
    const { code } = await command.finish();
    assert.equal(code, 0);
    assert.equal((await metricsOf('unread')).learned, sent);
  });

  it('ends when it is interrupted while its answers are not read', async () => {
    const command = online('stuck', '--save', 'stuck.pth');
    await sendUntilStuck(command, 20_000);
    command.child.kill('SIGINT');
    await new Promise((resolve) => command.child.once('exit', resolve));
    assert.equal(command.child.exitCode, 130);
    const metrics = await metricsOf('stuck');
    assert.ok(metrics.learned >= 100);
    assert.ok(fs.existsSync(at('stuck.pth')));
  });

  it('ends quietly when the reader of its answers leaves, and keeps what it has learned', async () => {
    const command = online('left');
    command.send(...all);
    await take(command.answers, 1);
    command.child.stdout.destroy();
    command.send(...lessons(images, { first: 100 }));
    const { code, stderr } = await command.ended;
    assert.equal(code, 130);
    assert.equal(stderr, '');
    assert.ok((await metricsOf('left')).learned > 0);
  });

  it('ends with exit code 1 and the reason when the learner cannot continue', async () => {
    const command = online('full', '--max-delay-ms', '1');
    await command.ask(all[0]);
    // Nobody can write there any more.
    fs.rmSync(at('full'), { recursive: true });
    fs.writeFileSync(at('full'), '');
    command.send({ id: 1, input: [1], label: 0 }, ...all);
    const { code, stderr } = await command.ended;
    assert.equal(code, 1);
    assert.match(stderr, /^error\[ERR_JOURNAL\]: /);
    const [refused] = await take(command.answers, 1);
    assert.equal(typeof refused.error.code, 'string');
  });
});
