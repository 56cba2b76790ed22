// Late labels that are out of range.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../support.mjs';
import { inputsOf, open } from './feedback-support.mjs';

describe('feedback() with labels out of range', function () {
  this.timeout(60_000);
  const at = temporaryFolder();

  it('lets a sample wait for another label where one is out of range', async () => {
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
});
