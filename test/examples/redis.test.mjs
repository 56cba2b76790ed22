// examples/redis-streams against a Redis of its own, which the consumer is killed beside.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { Redis } from 'ioredis';
import { createState, net as model, OnlineLearner, saveState } from 'torch-incremental';
import { temporaryFolder, writeCifar10 } from '../support.mjs';
import { copyExample, endLeftovers, start } from './support.mjs';

const entries = 2000;

describe('the example redis-streams', () => {
  const at = temporaryFolder();
  let redis;
  let url;

  before(async function () {
    const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
    const skip = (why) => {
      console.warn(`      the tests of examples/redis-streams are skipped: ${why}`);
      this.skip();
    };
    if (status !== 0) skip('there is no redis-server (Debian: redis-server)');
    // Older ones do not report how many entries a group has read, which is waited for here.
    const [, version, major] = /v=((\d+)\.\S+)/.exec(stdout);
    if (Number(major) < 7) skip(`redis-server is version ${version}; 7 or later is needed`);
    fs.mkdirSync(at('redis'));
    copyExample('redis-streams', at('example'));
    // The first of five files.
    writeCifar10(at('example'), { train: 5 * entries, test: 1 });
    await saveState(await createState(model(), { seed: 0 }), at('example/pretrained_model.pth'));
    const port = await freePort();
    const inMemory = ['--save', '', '--appendonly', 'no', '--dir', at('redis')];
    const server = start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...inMemory]);
    await server.says(/Ready to accept connections/);
    url = `redis://127.0.0.1:${port}`;
    redis = new Redis(url);
  });

  after(async () => {
    redis?.disconnect();
    await endLeftovers();
  });

  const run = (script, args = []) =>
    start(process.execPath, [script, ...args], { cwd: at('example'), env: { REDIS_URL: url } });

  /** Of all entries, how many were delivered and how many of those wait for an acknowledgement. */
  async function progress() {
    const groups = await redis.xinfo('GROUPS', 'samples').catch(() => []);
    if (groups.length === 0) return { delivered: 0, pending: 0, acknowledged: 0 };
    const value = (name) => groups[0][groups[0].indexOf(name) + 1] ?? 0;
    const [delivered, pending] = [value('entries-read'), value('pending')];
    return { delivered, pending, acknowledged: delivered - pending };
  }

  async function until(isReached) {
    for (;;) {
      const now = await progress();
      if (isReached(now)) return now;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it('learns every entry once, though the consumer is killed again and again', async () => {
    const { code, output } = await run('producer.mjs', ['cifar-10-batches-bin/data_batch_1.bin']).ended;
    assert.equal(code, 0, output);
    assert.equal(await redis.xlen('samples'), entries);

    let leftBehind = 0;
    for (let kill = 0; kill < 6; kill++) {
      const consumer = run('consumer.mjs');
      const soFar = (await progress()).acknowledged;
      // Anywhere between deliveries, learning, and acknowledgements.
      await until(({ acknowledged }) => acknowledged >= soFar + 50 + Math.random() * 200);
      consumer.child.kill('SIGKILL');
      assert.equal((await consumer.ended).signal, 'SIGKILL');
      leftBehind += (await progress()).pending;
    }
    assert.ok(leftBehind > 0, 'no kill came while entries were being learned');

    const consumer = run('consumer.mjs');
    await until(({ acknowledged }) => acknowledged === entries);
    consumer.child.kill('SIGTERM');
    const last = await consumer.ended;
    assert.equal(last.code, 0, last.output);
    assert.match(
      last.output,
      /^learned 2000 \(\d+\.\d % were right before\), \d+ came again, 0 set aside, version \d+\n$/m,
    );

    const [pending] = await redis.xpending('samples', 'learner');
    assert.equal(pending, 0);
    const learner = await OnlineLearner.open({ dir: at('example/learner') });
    assert.equal(learner.metrics().learned, entries);
    assert.equal(learner.metrics().quarantined, 0);
    await learner.close();
  });

  it('sets aside an entry that is no sample, and acknowledges it', async () => {
    const consumer = run('consumer.mjs');
    await redis.xadd('samples', '*', 'text', 'hello');
    await redis.xadd('samples', '*', 'label', '3', 'input', Buffer.alloc(100));
    await until(({ acknowledged }) => acknowledged === entries + 2);
    consumer.child.kill('SIGTERM');
    const { code, output } = await consumer.ended;
    assert.equal(code, 0, output);
    assert.match(output, /learned 2000 .* 2 set aside/);
  });
});

/** One that nobody has at the moment. */
async function freePort() {
  const probe = net.createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
