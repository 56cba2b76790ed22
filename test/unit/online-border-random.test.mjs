// Random inputs of a learner: right and wrong values, in all kinds of wrappers.
import assert from 'node:assert/strict';
import vm from 'node:vm';
import { temporaryFolder } from '../support.mjs';
import { assertExact, good, noIds, noNumbers, openIn, rejects } from './border-support.mjs';
import { randomNumbers } from './journal-support.mjs';

describe('the border of a learner, at random', function () {
  this.timeout(120_000);
  const at = temporaryFolder();
  let folders = 0;
  const open = (options) => openIn(at(`border ${folders++}`), options);

  /** A way to give a value: how it is wrapped, what it is after the call, and whether it is taken. */
  function ways(random) {
    const pick = (list) => list[random.below(list.length)];
    const count = 1 + random.below(4);
    const plain = {
      ...good(random.below(1000), count),
      ids: Array.from({ length: count }, () => pick([null, `id ${random.below(60)}`, random.below(60)])),
    };
    const later = [];
    let isTaken = true;

    class Lying extends Float32Array {
      get length() {
        return 1;
      }
    }
    const inputs = pick([
      () => Float32Array.from(plain.inputs),
      () => new Lying(plain.inputs),
      () => vm.runInNewContext('Float32Array').from(plain.inputs),
      () => {
        const copy = new Float32Array(new SharedArrayBuffer(plain.inputs.byteLength));
        copy.set(plain.inputs);
        return copy;
      },
      () => {
        const copy = new Float32Array(new ArrayBuffer(plain.inputs.byteLength, { maxByteLength: 4096 }));
        copy.set(plain.inputs);
        later.push(() => copy.buffer.resize(random.below(2) * 4096));
        return copy;
      },
      () => {
        const copy = Float32Array.from(plain.inputs);
        later.push(() => structuredClone(copy.buffer, { transfer: [copy.buffer] }));
        return copy;
      },
      () => {
        isTaken = false;
        return pick([new Proxy(plain.inputs, {}), [...plain.inputs], new Float64Array(plain.inputs), null]);
      },
    ])();
    const labels = pick([
      () => [...plain.labels],
      () => Int32Array.from(plain.labels),
      () => vm.runInNewContext('Int32Array').from(plain.labels),
      () => vm.runInNewContext('Array').from(plain.labels),
      () => new Proxy([...plain.labels], {}),
      () => {
        // Each read gives another one, and changes what comes after it.
        const copy = [...plain.labels];
        const [first] = copy;
        let reads = 0;
        return Object.defineProperty(copy, 0, {
          get() {
            copy.length = 1;
            return reads++ === 0 && count === 1 ? first : Symbol('read too often');
          },
        });
      },
      () => {
        isTaken = false;
        return plain.labels.with(random.below(count), pick(noNumbers));
      },
    ])();
    if (!Array.isArray(labels) || Object.getOwnPropertyDescriptor(labels, 0)?.get === undefined) {
      later.push(() => labels.fill?.(99));
    } else isTaken &&= count === 1;
    const ids = pick([
      () => [...plain.ids],
      () => plain.ids.map((id) => (typeof id === 'number' ? BigInt(id) : (id ?? undefined))),
      () => new Proxy([...plain.ids], {}),
      () => {
        isTaken = false;
        return plain.ids.with(random.below(count), pick(noIds));
      },
    ])();
    later.push(() => ids.fill('changed'));
    const object = { inputs, labels, ids };
    let [reads, most] = [0, 0];
    const given = pick([
      () => object,
      () => new Proxy(object, {}),
      () => Object.freeze(object),
      () => ({
        get inputs() {
          most = Math.max(most, ++reads);
          return inputs;
        },
        labels,
        ids,
      }),
    ])();
    const afterwards = () => {
      assert.ok(most <= 1, 'the inputs were read more than once');
      for (const change of later) change();
    };
    return { given, plain, isTaken, afterwards };
  }

  for (const seed of [1, 2, 3, 4]) {
    it(`takes right values from any wrapper, as they were at the call (seed ${seed})`, async () => {
      const random = randomNumbers(seed);
      const [learner, reference] = [
        await open({ replay: { capacity: 10, perUpdate: 2 } }),
        await open({ replay: { capacity: 10, perUpdate: 2 } }),
      ];
      let taken = 0;
      for (let call = 0; call < 150; call++) {
        const { given, plain, isTaken, afterwards } = ways(random);
        const learning = learner.learn(given);
        afterwards();
        if (isTaken) {
          assert.deepEqual(await learning, await reference.learn(plain), `call ${call}`);
          taken++;
        } else await rejects(learning);
        assertExact(learner.metrics());
      }
      assert.ok(taken > 30 && taken < 120, `${taken} were taken`);
      assert.equal(await learner.fingerprint(), await reference.fingerprint());
      await Promise.all([learner.close(), reference.close()]);
    });
  }
});
