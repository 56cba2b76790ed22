// Random sequences of 30 operations on a learner, mistakes of the caller among them, beside a model in memory. The same sequences each
// time; others with MACHINE_SEED=…, and as many as MACHINE_RUNS says. What fails is made as small as it can be.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { Machine } from './machine.mjs';
import { idForm, mistakes, spoils, wrongSettings } from './machine-inputs.mjs';

const seed = Number(process.env.MACHINE_SEED ?? 1);
const runs = Number(process.env.MACHINE_RUNS ?? 2000);

const among = (items) => fc.constantFrom(...items);
const sample = fc.record({
  id: fc.nat(60),
  kind: fc.oneof({ weight: 4, arbitrary: fc.constant('good') }, { weight: 1, arbitrary: among(spoils) }),
  form: among(idForm),
});
const samples = fc.array(sample, { minLength: 1, maxLength: 5 });
const batches = fc.array(samples, { minLength: 1, maxLength: 4 });
const settings = fc.record(
  {
    batchSize: fc.integer({ min: 1, max: 4 }),
    keepVersions: fc.integer({ min: 1, max: 4 }),
    every: fc.integer({ min: 1, max: 4 }),
    optimizer: fc.record({
      kind: fc.constant('sgd'),
      learningRate: among([0.001, 0.1]),
      momentum: among([0, 0.9]),
    }),
    rememberIds: among([1000, 2000]),
    replay: fc.record({
      capacity: among([0, 3, 10]),
      policy: among(['reservoir', 'classBalanced']),
      perUpdate: fc.nat(2),
    }),
  },
  { requiredKeys: [] },
);

const operation = fc.oneof(
  { withCrossShrink: true },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('nothing') }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('learn'), samples }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stream'), batches }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('leave'),
      batches,
      after: fc.nat(3),
      overflow: among(['block', 'dropOldest', 'sample']),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('predict'), count: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('feedback'), count: fc.nat(3), again: fc.nat(2), strangers: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wrongLabel') }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('outlier'), count: fc.integer({ min: 1, max: 4 }), at: fc.nat(4) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rollback'), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('publish') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('save') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('learnFrom'),
      rounds: fc.integer({ min: 1, max: 2 }),
      sampleSize: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('mistake'), what: among(Object.keys(mistakes)) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen'), settings }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen'), settings: fc.constant({}) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopenWrongly'), what: among(Object.keys(wrongSettings)) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repair'), closed: fc.boolean(), apply: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reproduce'), which: fc.nat(9), closed: fc.boolean() }) },
);

describe('a learner beside a model of it', function () {
  this.timeout(1_800_000);
  // Without a disk, where there is such a place: what is synced is proved elsewhere.
  const parent = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  const folder = fs.mkdtempSync(path.join(parent, 'torch-incremental machine '));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  let sequences = 0;

  it(`does what the model does, in ${runs} sequences of 30 operations`, async () => {
    const property = fc.asyncProperty(fc.array(operation, { minLength: 30, maxLength: 30 }), async (operations) => {
      const dir = path.join(folder, String(sequences++));
      const machine = await Machine.begin(dir);
      try {
        for (const one of operations) await machine.run(one);
      } finally {
        await machine.end();
        fs.rmSync(dir, { recursive: true });
      }
    });
    await fc.assert(property, { seed, numRuns: runs });
  });
});
