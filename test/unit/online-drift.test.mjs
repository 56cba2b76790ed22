// Drift in the errors of a learner: one event for one change, and the answers to it.
import assert from 'node:assert/strict';
import path from 'node:path';
import { adwin, loadState, pageHinkley, sgd } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { open, snapshotsIn } from './journal-support.mjs';

/** Sample `index` of a stream whose classes change places from `change` on. */
function streamed(index, change) {
  const inputs = Float32Array.of(Math.sin(index * 1.7), Math.cos(index * 2.3), Math.sin(index * 0.9));
  const label = Number(inputs[0] > 0);
  return { inputs, labels: [index < change ? label : 1 - label], ids: [index] };
}

async function feed(learner, from, to, change = 400) {
  const drifts = [];
  for (let i = from; i < to; i++) {
    const { drift } = await learner.learn(streamed(i, change));
    if (drift) drifts.push(i);
  }
  return drifts;
}

const detector = adwin({ delta: 0.05, clock: 8 });
const options = { optimizer: sgd({ learningRate: 0.05, momentum: 0 }), replay: { capacity: 100, perUpdate: 2 } };

describe('a learner that looks for drift', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  const learnerIn = (name, drift, more) => open(at(name), { ...options, drift: { detector, ...drift }, ...more });

  it('reports one drift for one change, though the detector signals more than once', async () => {
    const sensitive = pageHinkley({ threshold: 3, minInstances: 5 });
    const each = await learnerIn('each signal', { detector: sensitive, cooldown: 0 });
    const one = await learnerIn('one', { detector: sensitive, cooldown: 500 });
    const [signals, drifts] = [await feed(each, 0, 800), await feed(one, 0, 800)];
    const first = signals[0];
    const later = signals.find((index) => index > first + 500);
    assert.ok(signals.length > 2, `signals at ${signals}`);
    assert.deepEqual(drifts, [first, ...(later === undefined ? [] : [later])]);
    assert.equal(one.metrics().drifts, drifts.length);
    await Promise.all([each.close(), one.close()]);
  });

  it('counts the samples since a drift through a restart', async () => {
    const drift = { detector: pageHinkley({ threshold: 3, minInstances: 5 }), cooldown: 500 };
    const whole = await learnerIn('whole', drift);
    const expected = await feed(whole, 0, 800);
    const [first] = expected;
    const before = await learnerIn('parts', drift);
    const found = await feed(before, 0, first + 3);
    await before.close();
    const after = await learnerIn('parts', drift);
    assert.deepEqual([...found, ...(await feed(after, first + 3, 800))], expected);
    assert.equal(await after.fingerprint(), await whole.fingerprint());
    await Promise.all([whole.close(), after.close()]);
  });

  it('forgets a cooldown that has passed, in the snapshots after it', async () => {
    const drift = { detector: pageHinkley({ threshold: 3, minInstances: 5 }), cooldown: 50 };
    const whole = await learnerIn('never stopped', drift);
    const expected = await feed(whole, 0, 700);
    const [first] = expected;
    const found = [];
    let learner = await learnerIn('stopped', drift);
    for (const [from, to] of [
      [0, first + 3],
      [first + 3, first + 80],
      [first + 80, 700],
    ]) {
      found.push(...(await feed(learner, from, to)));
      await learner.close();
      learner = await learnerIn('stopped', drift);
    }
    assert.deepEqual(found, expected);
    assert.ok(expected.length > 1, `drifts at ${expected}`);
    assert.equal(await learner.fingerprint(), await whole.fingerprint());
    await Promise.all([whole.close(), learner.close()]);
  });

  it('notifies listeners and a callback after the drift, and not of those before it was opened', async () => {
    const events = [];
    const onDrift = (event) => events.push(event);
    const learner = await learnerIn('events', { onDrift });
    learner.on('drift', onDrift);
    const [first] = await feed(learner, 0, 600);
    await new Promise(setImmediate);
    const { drifts } = learner.metrics();
    assert.equal(events.length, 2 * drifts);
    assert.deepEqual(events[0], { drifts: 1, updates: first + 1, answer: 'report' });
    assert.deepEqual(events[1], events[0]);
    await learner.close();
    const again = await learnerIn('events', { onDrift });
    assert.equal(events.length, 2 * drifts);
    assert.equal(again.metrics().drifts, drifts);
    await again.close();
  });

  it('empties the replay buffer where the answer is resetReplay', async () => {
    const learner = await learnerIn('reset', { onDrift: 'resetReplay' }, { replay: { capacity: 300 } });
    const [first, second] = await feed(learner, 0, 500);
    assert.equal(second, undefined);
    await learner.close();
    const file = path.join(at('reset'), snapshotsIn(at('reset')).at(-1));
    const { metadata } = await loadState(file, { key: 'model' });
    const replay = metadata.get('replay');
    // The sample that showed the drift went with the others: those after it are all that there was.
    assert.deepEqual(replay.get('labels').shape, [499 - first]);
    const kept = [...replay.get('inputs').data].filter((_, i) => i % 3 === 0);
    const later = Array.from({ length: 499 - first }, (_, i) => streamed(first + 1 + i, 400).inputs[0]);
    assert.deepEqual(kept.sort(), later.sort());
  });

  it('has twice the learning rate in 100 updates where the answer is raiseLearningRate', async () => {
    const raised = await learnerIn('raised', { onDrift: 'raiseLearningRate' });
    const [first] = await feed(raised, 0, 450);
    await feed(raised, 450, first + 150);
    // The same by hand.
    let plain = await learnerIn('plain', { onDrift: 'report' });
    await feed(plain, 0, first + 1);
    for (const [learningRate, from, to] of [
      [0.1, first + 1, first + 101],
      [0.05, first + 101, first + 150],
    ]) {
      await plain.close();
      plain = await learnerIn('plain', {}, { optimizer: sgd({ learningRate, momentum: 0 }) });
      await feed(plain, from, to);
    }
    await raised.save(at('raised.pth'));
    await plain.save(at('plain.pth'));
    assert.ok((await loadState(at('raised.pth'))).equals(await loadState(at('plain.pth'))));
    await Promise.all([raised.close(), plain.close()]);
  });

  it('refuses answers that it does not know, and names them', async () => {
    await assert.rejects(learnerIn('unknown', { onDrift: 'reset' }), {
      code: 'ERR_INVALID_OPTION',
      message: /'report', 'boostReplay', 'resetReplay', 'raiseLearningRate', 'rollback' for "onDrift"/,
    });
    await assert.rejects(learnerIn('unknown', { cooldown: -1 }), { code: 'ERR_INVALID_OPTION' });
  });
});
