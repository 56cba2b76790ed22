// Tests checkpoints other than the plain state dict: the tensors that are found, the rest that is kept, and what is written.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { loadState, Opaque, saveState, Tuple } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { call, checkpoint, join, p, pickle, refused, tensor, tupleOf } from './checkpoint-support.mjs';

const dict = (...items) => [p.emptyDict, p.mark, ...items, p.setItems];
const float = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return ['G', bytes];
};
const namespace = call('argparse', 'Namespace');
const weights = (name = 'fc.weight') => dict(p.text(name), tensor());
/** Makes a file whose root is a dict with these items. */
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

  it('is written unchanged, without values that weights_only would refuse, which a warning lists', async () => {
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

  it('with several dicts of tensors lists them, and loads the named one', async () => {
    const two = file(p.text('model'), weights('a'), p.text('ema'), dict(p.text('shadow'), weights('b')));
    assert.deepEqual((await load(two)).names, ['a']); // the nearest to the root
    assert.deepEqual((await load(two, { key: 'ema.shadow' })).names, ['b']);
    const equal = file(p.text('model'), weights('a'), p.text('ema'), weights('b'));
    await refused(at('bad.pth'), equal, 'ERR_STATE_FORMAT', /\["model"\] \(1 tensor\), \["ema"\] \(1 tensor\)/);
    assert.deepEqual((await load(equal, { key: 'ema' })).names, ['b']);
    await assert.rejects(load(equal, { key: 'modle' }), /nothing under the key "modle".*\["model"\]/);
    await assert.rejects(load(training, { key: 'epoch' }), /a dict of tensors under the key "epoch".*the number 3/);
  });

  it('does not treat momentum buffers or random states as weights', async () => {
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
  it('makes sets as Python does', async () => {
    const set = (...items) => [p.global('builtins', 'set'), [p.emptyList, p.mark, ...items, p.appends], p.tuple1];
    const one = ['G', Buffer.from('3ff0000000000000', 'hex')];
    const late = [p.emptyList, p.put(0), p.mark, p.text('a'), p.appends];
    const items = [
      [p.text('equal'), set(p.int(1), one, p.true, p.text('1')), p.reduce],
      // Its list receives another item after the set was made.
      [p.text('late'), p.global('builtins', 'set'), late, p.tuple1, p.reduce],
      [p.text('list'), p.get(0), p.text('b'), p.append],
      // set.__new__ ignores its arguments.
      [p.text('new'), set(p.int(1)), p.newobj],
    ];
    const { metadata } = await load(file(p.text('model'), weights(), ...items));
    assert.deepEqual([...metadata.get('equal')], [1, '1']);
    assert.deepEqual([...metadata.get('late')], ['a']);
    assert.deepEqual(metadata.get('list'), ['a', 'b']);
    assert.ok(metadata.get('new') instanceof Opaque);
  });

  it('gives the weights of a whole pickled model', async () => {
    const parameters = dict(p.text('weight'), tensor(), p.text('bias'), p.none);
    const whole = module(p.emptyDict, dict(p.text('fc'), module(parameters, p.emptyDict)));
    const state = await load(checkpoint(join(p.proto(), whole, p.stop)));
    assert.deepEqual(state.names, ['fc.weight']);
    await saveState(state, at('out.pth'));
    assert.ok((await loadState(at('out.pth'))).equals(state));
  });
});
