// Tests whole pickled models whose weights are not all in the pickle: the error names the layer.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { loadState } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { call, checkpoint, join, p, pickle, refused, tensor, tupleOf, u8 } from './checkpoint-support.mjs';

const dict = (...items) => [p.emptyDict, p.mark, ...items, p.setItems];
/** Makes a file whose root is a dict with these items. */
const file = (...items) => checkpoint(pickle(null, items));

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

  it('does not affect another state dict in the file', async () => {
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

  it('is read with the hook of spectral norm, and without non-persistent buffers, in later protocols too', async () => {
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
