import assert from 'node:assert/strict';
import {
  centerCrop,
  cifar10Transforms,
  normalize,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  randomVerticalFlip,
  toTensor,
} from 'torch-incremental';

describe('transforms', () => {
  it("are plain values with torchvision's defaults", () => {
    assert.deepEqual(randomHorizontalFlip(), { kind: 'randomHorizontalFlip', p: 0.5 });
    assert.deepEqual(randomVerticalFlip(0.1), { kind: 'randomVerticalFlip', p: 0.1 });
    assert.deepEqual(randomRotation(10), { kind: 'randomRotation', degrees: [-10, 10] });
    assert.deepEqual(randomRotation([5, 400]), { kind: 'randomRotation', degrees: [5, 400] });
    assert.deepEqual(randomCrop(32, { padding: 4 }), { kind: 'randomCrop', size: [32, 32], padding: 4 });
    assert.deepEqual(randomCrop([24, 20]), { kind: 'randomCrop', size: [24, 20], padding: 0 });
    assert.deepEqual(centerCrop(24), { kind: 'centerCrop', size: [24, 24] });
    assert.deepEqual(centerCrop([24, 20]), { kind: 'centerCrop', size: [24, 20] });
    assert.deepEqual(toTensor(), { kind: 'toTensor' });
    assert.deepEqual(normalize(0.5, [0.25]), { kind: 'normalize', mean: [0.5], std: [0.25] });
  });

  it('of the reference script are its five, in its order', () => {
    const kinds = ['randomHorizontalFlip', 'randomVerticalFlip', 'randomRotation', 'toTensor', 'normalize'];
    assert.deepEqual(
      cifar10Transforms.map(({ kind }) => kind),
      kinds,
    );
    assert.deepEqual(JSON.parse(JSON.stringify(cifar10Transforms)), cifar10Transforms);
  });

  it('cannot be changed', () => {
    const size = [4, 4];
    const mean = [0.5];
    const crop = randomCrop(size);
    const scale = normalize(mean, 1);
    size[0] = 9;
    mean[0] = 9;
    assert.deepEqual([crop.size, scale.mean], [[4, 4], [0.5]]);
    for (const value of [
      ...cifar10Transforms,
      crop,
      crop.size,
      scale.mean,
      randomRotation(1).degrees,
      cifar10Transforms,
    ]) {
      assert.ok(Object.isFrozen(value));
    }
  });

  const wrong = {
    'a probability above 1': () => randomHorizontalFlip(1.5),
    'a probability that is NaN': () => randomVerticalFlip(Number.NaN),
    'negative degrees': () => randomRotation(-1),
    'degrees the wrong way round': () => randomRotation([2, 1]),
    'three degrees': () => randomRotation([1, 2, 3]),
    'no degrees': () => randomRotation(),
    'a crop to nothing': () => randomCrop(0),
    'a crop to half a pixel': () => randomCrop(1.5),
    'a window of nothing': () => centerCrop([4, 0]),
    'a negative padding': () => randomCrop(4, { padding: -1 }),
    'no mean': () => normalize([], [1]),
    'a mean that is a string': () => normalize('0.5', 1),
    'a deviation of 0': () => normalize(0, [1, 0]),
    'a deviation that float32 rounds to 0': () => normalize(0, 1e-50),
    'a mean that float32 does not hold': () => normalize([0, 1e300], 1),
  };
  for (const [name, make] of Object.entries(wrong)) {
    it(`refuse ${name}`, () => {
      assert.throws(make, { name: 'LearnError', code: 'ERR_INVALID_OPTION', message: /^Expected .* but received/ });
    });
  }
});
