// Every scheduler against torch.optim.lr_scheduler: over 50 epochs each rate, momentum and beta has the same bits, in one go and after a
// state that the other language wrote. A new scheduler is a line of scheduler-cases.mjs.
import assert from 'node:assert/strict';
import path from 'node:path';
import { loadState } from 'torch-incremental';
import { Float, tupleOf } from '../../dist/checkpoint/values.js';
import { writeCheckpoint } from '../../dist/checkpoint/write.js';
import native from '../../dist/native/native.js';
import { optimizers } from '../../dist/optimizers/index.js';
import { schedulers, settledScheduler } from '../../dist/schedulers/index.js';
import { ratesIn, ratesOf, schedulerDict, schedulerOf, stateIn } from '../../dist/training/scheduler-state.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';
import { cases, forPython, madeFrom, specOf } from './scheduler-cases.mjs';

const epochs = 50;
const stopsOf = (i) => [...new Set([13, 1 + ((i * 17) % 48)])].sort((a, b) => a - b);

const groupsOf = ({ optimizer: { kind, options, groups } }) =>
  groups.map((group) =>
    ratesOf(
      optimizers.makers[kind]({ ...options, ...(kind === 'sgd' ? group : { learningRate: group.learningRate }) }),
    ),
  );

/** The rates of each step, as Python's float.hex() has them. */
const rowsOf = ({ learningRates, momentums, betas }, count) =>
  Array.from({ length: learningRates.length / count }, (_, step) =>
    Array.from({ length: count }, (__, group) => {
      const at = step * count + group;
      return [learningRates[at], momentums[at], betas[at]].filter((value) => !Number.isNaN(value));
    }),
  );
const parsed = (rows) => rows.map((groups) => groups.map((values) => values.map(fromHex)));
function fromHex(text) {
  const [, sign, whole, digits = '', exponent] = /^(-?)0x([01])\.?([0-9a-f]*)p([+-]\d+)$/.exec(text);
  const mantissa = Number(BigInt(`0x${whole}${digits}`)) * 2 ** (-4 * digits.length);
  return (sign ? -1 : 1) * mantissa * 2 ** Number(exponent);
}

describe('schedulers beside those of torch.optim.lr_scheduler', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  const script = path.join(root, 'test/golden/schedulers.py');
  let theirs;
  let answers;
  let states;
  let loaded;

  const rates = (one, more) =>
    native.native().scheduledRates({
      scheduler: settledScheduler(madeFrom(one.scheduler), { epochs, steps: 1 }),
      ...{ groups: groupsOf(one), epochs, steps: 1, monitored: one.monitored ?? [], ...more },
    });

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const job = {
      epochs,
      theirs: at('theirs.pth'),
      stops: cases.map((_, i) => stopsOf(i)),
      cases: cases.map(({ scheduler, optimizer: { kind, options, groups }, monitored = null }) => ({
        optimizer: optimizers.entryOf({ kind }).torchName,
        options: forPython(options),
        groups: groups.map((group) => forPython(kind === 'sgd' ? group : { learningRate: group.learningRate })),
        scheduler: specOf(scheduler),
        monitored: monitored?.map((value) => ({ float: String(value) })) ?? null,
      })),
    };
    const run = (more) => JSON.parse(runPython(script, [], { input: JSON.stringify({ ...job, ...more }) }));
    theirs = run({});

    const dicts = [];
    for (const [i, one] of cases.entries()) {
      const made = settledScheduler(madeFrom(one.scheduler), { epochs, steps: 1 });
      dicts.push(
        await Promise.all(
          [...stopsOf(i), epochs].map(async (stop) => {
            const { state, groups } = await rates(one, { epochs: stop });
            const kept = groups.map((group) => new Map(Object.entries(writtenGroup(group))));
            return new Map([
              ['scheduler', schedulerDict(made, state, groups)],
              ['groups', kept],
            ]);
          }),
        ),
      );
    }
    await writeCheckpoint(new Map([['states', dicts]]), at('ours.pth'));
    answers = run({ ours: at('ours.pth') });
    loaded = await loadState(at('theirs.pth'), { key: 'model' });
    states = loaded.metadata.get('states');
  });

  after(() => loaded?.dispose());

  const writtenGroup = ({ learningRate, momentum, beta1, kept }) =>
    Object.fromEntries(
      Object.entries({ lr: learningRate, momentum, betas: beta1 === undefined ? undefined : [beta1, 0.999], ...kept })
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [
          name,
          Array.isArray(value) ? tupleOf(value.map((x) => new Float(x))) : new Float(value),
        ]),
    );

  it('are all of the family', () => {
    const kinds = new Set(cases.map(({ scheduler: [kind] }) => kind));
    assert.deepEqual([...kinds].sort(), [...schedulers.words].sort());
  });

  for (const [i, one] of cases.entries()) {
    const count = one.optimizer.groups.length;
    const name = `${JSON.stringify(one.scheduler)} on ${one.optimizer.kind}`;

    it(`${name}: rates and states are PyTorch's, which continues with the states`, async () => {
      assert.deepEqual(rowsOf(await rates(one), count), parsed(theirs[i]));
      assert.deepEqual(
        answers[i].agree,
        [...stopsOf(i), epochs].map(() => true),
      );
      for (const [k, stop] of stopsOf(i).entries()) {
        assert.deepEqual(parsed(answers[i].followed[k]), parsed(theirs[i]).slice(stop));
      }
    });

    it(`${name}: continues with a state of PyTorch, and finds its options in it`, async () => {
      const made = settledScheduler(madeFrom(one.scheduler), { epochs, steps: 1 });
      for (const [k, stop] of stopsOf(i).entries()) {
        const groups = ratesIn(states[i][k].get('optimizer'));
        const dict = states[i][k].get('scheduler');
        const known = {
          recorded: undefined,
          given: undefined,
          epoch: made.every === 'step' ? stop + 2 : stop,
          rates: groups,
        };
        const found = schedulerOf(dict, known);
        assert.deepEqual(found, made);
        for (const given of [made, madeFrom(one.scheduler)])
          assert.deepEqual(schedulerOf(dict, { ...known, given }), made);
        const start = { epoch: stop, step: 0, state: stateIn(dict) };
        assert.deepEqual(
          rowsOf(await rates(one, { scheduler: found, groups, start }), count),
          parsed(theirs[i]).slice(stop),
        );
      }
    });
  }
});
