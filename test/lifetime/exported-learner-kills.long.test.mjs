// A learner of a model that PyTorch exported, a small BERT with two integer inputs, which is killed at any moment: opened again, from its
// folder alone, it must be what it would have been without.
import assert from 'node:assert/strict';
import path from 'node:path';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { live } from './lives.mjs';

const script = path.join(root, 'test/lifetime/fixtures/exported-run.mjs');
const [updates, kills] = [400, 20];

describe('a learner of an exported BERT', function () {
  this.timeout(300_000);
  const at = temporaryFolder();

  before(function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    runPython(path.join(root, 'test/lifetime/tiny_bert.py'), [at('bert.pt2')]);
  });

  /** Runs until the end, or until `killAfter` milliseconds after its first output. */
  async function run(dir, killAfter) {
    const { code, signal, said, ms } = await live(script, [dir, at('bert.pt2'), String(updates)], killAfter);
    assert.ok(code === 0 || signal === 'SIGKILL', `ended with ${code ?? signal}`);
    const result = said.split('\n').find((line) => line.startsWith('{'));
    return { killed: signal === 'SIGKILL', ms, result: result && JSON.parse(result) };
  }

  it('learns from a stream with replay while it predicts, and is the same to the bit after 20 kills', async () => {
    const whole = await run(at('whole'));
    const { predictions, ...expected } = whole.result;
    assert.deepEqual([expected.counts.updates, predictions], [updates, updates]);
    assert.ok(expected.recent > 0.7, `${expected.recent} of the last were right, where a guess is right in a third`);
    let hits = 0;
    for (let folder = 0; hits < kills; folder++) {
      for (let result; !result; ) {
        // Together the lives are shorter than the whole.
        const life = await run(
          at(`killed ${folder}`),
          hits < kills ? Math.random() * (whole.ms / kills) * 2 : undefined,
        );
        if (life.killed) hits++;
        result = life.result;
        if (!result) continue;
        const { predictions: _, ...found } = result;
        assert.deepEqual(found, expected);
      }
    }
  });
});
