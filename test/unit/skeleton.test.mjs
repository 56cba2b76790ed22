// The start of a model that is printed for a state of no known one: where its layers are known, it has the tensors of the state.
import assert from 'node:assert/strict';
import * as t from 'torch-incremental';
import { knownModelText, skeletonOf } from '../../dist/models/skeleton.js';

/** What the text exports. */
async function modelOf(text) {
  const here = text.replace("'torch-incremental'", JSON.stringify(import.meta.resolve('torch-incremental')));
  return (await import(`data:text/javascript,${encodeURIComponent(here)}`)).default;
}

const models = {
  'a convolutional network': t.sequential({
    conv1: t.conv2d(3, 16, [5, 3]),
    bn1: t.batchNorm2d(16),
    block: t.sequential({ depthwise: t.conv2d(16, 16, 3, { groups: 16, bias: false }), norm: t.layerNorm(16) }),
    flatten: t.flatten(),
    fc: t.linear(64, 10, { bias: false }),
  }),
  'numbered layers': t.sequential([t.conv1d(4, 8, 3), t.relu(), t.batchNorm1d(8), t.conv1d(8, 8, 1, { bias: false })]),
  'named by numbers among others': t.sequential([
    ['head', t.linear(8, 2)],
    ['7', t.linear(2, 2)],
  ]),
  rows: t.sequential({ fc: t.linear(8, 16), bn: t.batchNorm1d(16), plain: t.batchNorm1d(16, { affine: false }) }),
  volumes: t.sequential({ conv: t.conv3d(2, 4, 3), bn: t.batchNorm3d(4), rms: t.rmsNorm(4) }),
  'odd names': t.sequential({
    'a b': t.linear(2, 2),
    "it's": t.linear(2, 2),
    'x\u2028y': t.linear(2, 2),
    class: t.linear(2, 2),
  }),
};

describe('the start of a model', () => {
  for (const [name, { tensors }] of Object.entries(models))
    it(`has the tensors of the state: ${name}`, async () => {
      const model = await modelOf(skeletonOf(tensors));
      const shapes = (list) => list.map((tensor) => [tensor.name, [...tensor.shape]]);
      assert.deepEqual(shapes(model.tensors), shapes(tensors));
    });

  it('says what is of no known layer, and where tensors are of the model itself', async () => {
    const text = skeletonOf([
      { name: 'scale', shape: [3] },
      { name: 'odd.left', shape: [2, 2] },
      { name: 'odd.right', shape: [2] },
    ]);
    assert.match(text, /\/\/ "scale" \[3\]: a tensor of the model itself\n/);
    assert.match(text, /odd: identity\(\), \/\/ of no known layer: "left" \[2, 2\], "right" \[2\]\n/);
    await modelOf(text);
  });

  it('is one program whatever the names are', async () => {
    const names = [
      "a');process.exit(1)//.weight",
      'b\n;process.exit(1)//.weight',
      'c\u2028process.exit(1)//.other',
      '*/x.other',
      ['`$', '{process.exit(1)}`.weight'].join(''),
    ];
    const model = await modelOf(skeletonOf(names.map((name) => ({ name, shape: [2, 2] }))));
    assert.ok(model.program);
    const deep = `${'a.'.repeat(100_000)}weight`;
    assert.ok(skeletonOf([{ name: deep, shape: [2] }]).length < 1_000_000);
  });

  it('of a known model is the model', async () => {
    for (const model of [t.net(), t.resnet18({ numClasses: 7 })]) {
      assert.deepEqual(await modelOf(knownModelText(model)), model);
    }
  });
});
