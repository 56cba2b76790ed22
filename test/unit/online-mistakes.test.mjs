// Mistakes of one caller, and in options: each rejects that call or goes to quarantine, and the learner works on for all others.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { arrays } from 'torch-incremental';
import { native } from '../../dist/native/native.js';
import { PendingStore } from '../../dist/online/feedback/store.js';
import { buildModel } from '../../dist/program/build-model.js';
import { leaf, node, value } from '../../dist/program/module.js';
import { temporaryFolder } from '../support.mjs';
import { formOf, inPlace, knowsNone, limits } from './feedback-support.mjs';
import { classes, classifier, inputsOf, open, samples, tagger, words } from './inputs-support.mjs';

const parameter = (name, ...shape) => ({
  ...{ name, role: 'parameter', dtype: 'float32', shape },
  init: { kind: 'uniform', bound: 0.5 },
});
const rows = { name: 'input', dtype: 'float32', shape: [3] };

/** One number for each sample: [samples]. */
const scalar = buildModel(
  'Scalar',
  leaf(
    'Scalar',
    [
      node('linear', '', { input: value('input'), weight: value('weight') }, 'wide'),
      node('mean', 'dim', { self: value('wide'), dim: [1] }),
    ],
    [parameter('weight', 2, 3)],
  ),
  [rows],
);

/** Looks up rows of a table by numbers that come as floats. */
const lookup = buildModel(
  'Lookup',
  leaf(
    'Lookup',
    [
      node('type_as', '', { self: value('input'), other: value('like') }, 'indices'),
      node('embedding', '', { weight: value('table'), indices: value('indices') }, 'found'),
      node('mean', 'dim', { self: value('found'), dim: [1] }, 'text'),
      node('linear', '', { input: value('text'), weight: value('out') }),
    ],
    [
      parameter('table', 5, 4),
      parameter('out', classes, 4),
      { ...{ name: 'like', role: 'buffer', dtype: 'int64', shape: [] }, init: { kind: 'constant', value: 0 } },
    ],
  ),
  [rows],
);

describe('a mistake of one caller', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  const learners = [];
  const opened = async (name, options) => {
    const learner = await open(at(name), options);
    learners.push(learner);
    return learner;
  };
  afterEach(async () => {
    for (const learner of learners.splice(0)) await learner.close();
  });

  for (const kind of ['values', 'classes']) {
    it(`in the target: ${kind} of one number, which the loss does not take, is refused at open()`, async () => {
      const refused = {
        code: 'ERR_SHAPE',
        message: /crossEntropyLoss needs .* but the target of a sample is one number/,
      };
      await assert.rejects(open(at(`scalar ${kind}`), { model: scalar, target: { kind } }), refused);
    });
  }

  it('in a float that the model takes for an index beyond its table goes to quarantine, alone', async () => {
    const learner = await opened('lookup', { model: lookup, inputs: { input: 'float32' } });
    const result = await learner.learn({ inputs: Float32Array.of(0, 1, 2, 1, 2, 9, 4, 4, 4), labels: [0, 1, 0] });
    assert.equal(result.quarantined, 1);
    assert.deepEqual(
      result.reasons.map(({ index, code }) => [index, code]),
      [[1, 'value']],
    );
    assert.equal((await learner.learn({ inputs: Float32Array.of(3, 3, 3), labels: [1] })).updates, 1);
  });

  it('in the number of values rejects the call, since samples would be cut at wrong places', async () => {
    const learner = await opened('cut');
    const four = inputsOf(0, 4);
    const short = { ...four, dense: four.dense.subarray(1) };
    const refused = {
      code: 'ERR_SHAPE',
      message: /values of 4 samples, all of one size, for "inputs.dense" but there are 11/,
    };
    await assert.rejects(learner.learn({ inputs: short, labels: [0, 1, 0, 1] }), refused);
    assert.equal((await learner.learn(samples(0, 4))).updates, 1);
  });

  it('in tokens of which all are ignored goes to quarantine, whichever samples it comes with', async () => {
    const learner = await opened('ignored', { model: tagger, target: { kind: 'tokens', shape: [words] } });
    const ignored = Array(words).fill(-100);
    const alone = await learner.learn({ inputs: inputsOf(0), targets: Int32Array.from(ignored) });
    const targets = Int32Array.from([...ignored, 0, 1, 0, 1, -100]);
    const both = await learner.learn({ inputs: inputsOf(1, 2), targets });
    assert.deepEqual(
      [alone, both].map(({ quarantined, prequential, reasons }) => [quarantined, prequential.samples, reasons[0].code]),
      [
        [1, 0, 'label'],
        [1, 1, 'label'],
      ],
    );
  });

  it('in the model of an open() with fewer inputs is named', async () => {
    await (await open(at('fewer'))).close();
    await assert.rejects(open(at('fewer'), { model: lookup, inputs: { input: 'float32' } }), ({ code, message }) => {
      assert.ok(['ERR_SHAPE', 'ERR_STATE_MISMATCH', 'ERR_INVALID_OPTION'].includes(code), `${code} ${message}`);
      assert.doesNotMatch(message, /tensors of a replay buffer/);
      return true;
    });
    assert.equal((await (await opened('fewer', { model: classifier() })).learn(samples(0))).updates, 1);
  });
});

describe('arrays() with something else than arrays', () => {
  const { buffer } = new Float32Array(4);
  const [detached, detachedLabels] = [new Float32Array(buffer), new Int32Array(buffer)];
  structuredClone(buffer, { transfer: [buffer] });
  const a = { data: new Float32Array(4), shape: [] };
  const cases = {
    'a detached target': { inputs: { a }, targets: { data: detached } },
    'detached labels': { inputs: { a }, labels: detachedLabels },
    'an object with the prototype of an array': {
      inputs: { a: { data: Object.create(Uint8Array.prototype), shape: [] } },
    },
    'a Proxy of an array': { inputs: { a: { data: new Proxy(new Uint8Array(4), {}), shape: [] } } },
    'a target with the prototype of an array': {
      inputs: { a },
      targets: { data: Object.create(Int32Array.prototype) },
    },
    'null as targets': { inputs: { a }, targets: null },
    'a list as targets': { inputs: { a }, targets: [1, 2, 3, 4] },
    'a number as an input': { inputs: { a: 5 } },
  };
  for (const [what, options] of Object.entries(cases)) {
    it(`refuses ${what} with an error of the library`, () => {
      assert.throws(
        () => arrays(options),
        ({ name, code, message }) => {
          assert.equal(name, 'LearnError');
          assert.match(code, /^ERR_(INVALID_OPTION|DATA_FORMAT)$/);
          assert.match(message, /"(targets|labels|inputs)/);
          return true;
        },
      );
    });
  }
});

describe('a file of predictions with an invalid form', () => {
  const at = temporaryFolder();
  const forms = [
    '{"inputs":[{"name":"input","dtype":"uint8","values":2}],"outputs":-4.4999999}',
    '{"inputs":[{"name":"input","dtype":"uint8","values":1e-9}],"outputs":1}',
    '{"inputs":[{"name":"input","dtype":"float64","values":2}],"outputs":1}',
    '{"inputs":[],"outputs":1}',
    '{"inputs":{"length":1},"outputs":1}',
    'null',
    '[]',
  ];
  for (const text of forms) {
    it(`is counted as lost, with the right checksum: ${text}`, async () => {
      const dir = at(String(forms.indexOf(text)));
      fs.mkdirSync(dir);
      const header = Buffer.alloc(28 + Buffer.byteLength(text) + 4);
      header.write('TIPENDG2');
      header.writeBigUInt64LE(1n, 8);
      header.write('0123456789abcdef', 16, 'hex');
      header.writeUInt32LE(Buffer.byteLength(text), 24);
      header.write(text, 28);
      header.writeUInt32LE(native().crc32c([header.subarray(0, -4)]), header.length - 4);
      fs.writeFileSync(path.join(dir, 'pending-000000001.log'), Buffer.concat([header, Buffer.alloc(160)]));
      const store = await PendingStore.open(dir, formOf('uint8', 2, 1), limits, knowsNone, inPlace);
      try {
        const { pending, lost } = store.counts;
        assert.equal(pending, 0);
        assert.ok(lost >= 1 && lost < 100, String(lost));
      } finally {
        await store.close();
      }
    });
  }
});
