// The quarantine file: it is for people, so that nothing in it keeps a learner from opening; and no crash loses a sample.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../support.mjs';
import { copy, journalsIn, learn, open, recordsIn, sample } from './journal-support.mjs';

const file = (dir) => path.join(dir, 'quarantine.ndjson');
const linesOf = (dir) => fs.readFileSync(file(dir), 'latin1').split('\n').slice(0, -1);
const idsIn = (dir) => linesOf(dir).map((line) => JSON.parse(line).id);
/** Cannot be learned: there is no such label. */
const bad = (id) => ({ ...sample(1), labels: [7], ids: [id] });

describe('the quarantine of a learner', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const dir = at('damaged');

  before(async () => {
    const learner = await open(at('good'));
    await learn(learner, 0, 3);
    for (const id of ['a', 'b', 'c']) await learner.learn(bad(id));
    copy(at('good'), at('crashed'));
    await learner.close();
    assert.deepEqual(idsIn(at('crashed')), ['a', 'b', 'c']);
  });

  /** Its contents after `change` and two more samples. */
  async function afterChange(change) {
    copy(at('crashed'), dir);
    fs.writeFileSync(file(dir), change(fs.readFileSync(file(dir))));
    const learner = await open(dir);
    assert.deepEqual(learner.metrics().quarantined, 3);
    for (const id of ['d', 'e']) await learner.learn(bad(id));
    await learner.close();
    return linesOf(dir);
  }

  it('continues after a torn line, cut at any byte, and after zeros', async () => {
    const end = fs.statSync(file(at('crashed'))).size;
    const lastLine = end - linesOf(at('crashed')).at(-1).length - 1;
    for (let cut = lastLine; cut < end; cut += 7) {
      const lines = await afterChange((bytes) => bytes.subarray(0, cut));
      assert.deepEqual(
        lines.map((line) => JSON.parse(line).id),
        ['a', 'b', 'd', 'e'],
        `cut at byte ${cut}`,
      );
    }
    const lines = await afterChange((bytes) => Buffer.concat([bytes, Buffer.alloc(100)]));
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).id),
      ['a', 'b', 'c', 'd', 'e'],
    );
  });

  it('continues after anything else that it holds, and removes none of it', async () => {
    for (const garbage of [
      '{}',
      'null',
      '\x00\xff{"record":',
      '[1]\n',
      '{"record":"x"}\n',
      '\n',
      'x'.repeat(200_000),
    ]) {
      const lines = await afterChange((bytes) => Buffer.concat([bytes, Buffer.from(garbage, 'latin1')]));
      const kept = garbage.endsWith('\n') ? [garbage.slice(0, -1)] : [garbage];
      assert.deepEqual(lines.slice(3, -2), kept);
      assert.deepEqual(
        [...lines.slice(0, 3), ...lines.slice(-2)].map((line) => JSON.parse(line).id),
        ['a', 'b', 'c', 'd', 'e'],
      );
    }
    const lines = await afterChange(() => Buffer.from('all is lost'));
    assert.deepEqual([lines[0], JSON.parse(lines[1]).id], ['all is lost', 'd']);
  });

  it('gets the samples that a crash kept from it, each once', async () => {
    const huge = { inputs: new Float32Array(9).fill(3e38), ids: ['x', 'y', 'z'] };
    const learner = await open(at('update'), { batchSize: 3 });
    const [right] = (await learner.predict(huge.inputs.subarray(0, 3))).labels;
    // Only the update finds that its loss is not finite.
    const { quarantined } = await learner.learn({ ...huge, labels: [1 - right, 1 - right, 1 - right] });
    assert.equal(quarantined, 3);
    copy(at('update'), at('update crashed'));
    await learner.close();
    const whole = fs.readFileSync(file(at('update crashed')));
    for (let cut = 0; cut <= whole.length; cut += 13) {
      copy(at('update crashed'), dir);
      fs.truncateSync(file(dir), cut);
      await (await open(dir, { batchSize: 3 })).close();
      assert.deepEqual(idsIn(dir), ['x', 'y', 'z'], `cut at byte ${cut}`);
    }
  });

  it('takes the samples of a record whose number it already had before a crash', async () => {
    copy(at('crashed'), dir);
    const last = path.join(dir, journalsIn(dir).at(-1));
    fs.truncateSync(last, recordsIn(last).at(-2));
    const learner = await open(dir);
    assert.equal(learner.metrics().quarantined, 2);
    await learner.learn(bad('again'));
    await learner.close();
    assert.deepEqual(idsIn(dir), ['a', 'b', 'c', 'again']);
  });
});
