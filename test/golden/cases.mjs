// The cases whose batches are compared with torchvision and DataLoader: for test/unit/batches.test.mjs and renew.mjs.

const flips = [
  { kind: 'randomHorizontalFlip', p: 0.5 },
  { kind: 'randomVerticalFlip', p: 0.5 },
];
const tensor = { kind: 'toTensor' };
const half = { kind: 'normalize', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const rotation = (low, high = low) => ({ kind: 'randomRotation', degrees: [low, high] });

const crop = { kind: 'randomCrop', size: [8, 8], padding: 2 };

export const scriptTransforms = [...flips, rotation(-10, 10), tensor, half];

const defaults = { batchSize: 100, shuffle: true, dropLast: false, epochs: 1, seed: 0 };
const batchCase = (name, images, transforms, options) => ({ name, images, transforms, ...defaults, ...options });

export const batchCases = [
  batchCase("the reference script's five transforms", [500, 3, 32, 32], scriptTransforms, { batchSize: 64, epochs: 2 }),
  batchCase('a seed above 2^32', [130, 3, 32, 32], scriptTransforms, {
    batchSize: 50,
    dropLast: true,
    epochs: 2,
    seed: 2 ** 33 + 7,
  }),
  batchCase(
    'a padded crop in file order',
    [200, 3, 32, 32],
    [
      { kind: 'randomCrop', size: [32, 32], padding: 4 },
      { kind: 'randomHorizontalFlip', p: 0.1 },
      tensor,
      { kind: 'normalize', mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
    ],
    { shuffle: false, epochs: 2, seed: 3 },
  ),
  batchCase(
    'a crop with one possible place, which draws nothing',
    [20, 3, 8, 8],
    [{ kind: 'randomCrop', size: [8, 8], padding: 0 }, ...flips, tensor],
    { batchSize: 7, seed: 4 },
  ),
  batchCase(
    'a crop with a choice along one axis only',
    [20, 3, 8, 12],
    [{ kind: 'randomCrop', size: [8, 5], padding: 0 }, ...flips, tensor],
    { batchSize: 7, seed: 5 },
  ),
  batchCase(
    'the middle of images, odd margins, and a border where the window is larger',
    [20, 3, 8, 11],
    [
      { kind: 'centerCrop', size: [5, 8] },
      ...flips,
      { kind: 'centerCrop', size: [2, 13] },
      { kind: 'centerCrop', size: [5, 10] },
      tensor,
    ],
    { batchSize: 7, seed: 8 },
  ),
  batchCase(
    'grey images that are not square, repeated transforms in another order',
    [120, 1, 28, 19],
    [
      rotation(-180, 180),
      { kind: 'randomCrop', size: [24, 25], padding: 3 },
      { kind: 'randomVerticalFlip', p: 0.3 },
      rotation(-720, 1000),
      { kind: 'randomVerticalFlip', p: 0.9 },
      tensor,
      { kind: 'normalize', mean: [0.1307], std: [0.3081] },
      { kind: 'normalize', mean: [0.25], std: [-2] },
    ],
    { batchSize: 32, seed: 6 },
  ),
  batchCase('probabilities 0 and 1', [9, 3, 4, 4], [{ ...flips[0], p: 1 }, { ...flips[1], p: 0 }, tensor], {
    epochs: 2,
  }),
  batchCase('one mean for all channels', [9, 3, 4, 4], [tensor, { kind: 'normalize', mean: [0.5], std: [0.25] }], {}),
  batchCase('one image', [1, 3, 5, 5], [...flips, tensor], { batchSize: 4, epochs: 3, seed: 7 }),
  batchCase('two workers', [130, 3, 32, 32], scriptTransforms, { batchSize: 24, epochs: 3, seed: 9, workers: 2 }),
  batchCase('more workers than batches', [20, 3, 8, 8], [crop, ...flips, tensor], {
    ...{ batchSize: 8, epochs: 2, seed: 10, workers: 5, dropLast: true },
  }),
];

/** Each number of workers with several seeds, transforms and orders. */
export const workerCases = [1, 2, 3, 4].flatMap((workers) =>
  [
    [scriptTransforms, { seed: 0 }],
    [scriptTransforms, { seed: 2 ** 33 + 7, dropLast: true }],
    [[crop, rotation(-30, 30), ...flips, tensor], { seed: 1234, batchSize: 5 }],
    [[crop, tensor], { seed: 5, shuffle: false }],
  ].map(([transforms, options]) =>
    batchCase(`${workers} workers, ${JSON.stringify(options)}`, [37, 3, 8, 8], transforms, {
      ...{ batchSize: 4, epochs: 3, workers },
      ...options,
    }),
  ),
);

/** The nearest float32 numbers above and below. */
function neighbours(value) {
  const float = new Float32Array([value]);
  const bits = new Int32Array(float.buffer);
  const at = (step) => {
    const moved = new Int32Array([bits[0] + step]);
    return new Float32Array(moved.buffer)[0];
  };
  return value === 0 ? [1e-45, -1e-45, 1e-38, -1e-38] : [at(-2), at(-1), at(1), at(2)];
}

const quarters = [0, 90, 180, 270, 360, 450, 720, 36000].flatMap((angle) => (angle ? [angle, -angle] : [0]));
const special = quarters.flatMap((angle) => [
  angle,
  ...neighbours(angle),
  ...[1e-14, 3e-14, 1e-6, 1e-3, 0.5].flatMap((step) => [angle + step, angle - step]),
]);

/** (image, angle) pairs: 10,000 with random angles, 5 images for each special angle and shape. */
export const rotationCases = [
  batchCase('-10 to 10 degrees', [5000, 3, 32, 32], [rotation(-10, 10), tensor], { seed: 11 }),
  batchCase('-180 to 180 degrees', [3000, 3, 32, 32], [rotation(-180, 180), tensor], { seed: 12 }),
  batchCase('-1000 to 1000 degrees, not square', [2000, 3, 17, 24], [rotation(-1000, 1000), tensor], { seed: 13 }),
  ...special.flatMap((angle) =>
    [
      [5, 3, 32, 32],
      [5, 1, 7, 12],
    ].map((images) => batchCase(`${angle} degrees, ${images}`, images, [rotation(angle), tensor], {})),
  ),
  batchCase('an image beyond fixed point', [1, 1, 2, 40000], [rotation(0.001, 0.002), tensor], {}),
];
