// Late labels that are out of range.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { batchNorm2d, createState, flatten, linear, sequential } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { inputsOf, lossOf, open } from './feedback-support.mjs';

describe('feedback() with labels out of range', function () {
  this.timeout(60_000);
  const at = temporaryFolder();

  it('lets a sample wait for another label if one is out of range', async () => {
    const dir = at('out of range');
    let learner = await open(dir);
    const { ids } = await learner.predict(inputsOf(0, 3));
    const message = 'expected a label from 0 to 2';
    for (const label of [99, -1, 1.5, Number.NaN]) {
      const { quarantined, reasons, prequential, unknown } = await learner.feedback(ids[0], label);
      assert.deepEqual([quarantined, prequential.samples, unknown], [1, 0, 0]);
      assert.deepEqual(reasons, [{ index: 0, id: ids[0], code: 'label', message }]);
    }
    // Whatever the order, in one call or in two at once.
    const [both, one, other] = await Promise.all([
      learner.feedback([ids[1], 'x', ids[1], ids[1]], [7, 0, 1, 7]),
      learner.feedback(ids[2], 7),
      learner.feedback(ids[2], 2),
    ]);
    assert.deepEqual([both.prequential.samples, both.quarantined, both.duplicates, both.unknown], [1, 1, 1, 1]);
    assert.deepEqual([one.quarantined, other.prequential.samples], [1, 1]);
    await learner.close();
    learner = await open(dir);
    assert.equal(learner.metrics().feedback.pending, 1);
    assert.equal((await learner.feedback(ids[0], 0)).prequential.samples, 1);
    const { offered, learned, quarantined, duplicates, queued } = learner.metrics();
    assert.deepEqual(
      { learned, quarantined, duplicates, queued },
      { learned: 3, quarantined: 6, duplicates: 1, queued: 0 },
    );
    assert.equal(offered, 10);
    await learner.close();
    const lines = fs.readFileSync(path.join(dir, 'quarantine.ndjson'), 'utf8').trim().split('\n').map(JSON.parse);
    assert.deepEqual(
      lines.map(({ id, code }) => [id, code]),
      [ids[0], ids[0], ids[0], ids[0], ids[1], ids[2]].map((id) => [id, 'label']),
    );
    const bytes = Buffer.from(inputsOf(0).buffer).toString('base64');
    assert.equal(lines[0].input, bytes);
  });

  describe('of samples that batch norm cannot learn alone', () => {
    const normed = sequential({ norm: batchNorm2d(3), flatten: flatten(), out: linear(3, 2) }, { input: [3, 1, 1] });
    const inputs = Float32Array.of(1, 2, 3, 3, 1, 2);
    const openNormed = async (dir, options) =>
      open(dir, { model: normed, checkpoint: await createState(normed, { seed: 1 }), inputs: 'float32', ...options });

    it('settles every call if a label out of range came between two others', async () => {
      const dir = at('between');
      const learner = await openNormed(dir, { batchSize: 1 });
      const { ids } = await learner.predict(inputs);
      const labels = [0, 99, -1, 1, 99];
      const results = await Promise.all(labels.map((label) => learner.feedback(ids[0], label)));
      assert.deepEqual(
        results.map(({ reasons }) => reasons.map(({ code }) => code)),
        [['batch'], ['label'], ['label'], ['batch'], ['label']],
      );
      const { offered, quarantined, queued, feedback } = learner.metrics();
      assert.deepEqual([offered, quarantined, queued], [5, 5, 0]);
      assert.deepEqual(feedback, { pending: 2, joined: 0, expired: 0, lost: 0 });
      await learner.close();
      const lines = fs.readFileSync(path.join(dir, 'quarantine.ndjson'), 'utf8').trim().split('\n').map(JSON.parse);
      const input = Buffer.from(inputs.buffer, 0, 12).toString('base64');
      assert.deepEqual(new Set(lines.map((line) => line.input)), new Set([input]));
      assert.equal(lines.length, 5);
    });

    for (const [how, join] of [
      ['calls', (learner, id) => Promise.all([0, 99, 1].map((label) => learner.feedback(id, label)))],
      ['labels of a call', async (learner, id) => [await learner.feedback([id, id, id], [0, 99, 1])]],
    ]) {
      it(`joins a prediction whose repeated label is learned in the place of the first: ${how}`, async () => {
        const dir = at(how);
        let learner = await openNormed(dir, { batchSize: 2 });
        const { ids, logits } = await learner.predict(inputs);
        const [results, other] = await Promise.all([join(learner, ids[0]), learner.feedback(ids[1], 1)]);
        assert.equal(other.updates, 1);
        assert.deepEqual(results.flatMap(({ reasons }) => reasons.map(({ code }) => code)).sort(), ['batch', 'label']);
        // Scored by its own label.
        assert.equal(results.at(-1).prequential.samples, 1);
        assert.ok(Math.abs(results.at(-1).prequential.loss - lossOf(logits.slice(0, 2), 1)) < 1e-6);
        const { prequential, feedback } = learner.metrics();
        assert.deepEqual(
          prequential.perClass.map(({ samples }) => samples),
          [0, 2],
        );
        assert.deepEqual(feedback, { pending: 0, joined: 2, expired: 0, lost: 0 });
        assert.equal((await learner.feedback(ids[0], 1)).duplicates, 1);
        await learner.close();
        learner = await openNormed(dir, { batchSize: 2 });
        assert.deepEqual(learner.metrics().feedback, feedback);
        await learner.close();
      });
    }
  });
});
