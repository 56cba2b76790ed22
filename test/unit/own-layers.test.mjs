// Layers of one's own: what is wrong with one is a LearnError that names the layer by its path.
import assert from 'node:assert/strict';
import {
  conv2d,
  createState,
  dropout1d,
  dropout3d,
  flatten,
  leaf,
  linear,
  localResponseNorm,
  modelInput,
  node,
  predict,
  relu,
  residual,
  sequential,
  value,
} from 'torch-incremental';

const step = (args = { self: value('input') }, output = 'output') => node('relu', '', args, output);
const plain = { type: 'Own', version: 1, tensors: [], children: [], steps: [step()] };
const weight = { name: 'w', role: 'parameter', dtype: 'float32', shape: [2], init: { kind: 'constant', value: 1 } };
const within = (layer) => () => sequential({ block: sequential({ own: layer }) });

const wrong = {
  'a value that no step computes': [
    within(leaf('Own', [step({ self: value('nope') })])),
    /"own" \(Own\) uses the value "nope"/,
  ],
  'a value that only a later step computes': [
    within(leaf('Own', [step({ self: value('x') }), step(undefined, 'x')])),
    /"own" \(Own\) uses the value "x"/,
  ],
  'a value in a list that does not exist': [
    within(leaf('Own', [node('cat', '', { tensors: [value('input'), value('nope')] })])),
    /uses the value "nope"/,
  ],
  'no output': [within(leaf('Own', [step(undefined, 'x')])), /"own" \(Own\) computes no value "output"/],
  'no steps': [within(leaf('Own', [])), /computes no value "output"/],
  'an input that the model does not have': [
    within(leaf('Own', [step({ self: modelInput('mask') })])),
    /"own" uses the input "mask" of the model, whose inputs are input/,
  ],
  'a step that is something else': [within({ ...plain, steps: [7] }), /has a step that is no node\(\)/],
  'a step without arguments': [
    within({ ...plain, steps: [{ op: 'aten::relu', overload: '' }] }),
    /has a step that is no node\(\)/,
  ],
  'a child that it does not have': [
    within({ ...plain, steps: [{ module: 'fc', input: 'input', output: 'output' }] }),
    /"own" calls "fc", which it does not have/,
  ],
  'a child that it never calls': [within({ ...plain, children: [['fc', linear(2, 2)]] }), /"own" never calls "fc"/],
  'a child that is no layer': [within({ ...plain, children: [['fc', 7]] }), /has a child that is not \[name, layer\]/],
  'a child with a dot in its name': [
    within({ ...plain, children: [['a.b', relu()]] }),
    /has a child that is not \[name, layer\]/,
  ],
  'two tensors of one name': [within(leaf('Own', [step()], [weight, weight])), /two values called "own\.w"/],
  'a tensor without a shape': [
    within(leaf('Own', [step()], [{ ...weight, shape: undefined }])),
    /"own" \(Own\) has a tensor that is not/,
  ],
  'a tensor of a negative size': [
    within(leaf('Own', [step()], [{ ...weight, shape: [-1] }])),
    /has a tensor that is not/,
  ],
  'a tensor of another dtype': [
    within(leaf('Own', [step()], [{ ...weight, dtype: 'float16' }])),
    /has a tensor that is not/,
  ],
  'a tensor in another role': [
    within(leaf('Own', [step()], [{ ...weight, role: 'weight' }])),
    /has a tensor that is not/,
  ],
  'a tensor that is initialised and not there': [
    within({ ...plain, draws: [{ tensor: 'w', init: weight.init }] }),
    /"own" initialises "w", which it does not have/,
  ],
  'a call of a value that does not exist': [
    within({ ...plain, children: [['fc', relu()]], steps: [{ module: 'fc', input: 'x', output: 'output' }] }),
    /"own\.fc" \(ReLU\) uses the value/,
  ],
  'leaf() without steps': [() => leaf('Own'), /Expected leaf\(type, steps/],
  'node() without arguments': [() => node('relu', ''), /Expected node\(op, overload, args, output\?\)/],
  'what is no layer': [() => sequential({ fc: 7 }), /Expected a layer.* for "fc" but received number \(7\)/],
  'a model without its parts': [() => sequential({ fc: { program: {} } }), /Expected a layer.* for "fc"/],
  'a name with a dot': [() => sequential({ 'a.b': relu() }), /names of layers that hold no dot/],
  'an activation with weights after the sum': [
    () => residual({ fc: linear(2, 2) }, { after: linear(2, 2) }),
    /a layer without weights.* for "after"/,
  ],
  'both forms of inputs': [() => sequential([relu()], { input: [2], inputs: { x: {} } }), /either "input" or "inputs"/],
  'an input of no known dtype': [() => sequential([relu()], { inputs: { x: { dtype: 'float16' } } }), /"dtype"/],
};

describe('layers of your own', () => {
  for (const [name, [make, message]] of Object.entries(wrong))
    it(`are refused with ${name}`, () =>
      assert.throws(make, { name: 'LearnError', code: 'ERR_INVALID_OPTION', message }));

  it('are named by errors of their operators', async () => {
    const reject = async (layers, shape, code, message) => {
      const model = sequential({ block: sequential(layers) });
      const inputs = new Float32Array(shape.reduce((a, b) => a * b, 1));
      const state = await createState(model);
      await assert.rejects(predict(state, inputs, { model, shape }), { name: 'LearnError', code, message });
    };
    await reject(
      { fc: linear(8, 4), act: relu(), out: linear(5, 2) },
      [8],
      'ERR_TORCH',
      /\(in the layer "block\.out" \(aten::linear\)/,
    );
    await reject(
      { conv: conv2d(3, 4, 3), flatten: flatten() },
      [3, 2, 2],
      'ERR_TORCH',
      /\(in the layer "block\.conv" \(aten::conv2d\)/,
    );
    const square = leaf('Own', [node('matmul', '', { self: value('input'), other: value('input') })]);
    await reject({ own: square }, [2], 'ERR_TORCH', /\(in the layer "block\.own" \(aten::matmul\)/);
    await reject(
      { own: leaf('Own', [node('nonsense', '', {})]) },
      [2],
      'ERR_INVALID_OPTION',
      /layer "block\.own" \(aten::nonsense\)/,
    );
    await reject(
      { own: leaf('Own', [step({ wrong: 1 })]) },
      [2],
      'ERR_INVALID_OPTION',
      /layer "block\.own" \(aten::relu\)/,
    );
  });

  it('are named where PyTorch would take a batch for one sample, or a window over other axes', async () => {
    for (const [layer, shape] of [
      [localResponseNorm(3), [4, 5]],
      [localResponseNorm(3), [4, 5, 6, 7]],
      [dropout1d(0.2), [4]],
      [dropout3d(0.2), [4, 5, 6]],
    ]) {
      const model = sequential({ own: layer });
      const inputs = new Float32Array(shape.reduce((a, b) => a * b, 1));
      const state = await createState(model);
      await assert.rejects(predict(state, inputs, { model, shape }), {
        message: /in the layer "own" \(aten::permute\)/,
      });
    }
  });

  it('run twice with one set of weights, and have names of their own in the state', async () => {
    const twice = {
      ...plain,
      children: [['fc', linear(2, 2)]],
      steps: [
        { module: 'fc', input: 'input', output: 'once' },
        { module: 'fc', input: 'once', output: 'output' },
      ],
    };
    const model = sequential({ twice });
    assert.deepEqual(
      model.tensors.map(({ name }) => name),
      ['twice.fc.weight', 'twice.fc.bias'],
    );
    const once = sequential({ fc: linear(2, 2) });
    const state = await createState(model, { seed: 3 });
    const renamed = state.renamed((name) => name.replace('twice.', ''));
    const first = await predict(renamed, Float32Array.of(1, 2), { model: once, shape: [2] });
    const second = await predict(renamed, first.logits, { model: once, shape: [2] });
    const both = await predict(state, Float32Array.of(1, 2), { model, shape: [2] });
    assert.deepEqual(both.logits, second.logits);
  });
});
