// A learner that is killed between predictions and their labels: opened again, it knows every sample whose prediction reached the
// disk, and learns each once.
import assert from 'node:assert/strict';
import path from 'node:path';
import { root, temporaryFolder } from '../support.mjs';
import { live } from './lives.mjs';

const script = path.join(root, 'test/lifetime/fixtures/feedback-run.mjs');

/** The output of one life until it is killed, `killAfter` milliseconds after its opening. */
async function linesOf(dir, waiting, killAfter) {
  const { code, signal, said } = await live(script, [dir, JSON.stringify(waiting)], killAfter);
  assert.equal(signal, 'SIGKILL', `ended with ${code}`);
  const lines = said.slice(0, said.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

describe('a learner that is killed between predictions and their labels', () => {
  const at = temporaryFolder();

  it('joins in its next life all that reached the disk, each once, over 10 kills', async () => {
    const dir = at('killed');
    const predicted = new Set();
    const labelled = new Set();
    const sums = { learned: 0, duplicates: 0, unknown: 0 };
    const check = ({ opened: { feedback, learned } }) => {
      assert.equal(feedback.joined, learned);
      assert.deepEqual([feedback.lost, feedback.expired], [0, 0]);
      assert.ok(feedback.pending >= predicted.size - learned, `${feedback.pending} of ${predicted.size} wait`);
      return feedback;
    };
    let waiting = [];
    // A life that is killed early predicts nothing; the one after all kills needs some that wait.
    const isEnough = () => predicted.size > 100 && waiting.length > 0;
    for (let kill = 0; kill < 10 || (!isEnough() && kill < 100); kill++) {
      const [first, ...said] = await linesOf(dir, waiting, Math.random() * 400);
      check(first);
      for (const line of said) {
        for (const id of line.predicted ?? []) {
          assert.ok(!predicted.has(id), `${id} was given twice`);
          predicted.add(id);
        }
        for (const id of line.labelled ?? []) labelled.add(id);
        for (const kind of Object.keys(sums)) sums[kind] += line[kind] ?? 0;
      }
      waiting = [...predicted].filter((id) => !labelled.has(id));
    }
    assert.ok(isEnough(), `${predicted.size} predictions, ${waiting.length} wait`);
    assert.equal(sums.unknown, 0);
    assert.equal(sums.learned + sums.duplicates, labelled.size);

    let said = [];
    for (let killAfter = 1000; said.length < 2; killAfter *= 2) said = await linesOf(dir, waiting, killAfter);
    const [first, last] = said;
    const { joined } = check(first);
    assert.deepEqual([last.labelled, last.unknown], [waiting, 0]);
    // A sample that was learned but not answered before the kill is a duplicate now.
    assert.equal(joined + last.learned, predicted.size);
  });
});
