// Programs keep their names, and every kind of argument, result and node, apart.
import assert from 'node:assert/strict';
import { withArchive } from '../../dist/pt2/archive.js';
import { readProgram } from '../../dist/pt2/program.js';
import { temporaryFolder } from '../support.mjs';
import { archive, written } from './archives.mjs';
import { container, graphOf, leaf, model, node, raw, ref, unnamed } from './descriptions.mjs';

describe('exported programs', () => {
  const at = temporaryFolder();
  const read = (content, name) => withArchive(written(at('net.pt2'), content), (opened) => readProgram(opened, name));
  const first = (content) => read(content).then(({ graph }) => graph.nodes[0]);

  it('name outputs by dicts, lists, named tuples and dataclasses', async () => {
    const outSpec = container(
      'builtins.tuple',
      null,
      container('builtins.dict', ['logits', 'aux'], leaf, container('builtins.list', null, leaf, leaf)),
      { ...container('collections.namedtuple', null, leaf, leaf), context: 'model.Pair' },
      container('model.Output', ['loss', 'hidden'], leaf, leaf),
      container('collections.defaultdict', ['builtins.list', ['k']], leaf),
    );
    const outputs = ['add_1', 'linear', { as_none: true }, { as_int: 3 }, 'add_1', 'linear', 'add_1', 'linear'];
    const json = (built) => {
      built.graph_module.treespec_namedtuple_fields = { 'model.Pair': { field_names: ['left', 'right'] } };
    };
    const found = await read(archive(model({ outSpec, outputs }), { json }));
    assert.deepEqual(
      found.outputs.map(({ name, path, value, constant }) => [name, path.length, value ?? constant]),
      [
        ['0.logits', 2, 'add_1'],
        ['0.aux.0', 3, 'linear'],
        ['0.aux.1', 3, null],
        ['1.left', 2, { int: 3 }],
        ['1.right', 2, 'add_1'],
        ['2.loss', 2, 'linear'],
        ['2.hidden', 2, 'add_1'],
        ['3.k', 2, 'linear'],
      ],
    );
  });

  it('name inputs by keywords, by parameters of forward, and in old programs by the graph', async () => {
    const inputs = { x: { shape: ['s0', 3] }, mask: { dtype: 'bool', shape: ['s0'] } };
    const names = async (json) =>
      (await read(archive(model({ inputs, kwargs: ['mask'] }), { json }))).inputs.map(({ name }) => name);
    const signature = (built) => built.graph_module.module_call_graph[0].signature;
    assert.deepEqual(await names(), ['x', 'mask']);
    const renamed = (built) => {
      signature(built).forward_arg_names = ['pixels', 'mask'];
    };
    assert.deepEqual(await names(renamed), ['pixels', 'mask']);
    const old = (built) => {
      delete signature(built).forward_arg_names;
    };
    assert.deepEqual(await names(old), ['x', 'mask']);
  });

  it('keep arguments that were fixed at export', async () => {
    const json = ({ graph_module }) => {
      const fixed = { constant_input: { name: 'flag', value: { as_bool: true } } };
      graph_module.signature.input_specs.push(fixed);
      graph_module.graph.inputs.push({ as_bool: true });
      const { signature } = graph_module.module_call_graph[0];
      const both = container('builtins.tuple', null, leaf, leaf);
      signature.in_spec = JSON.stringify([1, container('builtins.tuple', null, both, container('builtins.dict', []))]);
      signature.forward_arg_names = ['x', 'flag'];
    };
    const { inputs } = await read(archive(model(), { json }));
    assert.deepEqual(inputs[1], { type: 'constant', name: 'flag', constant: true });
  });

  it('keep every kind of argument apart', async () => {
    const args = {
      most: { as_int: raw('9223372036854775807') },
      least: { as_int: raw('-9223372036854775808') },
      whole: { as_float: raw('2.0') },
      integral: { as_float: 2 },
      infinite: { as_float: '-Infinity' },
      none: { as_none: true },
      word: { as_string: 'bij,bjk->bik' },
      dtype: { as_scalar_type: 13 },
      layout: { as_layout: 7 },
      format: { as_memory_format: 2 },
      device: { as_device: { type: 'cuda', index: 1 } },
      ints: { as_ints: [2, -1] },
      floats: { as_floats: [raw('0.5'), 'NaN'] },
      bools: { as_bools: [true, false] },
      indices: { as_optional_tensors: [{ as_none: true }, ref('x')] },
      tensors: { as_tensors: [{ name: 'x' }, { name: 'x' }] },
      mixed: { as_sym_ints: [{ as_int: 2 }, { as_int: -1 }] },
      known: { as_sym_int: { as_int: 7 } },
    };
    const found = await first(
      archive(model({ nodes: [node('torch.ops.aten.any.name', args, 'linear'), ...model().nodes.slice(1)] })),
    );
    assert.deepEqual(found.args, {
      most: { int: 2n ** 63n - 1n },
      least: { int: -(2n ** 63n) },
      whole: { float: 2 },
      integral: { float: 2 },
      infinite: { float: -Infinity },
      none: null,
      word: 'bij,bjk->bik',
      dtype: { dtype: 'bfloat16' },
      layout: { layout: 'strided' },
      format: { memoryFormat: 'channels_last' },
      device: { device: 'run' },
      ints: [{ int: 2 }, { int: -1 }],
      floats: [{ float: 0.5 }, { float: NaN }],
      bools: [true, false],
      indices: [null, { value: 'x' }],
      tensors: [{ value: 'x' }, { value: 'x' }],
      mixed: [{ int: 2 }, { int: -1 }],
      known: { int: 7 },
    });
    assert.equal(found.op, 'aten::any');
    assert.equal(found.overload, 'name');
    assert.deepEqual(found.place, {
      module: { path: 'fc', type: 'torch.nn.modules.linear.Linear' },
      line: 'model.py:12',
    });
  });

  it('give results of every kind a name and a type, and calculations their operands', async () => {
    const size = { as_sym_int: { as_name: 'batch' } };
    const nodes = [
      node('torch.ops.aten.sym_size.int', { self: ref('x'), dim: { as_int: 0 } }, size),
      node('_operator.mul', { a: size, b: { as_int: 2 } }, { as_sym_int: { as_name: 'double' } }),
      node('torch.ops.aten.chunk.default', { self: ref('x') }, { as_tensors: [{ name: 'left' }, { name: 'right' }] }),
      node('torch.ops.aten.lstm.input', { input: ref('left') }, 'linear', 'hidden', { as_none: true }),
      node('torch.ops.aten._assert_scalar.default', { self: { as_sym_int: { as_name: 'double' } } }),
    ];
    const { graph } = await read(archive(model({ tensors: {}, nodes, outputs: ['linear'] })));
    assert.deepEqual(graph.values, [
      { name: 'x', type: 'tensor' },
      { name: 'batch', type: 'int' },
      { name: 'double', type: 'int' },
      { name: 'left', type: 'tensor' },
      { name: 'right', type: 'tensor' },
      { name: 'linear', type: 'tensor' },
      { name: 'hidden', type: 'tensor' },
    ]);
    assert.deepEqual(
      graph.nodes.map(({ kind, outputs, output }) => [kind, outputs ?? output]),
      [
        ['operator', ['batch']],
        ['scalar', 'double'],
        ['operator', [['left', 'right']]],
        ['operator', ['linear', 'hidden', null]],
        ['operator', []],
      ],
    );
    assert.deepEqual(graph.nodes[1].operands, [{ value: 'batch' }, { int: 2 }]);
  });

  for (const [version, outputs] of [
    ['2.6', [{ as_tensors: [{ name: 'linear' }] }]],
    ['2.8', ['linear']],
  ])
    it(`hold regions without gradients as torch ${version} writes them`, async () => {
      const { nodes } = model();
      const region = {
        ...node('torch.ops.higher_order.wrap_with_set_grad_enabled', {}, ...outputs),
        inputs: unnamed(
          { as_bool: false },
          graphOf([nodes[0]], ['linear']),
          ref('x'),
          ref('p_fc_weight'),
          ref('p_fc_bias'),
        ),
      };
      const { graph } = await read(archive(model({ nodes: [region, ...nodes.slice(1)] })));
      const [{ kind, settings, operands, outputs: results, graph: inner }] = graph.nodes;
      assert.deepEqual([kind, settings, results], ['region', { grad: false }, ['linear']]);
      assert.deepEqual(operands, [{ value: 'x' }, { value: 'p_fc_weight' }, { value: 'p_fc_bias' }]);
      assert.deepEqual(inner.outputs, [{ value: 'linear' }]);
      assert.equal(inner.nodes[0].op, 'aten::linear');
    });
});
