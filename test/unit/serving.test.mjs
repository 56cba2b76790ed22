// Predictions and a training in one process: whose threads step back, which are kept, and that neither touches the other.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { arrays, createState, net, predict, trainIncremental } from 'torch-incremental';
import { madeUpImages } from '../support.mjs';

const images = madeUpImages(64);
const one = (index) => images.inputs.subarray(index * 3072, (index + 1) * 3072);

/** The niceness of every thread of this process, by its id. */
function threads() {
  const found = new Map();
  for (const id of fs.readdirSync('/proc/self/task')) {
    try {
      const stat = fs.readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
      // After the name, which may hold anything, come the fields from the third on; niceness is the nineteenth.
      found.set(Number(id), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]));
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

describe('predictions beside a training', () => {
  let state;
  before(async function () {
    if (process.platform !== 'linux') this.skip();
    state = await createState(net(), { seed: 0 });
  });

  /** Trains until `use` is over. */
  async function beside(options, use) {
    const end = new AbortController();
    let begun;
    const running = new Promise((resolve) => {
      begun = resolve;
    });
    const training = trainIncremental(state, {
      ...{ data: arrays(images), epochs: 1e6, batchSize: 32, seed: 1, signal: end.signal, onProgress: begun },
      ...options,
    });
    const ended = training.catch((error) => error);
    await Promise.race([running, ended]);
    try {
      return await use();
    } finally {
      end.abort();
      assert.equal(await ended, end.signal.reason);
    }
  }

  it('niceness is that of the threads that train, and of no others', async function () {
    const before = threads();
    const own = before.get(process.pid);
    if (own === 19) {
      console.warn('      skipped: this process is as nice as can be, its threads cannot be nicer');
      this.skip();
    }
    const asked = Math.min(19, Math.max(0, own) + 7);
    const during = await beside({ niceness: asked, threads: 2 }, async () => {
      await predict(state, one(0), { threads: 1 });
      return [...threads()];
    });
    const nice = during.filter(([, niceness]) => niceness !== own);
    assert.ok(nice.length >= 2 && nice.every(([id, niceness]) => niceness === asked && !before.has(id)), `${nice}`);
    // Among the others is the one that predicted, which is new only where none was kept.
    assert.ok(during.length > nice.length + 1);
    assert.equal(threads().get(process.pid), own);
    // The next training is not nice.
    const later = await beside({ threads: 2 }, async () => [...threads().values()]);
    assert.ok(later.every((niceness) => niceness === own));
  });

  it('are the same as without it, one or many at a time', async () => {
    const alone = await predict(state, images.inputs, { batchSize: 1, threads: 1 });
    await beside({ mode: 'fast', niceness: 19 }, async () => {
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, index) => predict(state, one(index), { threads: 1 })),
      );
      assert.deepEqual(
        answers.flatMap(({ logits }) => [...logits]),
        [...alone.logits],
      );
    });
  });

  it('keep no more threads than there are processors, however many were asked for', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, index) => predict(state, one(index), { threads: 1 })));
    const kept = threads().size;
    for (let i = 0; i < 20; i++) await predict(state, one(i), { threads: 1 });
    assert.ok(threads().size <= kept);
  });
});
