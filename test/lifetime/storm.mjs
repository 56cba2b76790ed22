// A learner that is used in every way at once, with settings that change at every opening, and a log that shows afterwards whether
// anything was lost. For the tests of kills, faults and losses of power.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  adwin,
  arrays,
  createState,
  ddm,
  linear,
  OnlineLearner,
  pageHinkley,
  relu,
  repairLearner,
  sequential,
  sgd,
} from 'torch-incremental';
import { snapshotFiles } from '../../dist/online/storage/snapshot.js';

const size = 4;
const classes = 3;
const model = sequential({ hidden: linear(size, 6), relu: relu(), out: linear(6, classes) }, { input: [size] });

/** Numbers that follow from a seed. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(next() * limit);
  return { next, below, oneOf: (items) => items[below(items.length)] };
}

const goodInput = (number) => [0, 1, 2, 3].map((i) => Math.sin(number * 1.7 + i) + (i === number % classes ? 0.8 : 0));
const heldOutNumbers = Array.from({ length: 12 }, (_, i) => 1_000_000 + i);
const heldOut = arrays({
  inputs: Float32Array.from(heldOutNumbers.flatMap(goodInput)),
  labels: heldOutNumbers.map((number) => number % classes),
  ...{ shape: [size], classes },
});

const numberOf = (id) => Number(/\d+$/.exec(id)[0]);

/** An id says what its sample is: G123 is a good one, the others cannot be learned. Ids of predictions are good ones too. */
export function sampleOf(id) {
  const number = numberOf(id);
  const label = number % classes;
  const input = goodInput(number);
  switch (id[0]) {
    case 'N':
      return { label, input: input.with(1, Number.NaN) };
    case 'I':
      return { label, input: input.with(2, Number.NEGATIVE_INFINITY) };
    case 'L':
      return { label: classes + number, input };
    case 'S':
      return { label, input: input.slice(1) };
    case 'H':
      return { label, input: goodInput(heldOutNumbers[number % heldOutNumbers.length]) };
    default:
      return { label, input };
  }
}

export function samplesOf(ids) {
  const samples = ids.map(sampleOf);
  const inputs = Float32Array.from(samples.flatMap(({ input }) => input));
  return { inputs, labels: samples.map(({ label }) => label), ids };
}

/** Other settings in every life. */
export function optionsOf(life, sync) {
  const random = randomFrom(1000 + life);
  const { oneOf } = random;
  return {
    ...{
      optimizer: sgd({ learningRate: oneOf([0.01, 0.05]), momentum: oneOf([0, 0.9]) }),
      batchSize: 1 + random.below(6),
    },
    ...{ maxDelayMs: oneOf([0, 0, 3]), keepVersions: 1 + random.below(5), maxGradientNorm: 5 },
    replay: {
      capacity: oneOf([0, 8, 30]),
      policy: oneOf(['reservoir', 'classBalanced']),
      perUpdate: random.below(4),
    },
    gate: { heldOut, every: 1 + random.below(5), maxDrop: oneOf([0, 0.3, 1]), perClassMaxDrop: oneOf([0.2, 1]) },
    drift: {
      detector: oneOf([adwin({ delta: 0.9, clock: 2, gracePeriod: 4 }), ddm(), pageHinkley({ threshold: 5 })]),
      onDrift: oneOf(['report', 'boostReplay', 'rollback']),
    },
    journal: { sync: sync ?? oneOf(['always', { everyMs: 10 }]), maxBytes: 2 ** 20 },
    feedback: oneOf([{ ttlMs: 60_000 }, { ttlMs: 60_000, maxBytes: 2 ** 20 }]),
  };
}

export async function open(dir, options) {
  return OnlineLearner.open({
    ...{ dir, model, checkpoint: await createState(model, { seed: 1 }), transforms: [], seed: 5, threads: 1 },
    ...options,
  });
}

/**
 * Runs all activities at once, `rounds` times each or until the learner fails; resolves with the failure. `say` is called with ids
 * before they are offered, '?', and when they are acknowledged, '+'. New ids start with number `first`.
 */
export async function storm(learner, { random, say, first, rounds, saveTo }) {
  let next = first;
  let failure;
  const offered = [];
  const fresh = (count, kind = 'G') => Array.from({ length: count }, () => `${kind}${next++}`);
  const offer = async (ids, call) => {
    say('?', ids);
    offered.push(...ids);
    await call();
    say('+', ids);
  };
  const bad = () => fresh(1, random.oneOf(['N', 'I', 'L', 'H']));
  const activities = {
    learn: () => {
      const ids = fresh(1 + random.below(5));
      return offer(ids, () => learner.learn(samplesOf(ids)));
    },
    again: async () => {
      const ids = offered.slice(-6).filter((id) => id[0] === 'G' && random.next() < 0.5);
      if (ids.length > 0) await offer(ids, () => learner.learn(samplesOf(ids)));
    },
    bad: () => {
      const ids =
        random.next() < 0.3 ? fresh(1, 'S') : [...fresh(random.below(3)), ...bad(), ...fresh(random.below(3))];
      return offer(ids, () => learner.learn(samplesOf(ids)));
    },
    feedback: async () => {
      const count = 1 + random.below(3);
      const { ids } = await learner.predict(samplesOf(fresh(count)).inputs);
      if (random.next() < 0.2) return;
      say('?', ids);
      const { unknown } = await learner.feedback(
        ids,
        ids.map((id) => sampleOf(id).label),
      );
      if (unknown === 0) say('+', ids);
    },
    rollback: async () => {
      const { version } = random.oneOf(learner.versions());
      await learner.rollback(version).catch((error) => {
        if (error.code !== 'ERR_INVALID_OPTION') throw error;
      });
    },
    save: () => learner.save(saveTo),
    stream: async () => {
      const overflow = random.oneOf(['block', 'block', 'dropOldest', 'sample']);
      const batches = Array.from({ length: 1 + random.below(4) }, () => fresh(1 + random.below(3)));
      say('?', batches.flat());
      const leavesAfter = random.below(6);
      let results = 0;
      for await (const result of learner.stream(batches.map(samplesOf), { overflow, highWaterMark: 4 })) {
        void result;
        if (overflow === 'block') say('+', batches[results]);
        if (++results > leavesAfter) break;
      }
    },
    learnFrom: () => learner.learnFrom(heldOutFree, { rounds: 1, sampleSize: 3 }),
  };
  const runs = Object.values(activities).map(async (activity) => {
    for (let round = 0; round < rounds && !failure; round++) {
      try {
        await activity();
      } catch (error) {
        failure ??= error;
      }
      await new Promise((resolve) => setTimeout(resolve, random.below(6)));
    }
  });
  await Promise.all(runs);
  return failure;
}

const heldOutFree = arrays({
  inputs: Float32Array.from([1, 2, 3, 4, 5, 6].flatMap((number) => goodInput(2_000_000 + number))),
  labels: [1, 2, 3, 4, 5, 6].map((number) => (2_000_000 + number) % classes),
  ...{ shape: [size], classes },
});

/** What was offered to a learner, and what of that was acknowledged. */
export class Book {
  offered = new Set();
  acknowledged = new Set();

  note(mark, ids) {
    const set = mark === '+' ? this.acknowledged : this.offered;
    for (const id of ids) set.add(id);
  }
}

/**
 * Leaves a folder only the first of its snapshots. `hasHoles`: files that were removed before the power went may be there again without
 * the files that they need; then the newest snapshot but one, from which every learner must be able to resume.
 */
async function forgetLaterSnapshots(dir, hasHoles) {
  const snapshots = await snapshotFiles(dir);
  const kept = hasHoles ? Math.max(0, snapshots.length - 2) : 0;
  for (const [i, file] of snapshots.entries()) if (i !== kept) fs.rmSync(file.path);
}

export function assertAccounts({ offered, learned, duplicates, dropped, quarantined, queued }, message = '') {
  assert.equal(offered, learned + duplicates + dropped + quarantined + queued, message);
  assert.equal(queued, 0, message);
}

/** Opens it; if that fails and a repair is allowed, opens it once more after the repair. */
async function openOrRepair(dir, options, mayRepair) {
  try {
    return { learner: await open(dir, options), repaired: false };
  } catch (error) {
    if (!mayRepair || error.name !== 'LearnError') throw error;
    const { damaged } = await repairLearner(dir, { apply: true });
    assert.ok(damaged, `a repair finds nothing, but: ${error.message}`);
    return { learner: await open(dir, options), repaired: true };
  }
}

/**
 * Checks what is left of a learner's folder. It opens; leads to the same as its journal from the first snapshot, in a copy; knows
 * all that must be known; and when all that was ever offered has been offered again, each sample counts once. `hasHoles`: files that
 * were removed may be there again, without others.
 */
export async function assertNothingLost(
  dir,
  options,
  book,
  { mayRepair = false, known = book.acknowledged, hasHoles = false } = {},
) {
  const copy = `${dir} copy`;
  fs.rmSync(copy, { recursive: true, force: true });
  fs.cpSync(dir, copy, { recursive: true });
  const { learner, repaired } = await openOrRepair(dir, options, mayRepair);
  try {
    if (!repaired) {
      await forgetLaterSnapshots(copy, hasHoles);
      const again = await open(copy, options);
      assert.equal(await learner.fingerprint(), await again.fingerprint(), 'its journal leads to something else');
      await again.close();
    }
    const ids = [...known];
    for (let i = 0; i < ids.length; i += 50) await assertKnown(learner, ids.slice(i, i + 50));
    for (const id of book.offered) if (!known.has(id)) await learner.learn(samplesOf([id]));
    const metrics = learner.metrics();
    assertAccounts(metrics);
    assert.equal(metrics.learned + metrics.quarantined, book.offered.size, 'learned and quarantined, of all ids');
    await learner.close();
  } catch (error) {
    await learner.close().catch(() => {});
    throw error;
  }
  fs.rmSync(copy, { recursive: true });
  for (const id of book.offered) book.acknowledged.add(id);
  return repaired;
}

/** Whatever their samples were: of an id that is known, they are not looked at. */
async function assertKnown(learner, ids) {
  const inputs = Float32Array.from(ids.flatMap((id) => goodInput(numberOf(id))));
  const { duplicates } = await learner.learn({ inputs, labels: ids.map(() => 0), ids });
  assert.equal(duplicates, ids.length, `acknowledged ids were lost, of ${ids}`);
}
