// Batches with outliers, and batches too small for batch norm, against the same rules in PyTorch: the samples that are left out,
// every loss, and every bit of the weights.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  flatten,
  linear,
  loadState,
  OnlineLearner,
  relu,
  saveState,
  sequential,
  sgd,
} from 'torch-incremental';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { randomNumbers } from '../unit/journal-support.mjs';

const layers = { conv: conv2d(1, 4, 2), norm: batchNorm2d(4), relu: relu(), flat: flatten(), drop: dropout(0.25) };
const model = sequential({ ...layers, out: linear(4, 3) }, { input: [1, 2, 2] });
const size = 4;

describe('an online learner among outliers', function () {
  this.timeout(60_000);
  const at = temporaryFolder();

  for (const seed of [1, 2, 3]) {
    it(`leaves out whom PyTorch cannot learn and learns the others, to the bit (seed ${seed})`, async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      const random = randomNumbers(seed);
      const sizes = Array.from({ length: 40 }, () => 1 + random.below(8));
      const count = sizes.reduce((sum, one) => sum + one, 0);
      const outliers = [3e38, 1e38, -2e25, 1e20];
      const samples = Float32Array.from({ length: count * size }, () => random.next() * 2 - 1);
      for (let i = 0; i < count; i++) {
        if (random.below(6) === 0) samples[i * size + random.below(size)] = outliers[random.below(outliers.length)];
      }
      const labels = Int32Array.from({ length: count }, () => random.below(3));
      fs.writeFileSync(at('samples.f32'), samples);
      fs.writeFileSync(at('labels.u8'), Uint8Array.from(labels));
      await saveState(await createState(model, { seed }), at('init.pth'));
      const files = ['--samples', at('samples.f32'), '--labels', at('labels.u8'), '--init', at('init.pth')];
      const flags = ['--sizes', sizes.join(), '--out', at('theirs.pth'), '--seed', String(seed)];
      const printed = runPython(path.join(root, 'test/golden/online_offenders.py'), [...files, ...flags]);
      const expected = printed.trim().split('\n').map(JSON.parse);

      // A version at the end only: what serves is what it began with.
      const learner = await OnlineLearner.open({
        ...{ dir: at(`learner ${seed}`), checkpoint: at('init.pth'), model, batchSize: 8, maxDelayMs: 0, threads: 1 },
        ...{ inputs: 'float32', optimizer: sgd({ learningRate: 0.05 }), seed, gate: { every: 1_000_000 } },
      });
      let first = 0;
      for (const [batch, length] of sizes.entries()) {
        const [from, to] = [first, first + length];
        first = to;
        const result = await learner.learn({
          inputs: samples.subarray(from * size, to * size),
          labels: labels.subarray(from, to),
        });
        const { loss, refused, offenders } = expected[batch];
        const own = result.reasons.filter(({ code }) => code === 'output').map(({ index }) => index);
        assert.deepEqual(own, offenders, `batch ${batch}`);
        const others = result.reasons.filter(({ code }) => code !== 'output');
        assert.ok(others.every(({ code }) => code === refused));
        assert.equal(result.updates, loss === undefined ? 0 : 1, `batch ${batch}`);
        if (loss !== undefined) assert.equal(result.loss, loss, `batch ${batch}`);
      }
      // All of it was seen.
      assert.ok(expected.some(({ loss, offenders }) => loss !== undefined && offenders.length > 0));
      assert.ok(expected.some(({ refused }) => refused === 'batch'));
      await learner.close();
      const [snapshot] = fs
        .readdirSync(at(`learner ${seed}`))
        .filter((name) => name.startsWith('snapshot-'))
        .slice(-1);
      const ours = await loadState(at(`learner ${seed}/${snapshot}`), { key: 'model' });
      assert.ok(ours.equals(await loadState(at('theirs.pth'))), 'the weights differ');
    });
  }
});
