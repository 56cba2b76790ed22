// The drift detectors: by River's verdicts, as test/golden/detectors.json has them, and by what they promise.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { adwin, ddm, eddm, kswin, pageHinkley } from 'torch-incremental';
import { startDetector } from '../../dist/detectors/index.js';
import { PythonRandom } from '../../dist/detectors/python-random.js';
import { casesFrom, numbers, outcomeOf } from '../golden/detector-cases.mjs';
import { root } from '../support.mjs';

const { made, outcomes } = JSON.parse(fs.readFileSync(path.join(root, 'test/golden/detectors.json'), 'utf8'));

const bits = (seed, ...parts) => [...numbers({ values: 'bits', seed, parts })];

/** The elements at which the detector finds a drift. */
function driftsOf(detector, values) {
  const running = startDetector(detector);
  return [...values.keys()].filter((i) => running.update(values[i]) === 'drift');
}

describe('drift detectors', () => {
  it("are plain frozen values with River's defaults", () => {
    const all = [adwin(), ddm(), eddm(), kswin(), pageHinkley()];
    assert.deepEqual(all, [
      { kind: 'adwin', delta: 0.002, clock: 32, maxBuckets: 5, minWindowLength: 5, gracePeriod: 10 },
      { kind: 'ddm', warmStart: 30, warningThreshold: 2, driftThreshold: 3 },
      { kind: 'eddm', warmStart: 30, alpha: 0.95, beta: 0.9 },
      { kind: 'kswin', alpha: 0.005, windowSize: 100, statSize: 30, seed: 0 },
      { kind: 'pageHinkley', minInstances: 30, delta: 0.005, threshold: 50, alpha: 0.9999, mode: 'both' },
    ]);
    for (const detector of all) assert.ok(Object.isFrozen(detector));
    assert.equal(adwin({ clock: 1, delta: undefined }).delta, 0.002);
    assert.equal(pageHinkley({ mode: 'up' }).mode, 'up');
  });

  for (const [make, wrong, message] of [
    [adwin, { delta: 2 }, /from 0 to 1 for "delta" but received number \(2\)/],
    [adwin, { clock: 0 }, /"clock"/],
    [adwin, { maxBuckets: 1 }, /at least 2 for "maxBuckets"/],
    [adwin, { minWindowLength: 0 }, /"minWindowLength"/],
    [adwin, { gracePeriod: 1.5 }, /"gracePeriod"/],
    [adwin, { max_buckets: 5 }, /did you mean "maxBuckets"\?/],
    [adwin, null, /an object with the options of adwin\(\)/],
    [ddm, { warmStart: -1 }, /"warmStart"/],
    [ddm, { warningThreshold: 0 }, /above 0 for "warningThreshold"/],
    [ddm, { driftThreshold: 1 }, /at least warningThreshold \(2\) for "driftThreshold"/],
    [eddm, { warmStart: '30' }, /"warmStart"/],
    [eddm, { alpha: 0.5 }, /at most alpha \(0\.5\) for "beta"/],
    [eddm, { beta: Number.NaN }, /"beta"/],
    [kswin, { alpha: -0.1 }, /"alpha"/],
    [kswin, { windowSize: 59 }, /at least twice statSize \(60\) for "windowSize"/],
    [kswin, { statSize: 0 }, /"statSize"/],
    [kswin, { seed: 0.5 }, /"seed"/],
    [pageHinkley, { minInstances: Infinity }, /"minInstances"/],
    [pageHinkley, { delta: -1 }, /"delta"/],
    [pageHinkley, { threshold: -1 }, /"threshold"/],
    [pageHinkley, { alpha: 1.1 }, /"alpha"/],
    [pageHinkley, { mode: 'sideways' }, /one of 'up', 'down', 'both' for "mode"/],
  ]) {
    it(`refuse ${make.name}(${JSON.stringify(wrong)})`, () => {
      assert.throws(() => make(wrong), { name: 'LearnError', code: 'ERR_INVALID_OPTION', message });
    });
  }

  it('are made without the addon', () => {
    const script = `
      require('./dist/detectors/index.js');
      if (Object.keys(require.cache).some((name) => /native\\.js$|\\.node$/.test(name))) process.exit(1);`;
    assert.equal(spawnSync(process.execPath, ['-e', script], { cwd: root }).status, 0);
  });

  for (const testCase of casesFrom(1)) {
    it(`decide as ${made.split(' ', 2).join(' ')} at every element: ${testCase.name}`, () => {
      assert.deepEqual(outcomeOf(testCase), outcomes[testCase.name]);
    });
  }

  it("draw samples as Python's random.Random does", () => {
    // random.Random(42).sample(range(70), 5) and so on, in Python 3.11.
    const random = PythonRandom.seeded(42);
    assert.deepEqual(random.sample(70, 5), [14, 3, 35, 31, 28]);
    assert.deepEqual(random.sample(10, 10), [2, 1, 8, 4, 3, 0, 6, 5, 9, 7]);
    assert.deepEqual(
      PythonRandom.seeded(2 ** 53 - 1).sample(1_000_000, 6),
      [98828, 587856, 233700, 789141, 200646, 960067],
    );
  });

  it('resume bit for bit from what was saved, at any moment', () => {
    const stream = {
      values: 'bits',
      seed: 3,
      parts: [
        [300, 0.1, 0.3],
        [300, 0.7, 0.3],
        [300, 0.2, 0.3],
      ],
    };
    const values = [...numbers(stream)];
    const detectors = [adwin({ clock: 4 }), ddm(), eddm(), kswin({ alpha: 0.1 }), pageHinkley({ threshold: 5 })];
    for (const detector of detectors) {
      const running = startDetector(detector);
      const said = [];
      const saved = [running.toJSON()];
      for (const value of values) {
        said.push(running.update(value));
        saved.push(running.toJSON());
      }
      assert.ok(said.includes('drift'), detector.kind);
      const drift = said.indexOf('drift');
      for (const at of [0, 1, 2, 33, drift - 1, drift, drift + 1, drift + 2, 500, values.length]) {
        const text = JSON.stringify(saved[at]);
        // Also shows whether any number was not finite, and whether what was saved changed later.
        assert.deepEqual(JSON.parse(text), saved[at]);
        const restored = startDetector(detector, JSON.parse(text));
        assert.deepEqual(restored.toJSON(), saved[at]);
        for (let i = at; i < values.length; i++)
          assert.equal(restored.update(values[i]), said[i], `${detector.kind} ${i}`);
        assert.deepEqual(restored.toJSON(), saved.at(-1));
      }
    }
  });
});

describe('kswin', () => {
  it('takes samples that differ as little as two can for equal with no alpha but 1', () => {
    const values = [...Array(13).fill(0), 1];
    const settings = { windowSize: 14, statSize: 7 };
    assert.deepEqual(driftsOf(kswin({ ...settings, alpha: 1 }), values), [13]);
    assert.deepEqual(driftsOf(kswin({ ...settings, alpha: 0.99 }), values), []);
  });
});

describe('adwin', () => {
  it('raises at most one alarm in 100,000 errors that stay as frequent', () => {
    for (const seed of [1, 2, 3])
      assert.ok(driftsOf(adwin(), bits(seed, [100_000, 0.2, 0.2])).length <= 1, `seed ${seed}`);
  });

  it('finds within 500 samples that errors went from .1 to .3', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const drifts = driftsOf(adwin(), bits(seed * 7919, [2000, 0.1, 0.1], [500, 0.3, 0.3]));
      assert.ok(
        drifts.some((at) => at >= 2000),
        `seed ${seed}: ${drifts}`,
      );
    }
  });

  it('keeps at most maxBuckets buckets of each power of two', () => {
    const running = startDetector(adwin());
    for (const value of bits(5, [2 ** 17, 0.5, 0.5])) running.update(value);
    const { rows, width } = running.toJSON();
    assert.equal(width, 2 ** 17);
    assert.ok(rows.length <= 17, `${rows.length} sizes`);
    for (const { totals, variances } of rows) {
      assert.ok(totals.length <= 5);
      assert.equal(variances.length, totals.length);
    }
  });
});
