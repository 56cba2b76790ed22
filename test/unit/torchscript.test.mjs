// Weights of TorchScript archives that are made by hand: from their code nothing but the lists of parameters and buffers is read, and what two
// readers could read differently is refused.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { loadState } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { call, join, p, records, refused, tensor, zip } from './checkpoint-support.mjs';

/** An object of a class of the archive, with these attributes. */
function object(title, attributes, module = '__torch__') {
  const entries = Object.entries(attributes).flatMap(([name, value]) => [p.text(name), value]);
  return [p.global(module, title), p.emptyTuple, p.newobj, p.emptyDict, p.mark, ...entries, p.setItems, p.build];
}

/** The lines of a class, and a method after them. */
function classLines(title, parameters, buffers = []) {
  const list = (names) => names.map((name) => `"${name}", `).join('');
  const lines = [
    `class ${title}(Module):`,
    `  __parameters__ = [${list(parameters)}]`,
    `  __buffers__ = [${list(buffers)}]`,
  ];
  return `${[...lines, '  training : bool', `  def forward(self: __torch__.${title}) -> Tensor:`, '    return torch.ones([2])'].join('\n')}\n`;
}

/** An archive with this root and these files of code. */
function archive(root, code = { '__torch__.py': classLines('Net', ['weight']) }) {
  const files = Object.entries(code).map(([name, text]) => [`x/code/${name}`, text]);
  return zip([
    ...records(join(p.proto(), root, p.stop)),
    ['x/constants.pkl', join(p.proto(), p.emptyTuple, p.stop)],
    ...files,
  ]);
}

const net = (attributes = { weight: tensor() }) => object('Net', attributes);
const loop = [
  p.global('__torch__', 'Net'),
  p.emptyTuple,
  p.newobj,
  p.put(0),
  p.emptyDict,
  p.mark,
  p.text('weight'),
  tensor(),
];

const hostile = {
  'no module': [archive(tensor()), 'ERR_STATE_FORMAT', /Expected a module in data\.pkl/],
  'a dict of tensors': [
    archive([p.emptyDict, p.text('weight'), tensor(), p.setItem]),
    'ERR_STATE_FORMAT',
    /Expected a module/,
  ],
  'a class without code': [archive(object('Other', { weight: tensor() })), 'ERR_STATE_FORMAT', /Expected a module/],
  'no code at all': [archive(net(), {}), 'ERR_STATE_FORMAT', /Expected a module/],
  'a class that says nothing of its buffers': [
    archive(net(), { '__torch__.py': 'class Net(Module):\n  __parameters__ = ["weight", ]\n  weight : Tensor\n' }),
    ...['ERR_STATE_FORMAT', /Expected a module/],
  ],
  'a parameter that the module does not hold': [
    archive(net({ other: tensor() })),
    'ERR_STATE_FORMAT',
    /a tensor for "weight".*nothing/,
  ],
  'a parameter that is a number': [
    archive(net({ weight: p.int(3) })),
    'ERR_STATE_FORMAT',
    /a tensor for "weight".*the number 3/,
  ],
  'a state that is no dict': [
    archive([p.global('__torch__', 'Net'), p.emptyTuple, p.newobj, tensor(), p.build]),
    ...['ERR_STATE_FORMAT', /restores its state by code, which is never run/],
  ],
  'no weights': [
    archive(net({}), { '__torch__.py': classLines('Net', []) }),
    'ERR_STATE_FORMAT',
    /no weights of its own/,
  ],
  'a module that holds itself': [
    archive([...loop, p.text('inner'), p.get(0), p.setItems, p.build]),
    'ERR_STATE_FORMAT',
    /nested deeper/,
  ],
  'code that is asked for': [
    archive(net({ weight: tensor(), other: call('os', 'system', p.text('true')) })),
    ...['ERR_STATE_UNSAFE', /os\.system/],
  ],
  'more code than classes need': [
    archive(net(), { '__torch__.py': classLines('Net', ['weight']), 'a.py': Buffer.alloc(2 ** 24, '\n') }),
    ...['ERR_STATE_FORMAT', /its code is larger/],
  ],
};

describe('weights of TorchScript archives made by hand', () => {
  const at = temporaryFolder();

  it('are the parameters, then the buffers, then those of the modules, of each class in its list', async () => {
    const layer = (attributes) => object('Linear', attributes, '__torch__.torch.nn.modules.linear');
    const attributes = {
      fc: layer({ bias: p.none, weight: tensor() }),
      count: tensor(),
      weight: tensor(),
      plain: tensor(),
      sizes: call('torch.jit._pickle', 'build_intlist', [p.emptyList, p.mark, p.int(1), p.int(2), p.appends]),
      last: layer({ weight: tensor(), bias: tensor() }),
    };
    const code = {
      '__torch__.py': `import os\nos.system("false")\n${classLines('Other', ['plain'])}${classLines('Net', ['weight'], ['count'])}`,
      '__torch__/torch/nn/modules/linear.py': classLines('Linear', ['weight', 'bias']),
    };
    fs.writeFileSync(at('net.pt'), archive(object('Net', attributes), code));
    const state = await loadState(at('net.pt'));
    const names = ['weight', 'count', 'fc.weight', 'last.weight', 'last.bias'];
    assert.deepEqual(
      state.tensors.map(({ name }) => name),
      names,
    );
    assert.deepEqual([...state.tensor('last.bias').data], [1, 2, 3, 4]);
  });

  for (const [name, [content, code, message]] of Object.entries(hostile))
    it(`are refused: ${name}`, () => refused(at('hostile.pt'), content, code, message));
});
