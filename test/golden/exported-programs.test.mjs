// Programs that torch.export saves are read as PyTorch sees them: names, order, dtypes, sizes, strides, ties, the tensors' bits, inputs,
// outputs and nodes, in each form of archive.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { dtypes } from '../../dist/checkpoint/dtypes.js';
import { withArchive } from '../../dist/pt2/archive.js';
import { readProgram } from '../../dist/pt2/program.js';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/golden/exported_programs.py');
const models = [
  'mlp',
  'cnn',
  'lstm',
  'tied_autoencoder',
  'transformer_encoder',
  'non_persistent_buffer',
  'no_grad_block',
];
models.push('autocast_block', 'condition', 'dict_output', 'graph_conv', 'keywords', 'layouts');
const forms = { 'torch 2.9 and newer': '.pt2', 'torch 2.8': '.pickled.pt2', 'torch 2.6': '.flat.pt2' };

describe('programs exported by PyTorch', function () {
  this.timeout(300_000);
  const at = temporaryFolder();
  const answers = new Map();

  before(function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const lines = runPython(script, [at()]).trim().split('\n');
    for (const line of lines) answers.set(JSON.parse(line).name, JSON.parse(line));
  });

  it('are those of the list', () => assert.deepEqual([...answers.keys()], models));

  for (const name of models)
    for (const [form, ending] of Object.entries(forms))
      it(`${name} is read as ${form} stored it`, async () => {
        const [file, answer] = [at(`${name}${ending}`), answers.get(name)];
        await withArchive(file, async (archive) => {
          const program = await readProgram(archive);
          const values = await valuesOf(program, file);
          const facts = ({ dtype, shape, stride, offset, requiresGrad }, index) => [
            ...[dtype, shape, stride, offset, requiresGrad],
            values[index],
          ];
          const { state, tensors } = program;
          assert.deepEqual(
            state.map(({ name: each, tensor }) => [
              each,
              tensors[tensor].role === 'parameter',
              facts(tensors[tensor], tensor),
            ]),
            answer.state,
          );
          assert.deepEqual(
            tensors.flatMap((tensor, i) => (tensor.persistent ? [] : [[tensor.names[0], facts(tensor, i)]])).sort(),
            answer.constants.sort(),
          );
          assert.deepEqual(
            sorted(tensors.flatMap(({ names, persistent }) => (persistent ? [names] : []))),
            sorted(answer.ties),
          );
          checkInterface(program, answer);
          assert.deepEqual(program.graph.nodes.map(targetOf), answer.targets);
        });
      });

  it('both programs of a package are read', async () => {
    const read = (name) => withArchive(at('both.pt2'), (archive) => readProgram(archive, name));
    assert.equal((await read('train')).graph.nodes.length, answers.get('cnn').targets.length);
    assert.equal((await read('eval')).graph.nodes.length, answers.get('mlp').targets.length);
  });
});

const sorted = (lists) => lists.map((names) => [...names].sort()).sort();

/** Inputs are named by forward() where the archive says so; nn.Sequential calls its own `input`. */
function checkInterface({ inputs, outputs, symbols }, answer) {
  const named = (name) => (answer.inputs.length === 1 ? inputs[0].name : name);
  assert.deepEqual(
    inputs.map((input) =>
      input.type === 'constant'
        ? [input.name, null, input.constant.float]
        : [input.name, input.dtype, input.shape.map((size) => size.symbol ?? size)],
    ),
    answer.inputs.map(([name, ...facts]) => [named(name), ...facts]),
  );
  assert.deepEqual(
    outputs.map(({ path: steps, dtype = null }) => [steps, dtype]),
    answer.outputs,
  );
  assert.deepEqual(
    symbols.map(({ name, min, max }) => [name, min, max]),
    answer.ranges,
  );
}

/** The node's operator as Python prints it. */
function targetOf(node) {
  if (node.kind === 'operator') return `${node.op.replace('::', '.')}.${node.overload || 'default'}`;
  if (node.kind === 'scalar') return `_operator.${node.operation}`;
  if (node.kind === 'condition') return 'cond';
  return 'grad' in node.settings ? 'wrap_with_set_grad_enabled' : 'wrap_with_autocast';
}

/** SHA-256 of each tensor's values in the order of its elements. */
async function valuesOf({ tensors, storages }, file) {
  const bytes = fs.readFileSync(file);
  const places = await Promise.all(storages.map((storage) => storage.place()));
  return tensors.map(({ dtype, shape, stride, offset, storage }) => {
    const { bytes: width } = dtypes[dtype];
    const { offset: start } = places[storage];
    const hash = createHash('sha256');
    const add = (axis, at) => {
      if (axis === shape.length) hash.update(bytes.subarray(start + at * width, start + (at + 1) * width));
      else for (let i = 0; i < shape[axis]; i++) add(axis + 1, at + i * stride[axis]);
    };
    add(0, offset);
    return hash.digest('hex');
  });
}
