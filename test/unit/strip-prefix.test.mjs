// Tests prefixes that wrappers put before the names of a state, and other tensors of a wrapper.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { linear, loadState, OrderedDict, predict, saveState, sequential } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { call, checkpoint, join, p, pickle, tensor } from './checkpoint-support.mjs';

const dict = (...items) => [p.emptyDict, p.mark, ...items, p.setItems];
/** Makes a file whose root is a dict with these items. */
const file = (...items) => checkpoint(pickle(null, items));

describe('stripPrefix', () => {
  const at = temporaryFolder();
  const named = (...names) => file(...names.flatMap((name) => [p.text(name), tensor()]));
  const namesOf = async (content, stripPrefix) => {
    fs.writeFileSync(at('in.pth'), content);
    return (await loadState(at('in.pth'), { stripPrefix })).names;
  };

  it('removes the given prefix from every name', async () => {
    assert.deepEqual(await namesOf(named('net.a', 'net.b'), 'net.'), ['a', 'b']);
    await assert.rejects(namesOf(named('net.a', 'b'), 'net.'), { code: 'ERR_STATE_MISMATCH', message: /"b"/ });
  });

  it("removes with 'auto' the prefixes of wrappers from all names, in any order", async () => {
    assert.deepEqual(await namesOf(named('module._orig_mod.a', 'module._orig_mod.b'), 'auto'), ['a', 'b']);
    assert.deepEqual(await namesOf(named('_orig_mod.module.a'), 'auto'), ['a']);
    assert.deepEqual(await namesOf(named('model._orig_mod.module.model.a'), 'auto'), ['a']);
    assert.deepEqual(await namesOf(named('conv.a', 'b'), 'auto'), ['conv.a', 'b']);
    // A model of that name inside a wrapper, next to another one.
    assert.deepEqual(await namesOf(named('module.model.a', 'module.head.b'), 'auto'), ['model.a', 'head.b']);
  });

  it("lists with 'auto' names without the prefix of the others, unless they can belong to a wrapper", async () => {
    const message = (names) => ({ code: 'ERR_STATE_MISMATCH', message: new RegExp(names) });
    await assert.rejects(
      namesOf(named('module.a', 'b', 'c'), 'auto'),
      message('begin with "module\\.".* are "b", "c"'),
    );
    await assert.rejects(namesOf(named('model.a', 'head.b'), 'auto'), message('begin with "model\\.".* is "head\\.b"'));
    const many = Array.from({ length: 9 }, (_, i) => `b${i}.x`);
    await assert.rejects(namesOf(named('_orig_mod.a', ...many), 'auto'), message('"b4\\.x" and 4 more'));
  });

  for (const [names, stripPrefix, kept, leftOut] of [
    [['n_averaged', 'module.a', 'module.b'], 'auto', ['a', 'b'], ['n_averaged']],
    [['n_averaged', 'module.a'], 'module.', ['a'], ['n_averaged']],
    [['n_averaged', 'module.module._orig_mod.a'], 'auto', ['a'], ['n_averaged']],
    [['_orig_mod.n_averaged', '_orig_mod.module.a'], 'auto', ['a'], ['_orig_mod.n_averaged']],
    [['module.n_averaged', 'module.module.a'], 'module.module.', ['a'], ['module.n_averaged']],
    [
      ['model.a', 'criterion.weight', 'val_acc.total', 'class_weights'],
      'auto',
      ['a'],
      ['criterion.weight', 'val_acc.total', 'class_weights'],
    ],
    [['net.a', 'train_loss_fn.ce.weight'], 'net.', ['a'], ['train_loss_fn.ce.weight']],
  ]) {
    it(`leaves out tensors of the wrapper, with a warning that lists them: ${names}, ${stripPrefix}`, async () => {
      const warned = new Promise((resolve) => process.once('warning', resolve));
      fs.writeFileSync(at('in.pth'), named(...names));
      const state = await loadState(at('in.pth'), { stripPrefix });
      const { code, message } = await warned;
      assert.equal(code, 'WARN_LEFT_OUT');
      for (const name of leftOut) assert.ok(message.includes(JSON.stringify(name)), message);
      const prefix = names.find((name) => !leftOut.includes(name)).replace(/a$/, '');
      assert.deepEqual([state.names, state.stripped], [kept, { prefix, leftOut }]);
      for (const name of leftOut) assert.deepEqual([...state.metadata.get(name).data], [1, 2, 3, 4]);
      // They are saved next to the state, and are not treated as weights again.
      await saveState(state, at('out.pth'));
      const again = await loadState(at('out.pth'), { stripPrefix: 'auto' });
      assert.ok(again.equals(state));
      assert.deepEqual([...again.metadata.keys()], leftOut);
    });
  }

  it('is suggested if a state does not fit', async () => {
    fs.writeFileSync(at('in.pth'), named('module.0.weight'));
    const hint =
      /Names such as module\.0\.weight have the prefix of a wrapper: load the state with stripPrefix: 'auto'/;
    for (const [model, code] of [
      [sequential([linear(2, 2)]), 'ERR_STATE_MISMATCH'],
      [undefined, 'ERR_MODEL_UNKNOWN'],
    ])
      await assert.rejects(predict(at('in.pth'), new Float32Array(2), { model }), { code, message: hint });
  });

  it('refuses two values that have the same name without it', async () => {
    const items = [p.text('a'), p.int(1), p.text('module.a'), tensor()];
    await assert.rejects(namesOf(file(...items), 'module.'), {
      code: 'ERR_STATE_FORMAT',
      message: /name of something else/,
    });
  });

  it('removes it from the names of modules in _metadata too', async () => {
    const version = dict(p.text('version'), p.int(1));
    const modules = [p.text(''), version, p.text('module'), version, p.text('module.fc'), version];
    const state = [
      call('collections', 'OrderedDict'),
      p.mark,
      p.text('module.fc.weight'),
      tensor(),
      p.setItems,
      dict(p.text('_metadata'), [call('collections', 'OrderedDict'), p.mark, ...modules, p.setItems]),
      p.build,
    ];
    fs.writeFileSync(at('in.pth'), checkpoint(join(p.proto(), state, p.stop)));
    const { names, metadata } = await loadState(at('in.pth'), { stripPrefix: 'auto' });
    assert.deepEqual(names, ['fc.weight']);
    assert.ok(metadata.get('_metadata') instanceof OrderedDict);
    assert.deepEqual([...metadata.get('_metadata').keys()], ['', 'fc']);
  });
});
