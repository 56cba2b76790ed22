// A learner whose process is killed again and again, at any moment, also while it writes: opened once more, it must be what it
// would have been without.
import assert from 'node:assert/strict';
import path from 'node:path';
import { adamW, adwin, ema } from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';
import { live } from './lives.mjs';

const script = path.join(root, 'test/lifetime/fixtures/online-run.mjs');

/** Runs until the end, or until `killAfter` milliseconds after its first update. */
async function run(dir, options, killAfter) {
  const { code, signal, said, ms } = await live(script, [dir, JSON.stringify(options)], killAfter);
  assert.ok(code === 0 || signal === 'SIGKILL', `ended with ${code ?? signal}`);
  const result = said.split('\n').find((line) => line.startsWith('{'));
  return { killed: signal === 'SIGKILL', ms, result: result && JSON.parse(result) };
}

describe('a learner that is killed', function () {
  this.timeout(300_000);
  const at = temporaryFolder();

  /** Kills it `kills` times, on as many folders as it takes; calls `check` with what each came to, and what it would have. */
  async function killAndCheck(name, options, kills, check) {
    const whole = await run(at(`${name} whole`), options);
    check(whole.result, whole.result);
    let hits = 0;
    for (let folder = 0; hits < kills; folder++) {
      for (let result; !result; ) {
        // Together the lives are shorter than the whole.
        const life = await run(at(`${name} ${folder}`), options, Math.random() * (whole.ms / kills) * 2);
        if (life.killed) hits++;
        result = life.result;
        if (hits >= kills && !result) result = (await run(at(`${name} ${folder}`), options)).result;
        if (result) check(result, whole.result);
      }
    }
  }

  it('is the same to the bit after 50 kills in 2,000 updates with replay, gate and drift detection', async () => {
    const options = { samples: 16_000, journal: { maxBytes: 2 ** 20 } };
    await killAndCheck('updates', options, 50, (result, whole) => {
      const { counts } = result;
      assert.deepEqual(result, whole);
      assert.equal(counts.updates, 2000);
      assert.equal(counts.learned, 16_000);
      assert.ok(counts.version > 10 && counts.refused > 0 && counts.drifts > 0, JSON.stringify(counts));
    });
  });

  it('is the same to the bit after 50 kills with AdamW, two groups and an average, where drifts raise the learning rates', async () => {
    const options = {
      ...{ samples: 16_000, journal: { maxBytes: 2 ** 20 } },
      optimizer: adamW({ learningRate: 0.003 }),
      parameterGroups: [{ parameters: 'out', learningRate: 0.01, weightDecay: 0 }],
      average: ema({ decay: 0.95 }),
      drift: { detector: adwin(), onDrift: 'raiseLearningRate' },
    };
    await killAndCheck('average', options, 50, (result, whole) => {
      assert.deepEqual(result, whole);
      const { updates, learned, version, drifts } = result.counts;
      assert.deepEqual({ updates, learned }, { updates: 2000, learned: 16_000 });
      assert.ok(version > 10 && drifts > 0, JSON.stringify(result.counts));
    });
  });

  it('learns each of 100,000 ids once in 20 kills, where 5 % come twice and the source repeats itself after each', async () => {
    const options = { samples: 100_000, again: 0.05, rewind: 640, batchSize: 64, journal: { maxBytes: 2 ** 22 } };
    await killAndCheck('ids', options, 20, ({ counts, accuracy }, whole) => {
      assert.equal(counts.learned, 100_000);
      assert.equal(counts.updates, whole.counts.updates);
      assert.equal(counts.version, whole.counts.version);
      assert.equal(accuracy, whole.accuracy);
      assert.ok(counts.duplicates > 4000, `${counts.duplicates} duplicates`);
      assert.equal(counts.offered, counts.learned + counts.duplicates);
    });
  });
});
