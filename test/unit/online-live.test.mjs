// Without held-out samples the weights serve after every update: from a copy that is made when somebody asks. Versions are made now and
// then, or by publish().
import assert from 'node:assert/strict';
import { arrays, createState, loadState, OnlineLearner, sgd } from 'torch-incremental';
import { native } from '../../dist/native/native.js';
import { temporaryFolder } from '../support.mjs';
import { learn, model, open, sample } from './journal-support.mjs';

const question = sample(100).inputs;

/** Counts the copies of weights that `work` makes. */
async function copiesIn(work) {
  const addon = native();
  const copy = addon.learnerWeights;
  let copies = 0;
  addon.learnerWeights = (...call) => {
    copies++;
    return copy(...call);
  };
  try {
    await work();
    return copies;
  } finally {
    addon.learnerWeights = copy;
  }
}

const softmaxLoss = (logits, label) => Math.log(logits.reduce((sum, x) => sum + Math.exp(x - logits[label]), 0));

describe('a learner without held-out samples', () => {
  const at = temporaryFolder();

  it('predicts with the weights after each update, and names the version and the updates', async () => {
    const learner = await open(at('each'), { gate: { every: 3 } });
    const seen = new Set();
    for (let update = 0; update < 7; update++) {
      const { logits, version } = await learner.predict(question);
      assert.deepEqual(version, { durable: Math.floor(update / 3), updates: update });
      seen.add(String(logits));
      await learner.save(at('now.pth'));
      const served = await loadState(at('now.pth'));
      const again = await OnlineLearner.open({ dir: at(`from ${update}`), model, checkpoint: served, transforms: [] });
      assert.deepEqual((await again.predict(question)).logits, logits);
      await again.close();
      await learner.learn(sample(update));
    }
    assert.equal(seen.size, 7);
    await learner.close();
  });

  it('makes a copy only when somebody asks and the weights have changed', async () => {
    const learner = await open(at('copies'));
    const ask = async (times) => {
      for (let i = 0; i < times; i++) await learner.predict(question);
    };
    assert.equal(await copiesIn(() => learn(learner, 0, 10)), 0);
    assert.equal(await copiesIn(() => ask(5)), 1);
    // The predictions above may be followed by others: one copy, after the first update.
    assert.equal(await copiesIn(() => learn(learner, 10, 20)), 1);
    assert.equal(await copiesIn(() => ask(5)), 1);
    await learner.close();
  });

  it('learns the same to the bit, whether it is asked or not', async () => {
    const [asked, quiet] = await Promise.all([open(at('asked')), open(at('quiet'))]);
    for (let i = 0; i < 60; i++) {
      const answers = Array.from({ length: 3 }, () => asked.predict(question));
      await Promise.all([asked.learn(sample(i)), ...answers]);
      await asked.predict(question);
      await quiet.learn(sample(i));
    }
    assert.equal(await asked.fingerprint(), await quiet.fingerprint());
    await Promise.all([asked.close(), quiet.close()]);
  });

  it('answers many that ask while it learns, each with the weights of the updates that it names', async () => {
    const learner = await open(at('many'), { gate: { every: 10 }, feedback: false });
    const logitsAfter = [(await learner.predict(question)).logits];
    const answers = [];
    let learning = true;
    const asking = Array.from({ length: 8 }, async () => {
      while (learning) {
        answers.push(await learner.predict(question));
        await new Promise(setImmediate);
      }
    });
    for (let i = 0; i < 100; i++) await learner.learn(sample(i));
    learning = false;
    await Promise.all(asking);
    const alone = await open(at('alone'), { gate: { every: 10 } });
    for (let i = 0; i < 100; i++) {
      await alone.learn(sample(i));
      logitsAfter.push((await alone.predict(question)).logits);
    }
    assert.ok(answers.length > 50, `${answers.length} answers`);
    for (const { logits, version } of answers) {
      assert.deepEqual(logits, logitsAfter[version.updates]);
      assert.equal(version.durable, Math.floor(version.updates / 10));
    }
    await Promise.all([learner.close(), alone.close()]);
  });

  it('scores new samples by the weights of the moment, or with `score: "served"` by the version', async () => {
    const learners = { live: await open(at('live')), served: await open(at('served'), { score: 'served' }) };
    const first = [];
    for (let i = 0; i < 6; i++) {
      const { inputs, labels } = sample(i);
      for (const [score, learner] of Object.entries(learners)) {
        const { logits } = await learner.predict(inputs);
        if (i === 0) first.push(logits);
        const { prequential } = await learner.learn(sample(i));
        const beginning = await OnlineLearner.open({
          dir: at(`beginning ${score} ${i}`),
          model,
          transforms: [],
          seed: 1,
          checkpoint: await createState(model, { seed: 1 }),
        });
        const expected = score === 'live' ? logits : (await beginning.predict(inputs)).logits;
        await beginning.close();
        assert.ok(Math.abs(prequential.loss - softmaxLoss(expected, labels[0])) < 1e-6, `${score} ${i}`);
      }
    }
    assert.deepEqual(first[0], first[1]);
    await Promise.all(Object.values(learners).map((learner) => learner.close()));
  });

  it('makes a version when it is asked to, once for the same weights, which rollback() returns to', async () => {
    const learner = await open(at('published'));
    await learn(learner, 0, 4);
    const { version, updates, parent } = await learner.publish();
    assert.deepEqual({ version, updates, parent }, { version: 1, updates: 4, parent: 0 });
    assert.equal((await learner.publish()).version, 1);
    assert.equal(learner.versions().length, 2);
    const then = await learner.predict(question);
    assert.deepEqual(then.version, { durable: 1, updates: 4 });
    await learn(learner, 4, 8);
    assert.notDeepEqual((await learner.predict(question)).logits, then.logits);
    // The updates since then are no version: they are what is taken back first.
    assert.equal((await learner.rollback()).version, 1);
    assert.deepEqual((await learner.predict(question)).logits, then.logits);
    assert.equal((await learner.rollback()).version, 0);
    await assert.rejects(learner.rollback(), { code: 'ERR_INVALID_OPTION', message: /no version before 0/ });
    await learner.close();
  });

  it('takes back by rollback() what is no version, whatever became of `gate.every`', async () => {
    const reopened = async (name, before, updates, after) => {
      let learner = await open(at(name), { gate: { every: before } });
      await learn(learner, 0, updates);
      await learner.close();
      learner = await open(at(name), { gate: { every: after } });
      return learner;
    };
    const fewer = await reopened('fewer', 100, 160, 30);
    assert.equal((await fewer.rollback()).version, 1);
    const more = await reopened('more', 10, 10, 100);
    assert.equal((await more.rollback()).version, 0);
    await Promise.all([fewer.close(), more.close()]);
  });

  it('never gives two weights the same name', async () => {
    const learner = await open(at('names'), { gate: { every: 5 }, feedback: false });
    const seen = new Map();
    const ask = async () => {
      const { logits, version } = await learner.predict(question);
      const [name, bits] = [JSON.stringify(version), String(logits)];
      assert.equal(seen.get(name) ?? bits, bits, name);
      seen.set(name, bits);
    };
    for (let i = 0; i < 40; i++) {
      await learn(learner, i, i + 1);
      await ask();
      if (i % 7 === 6) await learner.rollback();
      if (i % 11 === 10) await learner.publish();
      await ask();
    }
    assert.ok(seen.size > 40);
    await learner.close();
  });

  describe('whose memory is short', () => {
    const failing = async (name, work) => {
      const addon = native();
      const call = addon[name];
      addon[name] = async () => {
        throw new Error('no memory');
      };
      try {
        await work();
      } finally {
        addon[name] = call;
      }
    };

    it('serves the last weights that were whole after a failure, also where a copy had failed', async () => {
      const learner = await open(at('failed'), { feedback: false });
      await learn(learner, 0, 3);
      const before = await learner.predict(question);
      await learn(learner, 3, 4);
      await failing('learnerWeights', async () => {
        await assert.rejects(learner.predict(question), /no memory/);
        await failing('learnerUpdate', () => assert.rejects(learner.learn(sample(4)), /no memory/));
      });
      const { logits, version } = await learner.predict(question);
      assert.ok([3, 4].includes(version.updates));
      if (version.updates === 3) assert.deepEqual(logits, before.logits);
      await assert.rejects(learner.close(), /no memory/);
    });

    it('predicts and publishes again as soon as there is memory', async () => {
      const learner = await open(at('short'), { feedback: false });
      await learn(learner, 0, 3);
      await failing('learnerWeights', async () => {
        await assert.rejects(learner.predict(question), /no memory/);
        await assert.rejects(learner.publish(), /no memory/);
      });
      assert.equal(learner.failure, undefined);
      assert.equal((await learner.publish()).version, 1);
      assert.deepEqual((await learner.predict(question)).version, { durable: 1, updates: 3 });
      await learn(learner, 3, 5);
      await learner.close();
    });
  });
});

describe('a learner with held-out samples', () => {
  const at = temporaryFolder();
  /** Of class 1 where the first value is positive. */
  const fair = (number) => ({ ...sample(number), labels: [Number(Math.sin(number) > 0)] });
  const heldOut = () => {
    const samples = Array.from({ length: 20 }, (_, i) => fair(1000 + i));
    const inputs = Float32Array.from(samples.flatMap(({ inputs }) => [...inputs]));
    return arrays({ inputs, labels: samples.flatMap(({ labels }) => labels), shape: [3], classes: 2 });
  };

  it('serves its versions only, scores by them, and refuses to publish weights that are worse', async () => {
    const refused = [];
    const gate = { heldOut: heldOut(), maxDrop: 0, perClassMaxDrop: 1, onRefused: 'continue', every: 1000 };
    const learner = await open(at('gate'), { gate, optimizer: sgd({ learningRate: 0.05 }) });
    learner.on('refused', (event) => refused.push(event));
    const before = await learner.predict(question);
    assert.deepEqual(before.version, { durable: 0, updates: 0 });
    for (let i = 0; i < 200; i++) await learner.learn(fair(i));
    assert.deepEqual((await learner.predict(question)).logits, before.logits);
    const { version } = await learner.publish();
    const served = await learner.predict(question);
    assert.deepEqual(served.version, { durable: version, updates: 200 });
    // Labels that are the contrary of those that are held out.
    for (let i = 200; i < 400; i++) await learner.learn({ ...fair(i), labels: [1 - fair(i).labels[0]] });
    const outcome = await learner.publish().then(
      () => 'published',
      ({ code, message }) => {
        assert.match(message, /accuracy .* is more than 0\.00 % below/);
        return code;
      },
    );
    await new Promise(setImmediate);
    assert.equal(outcome, 'ERR_REFUSED');
    assert.ok(refused.length > 0);
    assert.match(refused.at(-1).reason, /accuracy/);
    assert.equal(refused.at(-1).updates, 400);
    assert.deepEqual((await learner.predict(question)).version, served.version);
    assert.equal(learner.failure, undefined);
    await learner.close();
  });

  it('publishes nothing where nothing was learned, even if the gate has become stricter', async () => {
    const begun = await open(at('stricter'), {
      gate: { heldOut: heldOut(), maxDrop: 1, perClassMaxDrop: 1, every: 10 },
    });
    for (let i = 0; i < 40; i++) await begun.learn({ ...fair(i), labels: [1 - fair(i).labels[0]] });
    const { version } = await begun.publish();
    await begun.close();
    const learner = await open(at('stricter'), { gate: { heldOut: heldOut(), maxDrop: 0, perClassMaxDrop: 0 } });
    assert.equal((await learner.publish()).version, version);
    await learner.close();
  });
});
