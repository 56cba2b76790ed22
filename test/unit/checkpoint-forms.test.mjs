// Forms of checkpoints beside the plain state dict: what is found in them, what is kept of the rest, what is written again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { loadState, Opaque, OrderedDict, saveState, Tuple } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { call, checkpoint, join, p, pickle, refused, tensor, tupleOf, u8 } from './checkpoint-support.mjs';

const dict = (...items) => [p.emptyDict, p.mark, ...items, p.setItems];
const float = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return ['G', bytes];
};
const namespace = call('argparse', 'Namespace');
const weights = (name = 'fc.weight') => dict(p.text(name), tensor());
/** A file whose root is a dict with these items. */
const file = (...items) => checkpoint(pickle(null, items));

describe('a training checkpoint', () => {
  const at = temporaryFolder();
  const load = async (content, options) => {
    fs.writeFileSync(at('in.pth'), content);
    return loadState(at('in.pth'), options);
  };
  const training = file(
    ...[p.text('epoch'), p.int(3), p.text('lr'), float(1), p.text('betas'), tupleOf([float(0.5), p.int(2)])],
    ...[p.text('model'), weights(), p.text('buffer'), tensor(), p.text('args'), namespace],
  );

  it('gives the only dict of tensors, and the rest as metadata', async () => {
    const state = await load(training);
    assert.deepEqual(state.names, ['fc.weight']);
    assert.deepEqual([...state.metadata.keys()], ['epoch', 'lr', 'betas', 'buffer', 'args']);
    assert.equal(state.metadata.get('lr'), 1);
    assert.ok(state.metadata.get('betas') instanceof Tuple);
    assert.deepEqual([...state.metadata.get('betas')], [0.5, 2]);
    const buffer = state.metadata.get('buffer');
    assert.deepEqual([buffer.dtype, buffer.shape, [...buffer.data]], ['float32', [2, 2], [1, 2, 3, 4]]);
    assert.ok(state.metadata.get('args') instanceof Opaque);
    assert.equal(state.metadata.get('args').name, 'argparse.Namespace');
  });

  it('is written as it was, without what weights_only would refuse, of which a warning tells', async () => {
    const state = await load(training);
    const warned = new Promise((resolve) => process.once('warning', resolve));
    await saveState(state, at('out.pth'));
    const warning = await warned;
    assert.equal(warning.code, 'WARN_NOT_WRITTEN');
    assert.match(warning.message, /\["args"\] \(argparse\.Namespace\)/);
    const again = await loadState(at('out.pth'));
    assert.ok(again.equals(state));
    assert.deepEqual([...again.metadata.keys()], ['epoch', 'lr', 'betas', 'buffer']);
    assert.ok(fs.readFileSync(at('out.pth')).includes(Buffer.from([0x47, 0x3f, 0xf0])), 'lr is a float no more');
  });

  it('with several dicts of tensors lists them, and takes the one that is named', async () => {
    const two = file(p.text('model'), weights('a'), p.text('ema'), dict(p.text('shadow'), weights('b')));
    assert.deepEqual((await load(two)).names, ['a']); // the nearest to the root
    assert.deepEqual((await load(two, { key: 'ema.shadow' })).names, ['b']);
    const equal = file(p.text('model'), weights('a'), p.text('ema'), weights('b'));
    await refused(at('bad.pth'), equal, 'ERR_STATE_FORMAT', /\["model"\] \(1 tensor\), \["ema"\] \(1 tensor\)/);
    assert.deepEqual((await load(equal, { key: 'ema' })).names, ['b']);
    await assert.rejects(load(equal, { key: 'modle' }), /nothing under the key "modle".*\["model"\]/);
    await assert.rejects(load(training, { key: 'epoch' }), /a dict of tensors under the key "epoch".*the number 3/);
  });

  it('does not take momentum buffers or random states for weights', async () => {
    const optimizer = dict(
      ...[p.text('state'), dict(p.int(0), dict(p.text('momentum_buffer'), tensor()))],
      ...[p.text('param_groups'), p.emptyList],
    );
    const content = file(p.text('optimizer'), optimizer, p.text('rng'), weights('cpu'), p.text('net'), weights());
    const state = await load(content);
    assert.deepEqual(state.names, ['fc.weight']);
    const buffers = state.metadata.get('optimizer').get('state').get(0);
    assert.deepEqual([...buffers.get('momentum_buffer').data], [1, 2, 3, 4]);
  });

  it('keeps objects of unknown classes out of the weights', async () => {
    const inside = file(p.text('model'), dict(p.text('fc'), tensor(), p.text('extra'), namespace));
    await refused(at('bad.pth'), inside, 'ERR_STATE_UNSAFE', /\["model"\]\["extra"\] asks for argparse\.Namespace/);
    const outside = file(p.text('model'), weights(), p.text('bad'), call('os', 'system', p.text('true')));
    await refused(at('bad.pth'), outside, 'ERR_STATE_UNSAFE', /\["bad"\] asks for os\.system/);
  });

  it('reads numbers of NumPy', async () => {
    const dtype = [call('numpy', 'dtype', p.text('f8'), p.false, p.true), tupleOf([p.int(3), p.text('<')]), p.build];
    const bytes = call('_codecs', 'encode', p.text('\0\0\0\0\0\0\u00e8?'), p.text('latin1'));
    const best = call('numpy.core.multiarray', 'scalar', dtype, bytes);
    const state = await load(file(p.text('best'), best, p.text('model'), weights()));
    assert.equal(state.metadata.get('best'), 0.75);
  });

  const module = (parameters, modules, { type = '__main__ Net', more = [] } = {}) => [
    p.global(...type.split(' ')),
    p.emptyTuple,
    p.newobj,
    dict(p.text('_parameters'), parameters, p.text('_buffers'), p.emptyDict, p.text('_modules'), modules, ...more),
    p.build,
  ];

  it('gives the weights of a whole pickled model', async () => {
    const parameters = dict(p.text('weight'), tensor(), p.text('bias'), p.none);
    const whole = module(p.emptyDict, dict(p.text('fc'), module(parameters, p.emptyDict)));
    const state = await load(checkpoint(join(p.proto(), whole, p.stop)));
    assert.deepEqual(state.names, ['fc.weight']);
    await saveState(state, at('out.pth'));
    assert.ok((await loadState(at('out.pth'))).equals(state));
  });
});

describe('a whole pickled model that loadState refuses', () => {
  const at = temporaryFolder();
  const ordered = (...items) => [call('collections', 'OrderedDict'), p.mark, ...items, p.setItems];
  const layer = (type, ...more) => [
    p.global(...type.split(' ')),
    p.emptyTuple,
    p.newobj,
    dict(
      p.text('_parameters'),
      dict(p.text('w'), tensor()),
      p.text('_buffers'),
      p.emptyDict,
      p.text('_modules'),
      p.emptyDict,
      ...more,
    ),
    p.build,
  ];
  const model = (inner) => [
    p.global('__main__', 'Net'),
    p.emptyTuple,
    p.newobj,
    dict(p.text('_parameters'), p.emptyDict, p.text('_modules'), dict(p.text('fc'), inner)),
    p.build,
  ];
  const whole = (value) => checkpoint(join(p.proto(), value, p.stop));
  const object = [p.global('torch', 'ScriptObject'), p.emptyTuple, p.newobj, dict(), p.build];
  const quantised = call('torch._utils', '_rebuild_qtensor', p.int(1));
  const hook = (module, name) => ordered(p.int(0), [p.global(module, name), p.emptyTuple, p.newobj]);

  for (const [what, inner, message] of [
    [
      'a quantised layer',
      layer('torch.ao.nn.quantized.dynamic.modules.linear Linear'),
      /layer "fc", torch\.ao.*packed form/,
    ],
    ['one of an older PyTorch', layer('torch.nn.quantized.modules.conv Conv2d'), /packed form/],
    [
      'a packed weight',
      layer('mine Linear', p.text('_packed_params'), object),
      /layer "fc", mine\.Linear, .*packed form/,
    ],
    ['packed weights', layer('mine Linear', p.text('_packed_params'), tupleOf([quantised, p.none])), /packed form/],
    [
      'a hook for its state dict',
      layer('mine Linear', p.text('_state_dict_hooks'), hook('mine', 'Hook')),
      /hook.*mine\.Hook/,
    ],
    ['one before it', layer('mine Linear', p.text('_state_dict_pre_hooks'), hook('mine', 'Hook')), /has a hook/],
  ]) {
    it(`has ${what}, which it names`, () => refused(at('in.pth'), whole(model(inner)), 'ERR_STATE_FORMAT', message));
  }

  it('is no obstacle to a state dict beside it', async () => {
    const both = file(
      p.text('model'),
      model(layer('torch.nn.quantized.modules.conv Conv2d')),
      p.text('state'),
      dict(p.text('a'), tensor()),
    );
    fs.writeFileSync(at('in.pth'), both);
    assert.deepEqual((await loadState(at('in.pth'), { key: 'state' })).names, ['a']);
    await assert.rejects(loadState(at('in.pth'), { key: 'model' }), {
      code: 'ERR_STATE_FORMAT',
      message: /packed form/,
    });
  });

  it('is read with the hook of spectral norm, and without buffers that are not kept, in later protocols too', async () => {
    const spectral = hook('torch.nn.utils.spectral_norm', 'SpectralNormStateDictHook');
    const hidden = [p.text('_non_persistent_buffers_set'), u8(0x8f), p.mark, p.text('b'), u8(0x90)];
    const buffers = [p.text('_buffers'), dict(p.text('b'), tensor())];
    const inner = [
      p.global('mine', 'Linear'),
      p.emptyTuple,
      p.newobj,
      dict(
        p.text('_parameters'),
        dict(p.text('w'), tensor()),
        ...buffers,
        p.text('_modules'),
        p.emptyDict,
        p.text('_state_dict_hooks'),
        spectral,
        ...hidden,
      ),
      p.build,
    ];
    fs.writeFileSync(at('in.pth'), checkpoint(join(p.proto(4), model(inner), p.stop)));
    assert.deepEqual((await loadState(at('in.pth'))).names, ['fc.w']);
  });
});

describe('stripPrefix', () => {
  const at = temporaryFolder();
  const named = (...names) => file(...names.flatMap((name) => [p.text(name), tensor()]));
  const namesOf = async (content, stripPrefix) => {
    fs.writeFileSync(at('in.pth'), content);
    return (await loadState(at('in.pth'), { stripPrefix })).names;
  };

  it('takes what is given from every name', async () => {
    assert.deepEqual(await namesOf(named('net.a', 'net.b'), 'net.'), ['a', 'b']);
    await assert.rejects(namesOf(named('net.a', 'b'), 'net.'), { code: 'ERR_STATE_MISMATCH', message: /"b"/ });
  });

  it("takes with 'auto' what wrappers put before all names, in any order", async () => {
    assert.deepEqual(await namesOf(named('module._orig_mod.a', 'module._orig_mod.b'), 'auto'), ['a', 'b']);
    assert.deepEqual(await namesOf(named('_orig_mod.module.a'), 'auto'), ['a']);
    assert.deepEqual(await namesOf(named('model._orig_mod.module.model.a'), 'auto'), ['a']);
    assert.deepEqual(await namesOf(named('conv.a', 'b'), 'auto'), ['conv.a', 'b']);
    // A model of that name inside a wrapper, beside another one.
    assert.deepEqual(await namesOf(named('module.model.a', 'module.head.b'), 'auto'), ['model.a', 'head.b']);
  });

  it("names with 'auto' those that have no prefix where others have one, and can be no wrapper's", async () => {
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
    it(`leaves out what is the wrapper's, with a warning that names it: ${names}, ${stripPrefix}`, async () => {
      const warned = new Promise((resolve) => process.once('warning', resolve));
      fs.writeFileSync(at('in.pth'), named(...names));
      const state = await loadState(at('in.pth'), { stripPrefix });
      const { code, message } = await warned;
      assert.equal(code, 'WARN_LEFT_OUT');
      for (const name of leftOut) assert.ok(message.includes(JSON.stringify(name)), message);
      const prefix = names.find((name) => !leftOut.includes(name)).replace(/a$/, '');
      assert.deepEqual([state.names, state.stripped], [kept, { prefix, leftOut }]);
      for (const name of leftOut) assert.deepEqual([...state.metadata.get(name).data], [1, 2, 3, 4]);
      // They stay beside the state when it is saved, and are not taken for weights again.
      await saveState(state, at('out.pth'));
      const again = await loadState(at('out.pth'), { stripPrefix: 'auto' });
      assert.ok(again.equals(state));
      assert.deepEqual([...again.metadata.keys()], leftOut);
    });
  }

  it('refuses two things that have one name without it', async () => {
    const items = [p.text('a'), p.int(1), p.text('module.a'), tensor()];
    await assert.rejects(namesOf(file(...items), 'module.'), {
      code: 'ERR_STATE_FORMAT',
      message: /name of something else/,
    });
  });

  it('takes it from the names of modules in _metadata too', async () => {
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
