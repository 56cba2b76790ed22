// Outputs of exported models in learners: which one is trained and predicted, and where its classes are.
import assert from 'node:assert/strict';
import {
  arrays,
  crossEntropyLoss,
  evaluate,
  loadState,
  mseLoss,
  OnlineLearner,
  predict,
  sgd,
  trainIncremental,
} from 'torch-incremental';
import { leaf, node, ref } from '../pt2/descriptions.mjs';
import { temporaryFolder } from '../support.mjs';
import { classes, exported, length, reader, sentences, weights } from './exported-support.mjs';

describe('a learner of an exported model with several outputs', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  const usual = { batchSize: 4, maxDelayMs: 0, seed: 1, threads: 1 };
  const open = (dir, options) =>
    OnlineLearner.open({ ...{ dir: at(dir), checkpoint: weights() }, ...usual, ...options });

  it('has the output that its loss names, for targets of any kind', async () => {
    const model = await exported(at('reader.pt2'));
    const learner = await open('pooled', {
      ...{ model, loss: mseLoss({ output: 'pooled' }), target: { kind: 'values', shape: [4] } },
      optimizer: sgd({ learningRate: 0.05 }),
    });
    const { inputs } = sentences(0, 4);
    const targets = new Float32Array(16);
    const first = await learner.learn({ inputs, targets });
    for (let i = 0; i < 20; i++) await learner.learn({ inputs, targets });
    const last = await learner.learn({ inputs, targets });
    assert.ok(last.loss < first.loss / 2, `${first.loss}, then ${last.loss}`);
    assert.deepEqual((await learner.predict(inputs)).shape, [4, 4]);
    await learner.close();
    const wrong = { code: 'ERR_INVALID_OPTION', message: /output/ };
    await assert.rejects(open('none', { model, loss: crossEntropyLoss({ output: 'aux' }) }), wrong);
  });

  it('learns a class for each word where classes are the last axis, and predicts them as the second', async () => {
    const description = reader();
    const [embedding, column, kept] = description.nodes;
    const linear = node(
      'torch.ops.aten.linear.default',
      { input: ref('kept'), weight: ref('p_fc_weight'), bias: ref('p_fc_bias') },
      'linear',
    );
    const model = await exported(at('tagger.pt2'), {
      ...{ ...description, nodes: [embedding, column, kept, linear] },
      ...{ metas: { linear: { shape: ['s0', length, classes] } }, outputs: ['linear'], outSpec: leaf },
    });
    const loss = crossEntropyLoss({ classesLast: true });
    const { inputs } = sentences(0, 4);
    const targets = Int32Array.from({ length: 4 * length }, (_, i) => (i % 7 === 0 ? -100 : i % classes));
    const target = { kind: 'tokens', shape: [length] };
    const learner = await open('tagger', { model, loss, target });
    const raw = await predict(weights(), inputs, { model, threads: 1 });
    const { logits, labels, shape } = await learner.predict(inputs);
    assert.deepEqual(
      [raw.shape, shape],
      [
        [4, length, classes],
        [4, classes, length],
      ],
    );
    for (let sample = 0; sample < 4; sample++)
      for (let word = 0; word < length; word++) {
        const each = Array.from(
          { length: classes },
          (_, label) => raw.logits[(sample * length + word) * classes + label],
        );
        const found = each.map((_, label) => logits[(sample * classes + label) * length + word]);
        assert.deepEqual(found, each);
        assert.equal(labels[sample * length + word], each.indexOf(Math.max(...each)));
      }
    const named = Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, { data, shape: [length] }]));
    const data = arrays({ inputs: named, targets: { kind: 'tokens', data: targets, shape: [length] }, classes });
    const measured = await evaluate(weights(), { model, data, loss, threads: 1 });
    await learner.learn({ inputs, targets });
    const { loss: scored } = learner.metrics().prequential;
    // The mean of the samples' means, of which one counts fewer words.
    assert.ok(Math.abs(scored - measured.loss) < 0.01, `${scored} and ${measured.loss}`);
    await learner.save(at('tagger.pth'));
    await learner.close();
    const { state } = await trainIncremental(weights(), {
      ...{ model, data, loss, epochs: 1, batchSize: 4, shuffle: false, threads: 1 },
    });
    assert.ok(state.equals(await loadState(at('tagger.pth'))));
  });
});
