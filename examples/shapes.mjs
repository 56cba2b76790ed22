// Ten classes of drawn shapes in CIFAR-10's own binary format: what the demo learns from where there is neither
// CIFAR-10 nor a network. Drawn from a seed, so that everybody sees the same images.
import fs from 'node:fs/promises';
import path from 'node:path';

const side = 32;
const trainingBatches = 5;

/** Whether a point is inside, in units of the shape's own radius; v points down. */
const shapes = {
  circle: (u, v) => Math.hypot(u, v) < 0.85,
  ring: (u, v) => Math.abs(Math.hypot(u, v) - 0.75) < 0.2,
  square: (u, v) => Math.max(Math.abs(u), Math.abs(v)) < 0.75,
  triangle: (u, v) => v < 0.75 && Math.abs(u) < (v + 0.95) * 0.55,
  diamond: (u, v) => Math.abs(u) + Math.abs(v) < 1.05,
  cross: (u, v) => Math.min(Math.abs(u), Math.abs(v)) < 0.22 && Math.max(Math.abs(u), Math.abs(v)) < 0.95,
  star: (u, v) => Math.hypot(u, v) < 0.45 + 0.5 * foldedCosine(Math.atan2(u, -v)),
  checkers: (u, v) => Math.max(Math.abs(u), Math.abs(v)) < 0.9 && Math.abs(u) < 0.3 === Math.abs(v) < 0.3,
  rows: (u, v) => Math.max(Math.abs(u), Math.abs(v)) < 0.95 && Math.abs(Math.abs(v) - 0.45) > 0.22,
  columns: (u, v) => shapes.rows(v, u),
};

/** 1 at the five points of a star, 0 half way between them, straight in between. */
function foldedCosine(angle) {
  const turn = ((((angle / (2 * Math.PI)) * 5) % 1) + 1) % 1;
  return Math.abs(2 * turn - 1) ** 1.5;
}

/** Writes `root`/cifar-10-batches-bin, unless it is there. */
export async function drawShapes(root, { train = 4000, test = 1000, seed = 0 } = {}) {
  const target = path.join(root, 'cifar-10-batches-bin');
  if (await exists(target)) return;
  const random = generator(seed);
  await fs.mkdir(root, { recursive: true });
  const beside = await fs.mkdtemp(`${target}-`);
  try {
    const files = Array.from({ length: trainingBatches }, (_, index) => `data_batch_${index + 1}.bin`);
    for (const file of files) await fs.writeFile(path.join(beside, file), batch(train / trainingBatches, random));
    await fs.writeFile(path.join(beside, 'test_batch.bin'), batch(test, random));
    await fs.writeFile(path.join(beside, 'batches.meta.txt'), `${Object.keys(shapes).join('\n')}\n`);
    await fs.rename(beside, target);
  } finally {
    await fs.rm(beside, { recursive: true, force: true });
  }
}

function batch(count, random) {
  const classes = Object.values(shapes);
  const records = [];
  for (let i = 0; i < count; i++) {
    const label = Math.floor(random() * classes.length);
    records.push(Buffer.of(label), draw(classes[label], random));
  }
  return Buffer.concat(records);
}

/** One image, [channel, row, column]: a bright shape on a dark ground, somewhere near the middle, with noise. */
function draw(isInside, random) {
  const between = (low, high) => low + (high - low) * random();
  const radius = between(9, 14);
  const centre = [side / 2 + between(-3, 3), side / 2 + between(-3, 3)];
  const ground = [0, 1, 2].map(() => between(20, 110));
  const ink = [0, 1, 2].map(() => between(110, 240));
  const noise = between(20, 60);
  const image = Buffer.alloc(3 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      let cover = 0;
      for (const [right, down] of [
        [0.25, 0.25],
        [0.75, 0.25],
        [0.25, 0.75],
        [0.75, 0.75],
      ]) {
        if (isInside((column + right - centre[0]) / radius, (row + down - centre[1]) / radius)) cover += 0.25;
      }
      for (let channel = 0; channel < 3; channel++) {
        const value = ground[channel] + cover * (ink[channel] - ground[channel]) + between(-noise, noise);
        image[(channel * side + row) * side + column] = Math.max(0, Math.min(255, Math.round(value)));
      }
    }
  }
  return image;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function exists(file) {
  return fs.stat(file).then(
    () => true,
    () => false,
  );
}
