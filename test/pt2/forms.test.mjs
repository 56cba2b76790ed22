// Archives in each form of PyTorch give one program: names, shapes, strides, ties and the order of the state.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { withArchive } from '../../dist/pt2/archive.js';
import { readProgram } from '../../dist/pt2/program.js';
import { temporaryFolder } from '../support.mjs';
import { archive, forms, written } from './archives.mjs';
import { container, leaf, model, node, ref } from './descriptions.mjs';

describe('archives of exported programs', () => {
  const at = temporaryFolder();
  const read = (content, name) => withArchive(written(at('net.pt2'), content), (opened) => readProgram(opened, name));

  for (const form of forms)
    it(`of the form ${form} give names, dtypes, sizes and strides`, async () => {
      const found = await read(archive(model(), { form }));
      assert.equal(found.name, 'model');
      assert.equal(found.torchVersion, '2.13.0+cpu');
      assert.deepEqual(found.inputs, [
        { type: 'tensor', name: 'x', value: 'x', dtype: 'float32', shape: [{ symbol: 's0' }, 3] },
      ]);
      assert.deepEqual(found.outputs, [
        { name: 'output', path: [], type: 'tensor', value: 'add_1', dtype: 'float32', shape: [{ symbol: 's0' }, 2] },
      ]);
      assert.deepEqual(found.symbols, [{ name: 's0', min: 2, max: Infinity }]);
      assert.deepEqual(
        found.tensors.map(({ storage: _, ...tensor }) => tensor),
        [
          tensorOf('parameter', 'fc.weight', 'p_fc_weight', { shape: [2, 3], stride: [3, 1], requiresGrad: true }),
          tensorOf('parameter', 'fc.bias', 'p_fc_bias', { shape: [2], stride: [1], requiresGrad: true }),
          tensorOf('buffer', 'shift', 'b_shift', { shape: [2], stride: [1] }),
          tensorOf('buffer', 'fc.count', 'b_fc_count', { dtype: 'int64', shape: [], stride: [] }),
          tensorOf('buffer', 'table', 'b_table', { shape: [2], stride: [1], persistent: false }),
          tensorOf('constant', 'c_scale', 'c_scale', { shape: [], stride: [], persistent: false }),
        ],
      );
      assert.deepEqual(found.modules, [
        { path: '', type: 'model.Net' },
        { path: 'fc', type: 'torch.nn.modules.linear.Linear' },
      ]);
    });

  for (const form of forms)
    it(`of the form ${form} say where the bytes of each tensor are`, async () => {
      const file = written(at('net.pt2'), archive(model(), { form }));
      const bytes = fs.readFileSync(file);
      await withArchive(file, async (opened) => {
        const found = await readProgram(opened);
        for (const [i, storage] of found.storages.entries()) {
          const place = await storage.place();
          assert.equal(place.bytes, storage.bytes);
          const key = i < 4 ? i + 1 : i - 3;
          assert.deepEqual(bytes.subarray(place.offset, place.offset + place.bytes), Buffer.alloc(place.bytes, key));
        }
      });
    });

  it('order the state module by module, parameters before buffers', async () => {
    const tensors = {
      'b.weight': { role: 'parameter', shape: [2] },
      'a.mean': { role: 'buffer', shape: [2] },
      'a.weight': { role: 'parameter', shape: [2] },
      scale: { role: 'parameter', shape: [2] },
      'b.0.mean': { role: 'buffer', shape: [2] },
    };
    const nodes = [node('torch.ops.aten.mul.Tensor', { self: ref('x'), other: ref('p_scale') }, 'linear')];
    const changed = { tensors, nodes, outputs: ['linear'], modules: ['', 'a', 'b', 'b.0'] };
    const { state, tensors: found } = await read(archive(model(changed)));
    assert.deepEqual(
      state.map(({ name }) => name),
      ['scale', 'a.weight', 'a.mean', 'b.weight', 'b.0.mean'],
    );
    for (const { name, tensor } of state) assert.deepEqual(found[tensor].names, [name]);
  });

  for (const form of forms)
    it(`of the form ${form} join tied names into one tensor, and keep views of one storage apart`, async () => {
      const tensors = {
        'fc.weight': { role: 'parameter', shape: [2, 3], elements: 12 },
        'out.weight': { role: 'parameter', shape: [2, 3], shares: 'fc.weight' },
        'out.part': { role: 'parameter', shape: [2, 3], shares: 'fc.weight', offset: 6, grad: false },
        'out.turned': { role: 'parameter', shape: [3, 2], stride: [1, 3], shares: 'fc.weight' },
      };
      const nodes = [node('torch.ops.aten.linear.default', { input: ref('x'), weight: ref('p_out_weight') }, 'linear')];
      const description = model({ tensors, nodes, outputs: ['linear'], modules: ['', 'fc', 'out'] });
      const { state, tensors: found, storages } = await read(archive(description, { form }));
      assert.deepEqual(
        found.map(({ names, values, offset, stride, requiresGrad }) => ({
          names,
          values,
          offset,
          stride,
          requiresGrad,
        })),
        [
          {
            ...{ names: ['fc.weight', 'out.weight'], values: ['p_fc_weight', 'p_out_weight'] },
            ...{ offset: 0, stride: [3, 1], requiresGrad: true },
          },
          { names: ['out.part'], values: ['p_out_part'], offset: 6, stride: [3, 1], requiresGrad: false },
          { names: ['out.turned'], values: ['p_out_turned'], offset: 0, stride: [1, 3], requiresGrad: true },
        ],
      );
      assert.deepEqual(state, [
        { name: 'fc.weight', tensor: 0 },
        { name: 'out.weight', tensor: 0 },
        { name: 'out.part', tensor: 1 },
        { name: 'out.turned', tensor: 2 },
      ]);
      assert.equal(storages.length, 1);
      assert.equal(storages[0].bytes, 48);
    });

  it('hold several programs, of which one is named', async () => {
    const both = archive({ train: model(), eval: model({ outSpec: container('builtins.dict', ['y'], leaf) }) });
    assert.equal((await read(both, 'train')).outputs[0].name, 'output');
    assert.equal((await read(both, 'eval')).outputs[0].name, 'y');
    const named = (name) => (error) => error.code === name[0] && name[1].test(error.message);
    await assert.rejects(read(both), named(['ERR_STATE_FORMAT', /"train" or "eval".*option "program"/]));
    await assert.rejects(read(both, 'test'), named(['ERR_INVALID_OPTION', /"program".*"test".*"train" or "eval"/]));
  });

  it('are frozen in every part', async () => {
    const found = await read(archive(model()));
    const open = (value, path) =>
      typeof value !== 'object' || value === null
        ? []
        : [
            ...(Object.isFrozen(value) ? [] : [path]),
            ...Object.entries(value).flatMap(([key, item]) => open(item, `${path}.${key}`)),
          ];
    assert.deepEqual(open(found, 'program'), []);
  });

  for (const form of forms)
    it(`of the form ${form} are read without a look at sample inputs and what users added`, async () => {
      // A reader that opened them would refuse the header, or the checksum.
      const broken = { localName: 'elsewhere', crc: 1 };
      const records = (all) => [
        ...all.map(([name, data]) => (/inputs/.test(name) ? [name, data, broken] : [name, data])),
        [form === 'flat' ? 'extra_files/note.so' : 'extra/note.so', 'x', broken],
      ];
      assert.equal((await read(archive(model(), { form, records }))).graph.nodes.length, 5);
    });

  it('have no other records than they hold', async () =>
    assert.rejects(
      withArchive(written(at('net.pt2'), archive(model())), (opened) => opened.json('models/other.json')),
      /Expected a record models\/other\.json in the archive but it has none/,
    ));

  const long = () => {
    const nodes = model().nodes;
    for (let i = 0; i < 4000; i++)
      nodes.push(node('torch.ops.aten.relu.default', { self: ref(i === 0 ? 'add_1' : `relu_${i - 1}`) }, `relu_${i}`));
    return written(at('net.pt2'), archive(model({ nodes })));
  };

  it('stop being read when the signal aborts', async () => {
    const [file, controller] = [long(), new AbortController()];
    const reading = withArchive(file, (opened) => readProgram(opened), controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 5);
    await assert.rejects(reading, { message: 'enough' });
  });

  it('give the event loop turns while a long program is read', async () => {
    const file = long();
    let turns = 0;
    const counter = setInterval(() => turns++, 0);
    const found = await withArchive(file, (opened) => readProgram(opened));
    clearInterval(counter);
    assert.equal(found.graph.nodes.length, 4005);
    assert.ok(turns >= 10, `${turns} turns`);
  });
});

const tensorOf = (role, name, value, facts) => ({
  ...{ role, names: [name], values: [value], persistent: true, requiresGrad: false, dtype: 'float32', offset: 0 },
  ...facts,
});
