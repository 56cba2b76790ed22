// Files of predictions that wait for late labels: samples of any form, and files of earlier versions.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { native } from '../../dist/native/native.js';
import { PendingStore } from '../../dist/online/feedback/store.js';
import { temporaryFolder } from '../support.mjs';
import { formOf, inPlace, knowsNone, limits, warningsDuring } from './feedback-support.mjs';

const arrayOf = { uint8: Uint8Array, int32: Int32Array, int64: BigInt64Array, float32: Float32Array };

describe('files of predictions that wait for late labels', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  let folders = 0;
  const newFolder = () => {
    const dir = at(String(folders++));
    fs.mkdirSync(dir);
    return dir;
  };
  const opened = (dir, form) => PendingStore.open(dir, form, limits, knowsNone, inPlace);
  const pendingIn = (dir, number = 1) => path.join(dir, `pending-${String(number).padStart(9, '0')}.log`);

  let state = 20;
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const randomBytes = (count) => Uint8Array.from({ length: count }, () => random(256));
  const randomValues = (dtype, count) =>
    new arrayOf[dtype](randomBytes(count * arrayOf[dtype].BYTES_PER_ELEMENT).buffer);
  const isSame = (a, b) => a.constructor === b.constructor && Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
  const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);

  const randomForm = () => ({
    inputs: Array.from({ length: 1 + random(4) }, (_, i) => ({
      name: ['input', 'ids "x"', 'ü😀', '\n'][i],
      dtype: Object.keys(arrayOf)[random(4)],
      values: 1 + random(random(2) === 0 ? 5 : 700),
    })),
    outputs: 1 + random(9),
  });

  /** Asserts that each id leads to its sample, in any order. */
  async function assertRemembered(store, ids, inputs, logits, form) {
    for (const i of ids.map((_, k) => (k * 7) % ids.length)) {
      const found = await store.look(ids[i])?.();
      assert.ok(found, `sample ${i} of ${JSON.stringify(form)}`);
      const row = (values, size) => values.slice(i * size, (i + 1) * size);
      assert.ok(isSame(found.logits, row(logits, form.outputs)), JSON.stringify(form));
      assert.equal(found.inputs.length, form.inputs.length);
      for (const [k, { values }] of form.inputs.entries())
        assert.ok(isSame(found.inputs[k], row(inputs[k], values)), `input ${k} of ${JSON.stringify(form)}`);
    }
  }

  it('give back samples of 60 random forms bit for bit, from memory and from the disk', async () => {
    for (let round = 0; round < 60; round++) {
      const dir = newFolder();
      const form = randomForm();
      const count = [1, 2, 11, 60][random(4)];
      const inputs = form.inputs.map(({ dtype, values }) => randomValues(dtype, count * values));
      const logits = randomValues('float32', count * form.outputs);
      let store = await opened(dir, form);
      const ids = await store.remember(inputs, logits);
      assert.equal(new Set(ids).size, count);
      await assertRemembered(store, ids, inputs, logits, form);
      await store.close();
      const { result, warnings } = await warningsDuring(() => opened(dir, form));
      store = result;
      assert.deepEqual(warnings, []);
      assert.deepEqual(store.counts, { pending: count, joined: 0, expired: 0, lost: 0 });
      await assertRemembered(store, ids, inputs, logits, form);
      await store.close();
    }
  });

  it('have the bytes that docs/online.md describes', async () => {
    const dir = newFolder();
    const store = await opened(dir, formOf('uint8', 2, 2));
    const before = Date.now();
    const [id] = await store.remember([Uint8Array.of(5, 255)], Float32Array.of(1, -2));
    await store.close();
    const bytes = fs.readFileSync(pendingIn(dir));
    const text = '{"inputs":[{"name":"input","dtype":"uint8","values":2}],"outputs":2}';
    assert.equal(bytes.toString('latin1', 0, 8), 'TIPENDG2');
    assert.equal(bytes.readBigUInt64LE(8), 1n);
    assert.equal(id, `${bytes.toString('hex', 16, 24)}-0`);
    assert.equal(bytes.readUInt32LE(24), 68);
    assert.equal(bytes.toString('utf8', 28, 96), text);
    assert.equal(bytes.readUInt32LE(96), native().crc32c([bytes.subarray(0, 96)]));
    assert.equal(bytes.readUInt32LE(100), native().crc32c([bytes.subarray(104)]));
    assert.equal(bytes.readUInt32LE(104), 0);
    const time = Number(bytes.readBigUInt64LE(108));
    assert.ok(time >= before && time <= Date.now());
    assert.equal(bytes.toString('hex', 116), '0000803f000000c005ff');
  });

  /** A file as earlier versions wrote it, for samples of `values` numbers whose first is their index. */
  function earlierFile(number, token, dtype, values, count) {
    const size = arrayOf[dtype].BYTES_PER_ELEMENT;
    const header = Buffer.alloc(40);
    header.write('TIPENDG1');
    header.writeBigUInt64LE(BigInt(number), 8);
    header.write(token, 16, 'hex');
    header.writeUInt32LE(size, 24);
    header.writeUInt32LE(values, 28);
    header.writeUInt32LE(3, 32);
    header.writeUInt32LE(native().crc32c([header.subarray(0, 36)]), 36);
    const records = Array.from({ length: count }, (_, index) => {
      const record = Buffer.alloc(16 + 12 + size * values);
      record.writeUInt32LE(index, 4);
      record.writeBigUInt64LE(BigInt(Date.now()), 8);
      for (const [k, logit] of [index, -1, 0.5].entries()) record.writeFloatLE(logit, 16 + 4 * k);
      if (size === 1) record[28] = index;
      else record.writeFloatLE(index, 28);
      record.writeUInt32LE(native().crc32c([record.subarray(4)]), 0);
      return record;
    });
    return Buffer.concat([header, ...records]);
  }

  const token = '0123456789abcdef';

  for (const dtype of ['uint8', 'float32']) {
    it(`of earlier versions are read, and new ones follow them: ${dtype}`, async () => {
      const dir = newFolder();
      const file = earlierFile(4, token, dtype, 7, 20);
      fs.writeFileSync(pendingIn(dir, 4), file);
      const form = { inputs: [{ name: 'pixels', dtype, values: 7 }], outputs: 3 };
      let { result: store, warnings } = await warningsDuring(() => opened(dir, form));
      assert.deepEqual(warnings, []);
      const logits = Float32Array.of(1, 2, 3);
      const [id] = await store.remember([new arrayOf[dtype](7)], logits);
      const expected = (index) => ({
        logits: Float32Array.of(index, -1, 0.5),
        inputs: [arrayOf[dtype].from({ length: 7 }, (_, k) => (k === 0 ? index : 0))],
      });
      for (const index of [3, 19]) {
        const taken = store.take(`${token}-${index}`);
        assert.deepEqual(await store.read(taken), expected(index));
        store.settle(taken);
      }
      await store.close();
      store = await opened(dir, form);
      assert.deepEqual(store.counts, { pending: 19, joined: 2, expired: 0, lost: 0 });
      assert.deepEqual(await store.look(`${token}-18`)(), expected(18));
      assert.equal(store.look(`${token}-19`), undefined);
      assert.deepEqual(await store.look(id)(), { logits, inputs: [new arrayOf[dtype](7)] });
      assert.deepEqual(fs.readFileSync(pendingIn(dir, 4)), file, 'a file that was changed');
      assert.equal(fs.readFileSync(pendingIn(dir, 5)).toString('latin1', 0, 8), 'TIPENDG2');
      await store.close();
    });
  }

  it('of earlier versions count all their samples as lost if their header is damaged', async () => {
    const dir = newFolder();
    const bytes = earlierFile(1, token, 'float32', 30, 6);
    bytes[29] ^= 1;
    fs.writeFileSync(pendingIn(dir), bytes);
    const { result: store, warnings } = await warningsDuring(() => opened(dir, formOf('float32', 30, 3)));
    assert.match(warnings.join(), /6 of 6 in .*its header is damaged/);
    assert.deepEqual(store.counts, { pending: 0, joined: 0, expired: 0, lost: 6 });
    await store.close();
  });

  const ids = { name: 'ids', dtype: 'int64', values: 4 };
  const mask = { name: 'mask', dtype: 'int64', values: 4 };
  const two = { inputs: [ids, mask], outputs: 2 };
  for (const [what, form] of [
    ['inputs of the same form in another order', { ...two, inputs: [mask, ids] }],
    ['an input of another type', { ...two, inputs: [ids, { ...mask, dtype: 'int32' }] }],
    ['an input of another size', { ...two, inputs: [ids, { ...mask, values: 3 }] }],
    ['one input fewer', { ...two, inputs: [ids] }],
    ['one input more', { ...two, inputs: [ids, mask, { ...ids, name: 'more' }] }],
    ['other outputs', { ...two, outputs: 3 }],
  ]) {
    it(`are lost, and counted, if the learner has ${what} now`, async () => {
      const dir = newFolder();
      let store = await opened(dir, two);
      await store.remember([new BigInt64Array(12).fill(1n), new BigInt64Array(12)], new Float32Array(6));
      await store.close();
      const { result, warnings } = await warningsDuring(() => opened(dir, form));
      store = result;
      assert.match(warnings.join(), /3 of 3 in .*samples of another type or size now, or has other outputs/);
      assert.deepEqual(store.counts, { pending: 0, joined: 0, expired: 0, lost: 3 });
      await store.close();
    });
  }

  it('are lost, and nothing else fails, if their header claims a form that does not exist', async () => {
    for (const text of [
      '',
      'null',
      '{}',
      '{"inputs":[null],"outputs":2}',
      '{"inputs":[{"dtype":"x"}],"outputs":1e400}',
      '{',
    ]) {
      const dir = newFolder();
      const header = Buffer.alloc(28 + text.length + 4);
      header.write('TIPENDG2');
      header.writeBigUInt64LE(1n, 8);
      header.write(token, 16, 'hex');
      header.writeUInt32LE(text.length, 24);
      header.write(text, 28);
      header.writeUInt32LE(native().crc32c([header.subarray(0, -4)]), header.length - 4);
      fs.writeFileSync(pendingIn(dir), header);
      const { result: store, warnings } = await warningsDuring(() => opened(dir, two));
      assert.match(warnings.join(), /pending-000000001\.log/, text);
      const [id] = await store.remember([new BigInt64Array(4), new BigInt64Array(4)], Float32Array.of(1, 2));
      assert.ok(await store.look(id)());
      await store.close();
    }
  });
});
