// Saved programs have the weights of a state, and all else as the archive had it that they came from, in the layout of torch 2.9.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { crc32, deflateRawSync } from 'node:zlib';
import { withArchive } from '../../dist/pt2/archive.js';
import { temporaryFolder } from '../support.mjs';
import { archive, forms, written } from './archives.mjs';
import { model } from './descriptions.mjs';
import { described, float, read, recordsOf, saved, stateIn } from './saved.mjs';

describe('saved programs', () => {
  const at = temporaryFolder();

  for (const form of forms)
    it(`of the form ${form} differ from what they came from in their weights alone`, async () => {
      const file = await saved(at, archive(model(), { form }));
      const [before, after] = [await read(at('net.pt2')), await read(file)];
      // Records are numbered by their own layout.
      const without = ({ program: { tensors, ...program } }) => ({
        ...program,
        tensors: tensors.map(({ storage: _, ...tensor }) => tensor),
      });
      assert.deepEqual(after.map(without), before.map(without));
      assert.deepEqual(after[0].values.slice(0, 4), [[1, 2, 3, 4, 5, 6], [7, 8], [9, 10], [11]]);
      assert.deepEqual(after[0].values.slice(4), before[0].values.slice(4));
    });

  for (const form of forms)
    it(`of the form ${form} have the records of torch 2.9, the program byte for byte, and no sample inputs`, async () => {
      const { root, records } = await recordsOf(await saved(at, archive(model(), { form })));
      assert.equal(root, 'new name/');
      assert.deepEqual(
        [...records.keys()],
        [
          ...[0, 1, 2, 3].map((i) => `data/weights/weight_${i}`),
          'data/weights/model_weights_config.json',
          ...['tensor_0', 'tensor_1'].map((name) => `data/constants/${name}`),
          'data/constants/model_constants_config.json',
          'models/model.json',
          'data/sample_inputs/model.pt',
          ...['archive_format', 'archive_version', '.data/version', 'byteorder', '.data/serialization_id'],
        ],
      );
      assert.equal(records.get('data/sample_inputs/model.pt').length, 0);
      const program = form === 'flat' ? 'serialized_exported_program.json' : 'models/model.json';
      const source = await withArchive(at('net.pt2'), (opened) => opened.place(program));
      const bytes = fs.readFileSync(at('net.pt2')).subarray(source.offset, source.offset + source.bytes);
      assert.deepEqual(records.get('models/model.json'), bytes);
      assert.match(String(records.get('.data/serialization_id')), /^\d{40}$/);
    });

  it('keep the configs of newer archives byte for byte, also where the zip file was compressed', async () => {
    const config = 'data/weights/model_weights_config.json';
    const text = fs.readFileSync(await saved(at, archive(model())));
    const before = (await recordsOf(at('net.pt2'))).records;
    assert.ok(text.length > 0);
    assert.deepEqual((await recordsOf(at('new name.pt2'))).records.get(config), before.get(config));
    const records = (all) =>
      all.map(([name, data]) => {
        if (!name.endsWith('.json')) return [name, data];
        const bytes = Buffer.from(data);
        return [name, deflateRawSync(bytes), { method: 8, localMethod: 8, crc: crc32(bytes), size: bytes.length }];
      });
    const after = (await recordsOf(await saved(at, archive(model(), { records })))).records;
    for (const name of [config, 'models/model.json', 'data/constants/model_constants_config.json'])
      assert.deepEqual(after.get(name), before.get(name));
  });

  for (const form of forms)
    it(`of the form ${form} keep what users added, unless it is damaged`, async () => {
      const folder = form === 'flat' ? 'extra_files' : 'extra';
      const added = [`${folder}/labels.txt`, 'cat, dog'];
      const text = Buffer.from('x'.repeat(100));
      const deflated = { method: 8, localMethod: 8, crc: crc32(text), size: text.length };
      const packed = [`${folder}/a/packed.so`, deflateRawSync(text), deflated];
      const kept = async (...more) => {
        const content = archive(model(), { form, records: (all) => [...all, added, ...more] });
        const { records } = await recordsOf(await saved(at, content));
        return [...records].filter(([name]) => name.startsWith('extra')).map(([name, data]) => [name, String(data)]);
      };
      const labels = ['extra/labels.txt', 'cat, dog'];
      assert.deepEqual(await kept(packed), [labels, ['extra/a/packed.so', String(text)]]);
      assert.deepEqual(await kept([`${folder}/other.txt`, 'x', { localName: 'elsewhere' }]), [labels]);
      assert.deepEqual(await kept([`${folder}/other.txt`, 'x', { crc: 1 }]), []);
      const bomb = [`${folder}/bomb.txt`, 'x', { method: 8, localMethod: 8, size: 2 ** 27 }];
      assert.deepEqual(await kept(bomb), [labels]);
    });

  it('keep 16 MiB and 1000 files of what users added', async () => {
    const extra = (name) => [`extra/${name}`, Buffer.alloc(10 * 2 ** 20)];
    const large = ['extra/large', Buffer.alloc(17 * 2 ** 20)];
    const records = (all) => [...all, large, extra('first'), extra('second'), ['extra/small', 'x']];
    const found = await recordsOf(await saved(at, archive(model(), { records })));
    assert.deepEqual(
      [...found.records.keys()].filter((name) => name.startsWith('extra')),
      ['extra/first', 'extra/small'],
    );
    const many = (all) => [...all, ...Array.from({ length: 1001 }, (_, i) => [`extra/${i}`, 'x'])];
    const names = [...(await recordsOf(await saved(at, archive(model(), { records: many })))).records.keys()];
    assert.equal(names.filter((name) => name.startsWith('extra')).at(-1), 'extra/999');
  });

  it('keep constants that share a record', async () => {
    const tensors = {
      weight: { role: 'parameter', shape: [2] },
      table: { role: 'buffer', shape: [3], elements: 4, persistent: false },
      tail: { role: 'buffer', shape: [2], shares: 'table', offset: 2, persistent: false },
    };
    for (const form of forms) {
      const file = await saved(at, archive(described(tensors), { form }), { weight: float([2], 1, 2) });
      const [before, after] = [await read(at('net.pt2')), await read(file)];
      assert.deepEqual(after[0].values, [[1, 2], ...before[0].values.slice(1)]);
      const names = [...(await recordsOf(file)).records.keys()];
      assert.deepEqual(
        names.filter((name) => /^data\/constants\/tensor/.test(name)),
        ['data/constants/tensor_0'],
      );
    }
  });

  for (const form of forms)
    it(`of the form ${form} keep views of one storage, ties, and strides`, async () => {
      const tensors = {
        first: { role: 'parameter', shape: [2], elements: 9, offset: 1 },
        second: { role: 'parameter', shape: [3], shares: 'first', offset: 5 },
        tied: { role: 'parameter', shape: [2], shares: 'first', offset: 1 },
        turned: { role: 'parameter', shape: [2, 3], stride: [1, 2] },
        wide: { role: 'buffer', shape: [2, 3], stride: [1, 0] },
        none: { role: 'buffer', shape: [0, 3] },
      };
      const state = {
        first: float([2], 1, 2),
        second: float([3], 3, 4, 5),
        tied: float([2], 1, 2),
        turned: float([2, 3], 1, 2, 3, 4, 5, 6),
        wide: float([2, 3], 7, 7, 7, 8, 8, 8),
        none: float([0, 3]),
      };
      const file = await saved(at, archive(described(tensors), { form }), state);
      const { records } = await recordsOf(file);
      const numbers = (name) => {
        const { buffer, byteOffset, length } = Buffer.from(records.get(`data/weights/${name}`));
        return [...new Float32Array(buffer.slice(byteOffset, byteOffset + length))];
      };
      const lists = [0, 1, 2].map((i) => numbers(`weight_${i}`));
      assert.deepEqual(lists, [
        [0, 1, 2, 0, 0, 3, 4, 5, 0],
        [1, 4, 2, 5, 3, 6],
        [7, 8],
      ]);
      const [{ program }] = await read(file);
      assert.deepEqual(program.tensors[0].names, ['first', 'tied']);
      assert.deepEqual(await stateIn(file), state);
    });

  it('store a tensor apart that shares memory with another but has other values', async () => {
    const tensors = {
      weight: { role: 'parameter', shape: [2, 2] },
      turned: { role: 'parameter', shape: [2, 2], stride: [1, 2], shares: 'weight', grad: false },
      last: { role: 'parameter', shape: [1], shares: 'weight', offset: 3 },
    };
    const state = { weight: float([2, 2], 1, 2, 3, 4), turned: float([2, 2], 1, 3, 2, 4), last: float([1], 4) };
    const before = (await read(written(at('net.pt2'), archive(described(tensors)))))[0].program;
    const same = (await read(await saved(at, archive(described(tensors)), state)))[0];
    assert.deepEqual(same.program, before);
    state.turned = float([2, 2], 5, 6, 7, 8);
    state.last = float([1], 9);
    const file = await saved(at, archive(described(tensors)), state);
    const apart = (await read(file))[0];
    assert.deepEqual(
      apart.program.tensors.map(({ storage }) => storage),
      [0, 1, 2],
    );
    const rest = ({ program }) => program.tensors.map(({ storage: _, offset: __, ...tensor }) => tensor);
    assert.deepEqual(rest(apart), rest({ program: before }));
    assert.deepEqual(await stateIn(file), state);
  });

  it('hold both programs of a package, with the weights of one state', async () => {
    const other = model({ modules: ['', 'fc', 'unused'] });
    for (const form of ['raw', 'pickled']) {
      const [train, evaluation] = await read(await saved(at, archive({ train: model(), eval: other }, { form })));
      assert.equal(train.program.name, 'train');
      assert.equal(evaluation.program.name, 'eval');
      assert.equal(evaluation.program.modules.length, 3);
      assert.deepEqual(train.values.slice(0, 4), [[1, 2, 3, 4, 5, 6], [7, 8], [9, 10], [11]]);
      assert.deepEqual(evaluation.values.slice(0, 4), train.values.slice(0, 4));
    }
  });

  it('of which one was stored by an older PyTorch get records of different names', async () => {
    let older;
    const pickled = { form: 'pickled', records: (all) => (older = all) };
    archive({ eval: model() }, pickled);
    const ofEval = older.filter(([name]) => /eval\.(pt|json)$/.test(name));
    const file = await saved(at, archive({ train: model() }, { records: (all) => [...all, ...ofEval] }));
    const { records } = await recordsOf(file);
    assert.equal([...records.keys()].filter((name) => /weight_\d+$/.test(name)).length, 8);
    const [train, evaluation] = await read(file);
    assert.deepEqual(evaluation.values.slice(0, 4), train.values.slice(0, 4));
    const before = await read(at('net.pt2'));
    assert.deepEqual(
      [train, evaluation].map(({ values }) => values.slice(4)),
      before.map(({ values }) => values.slice(4)),
    );
  });
});
