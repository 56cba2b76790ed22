// Ten classes of drawn shapes, in CIFAR-10's own binary format: the data of the demo, which has no network. Drawn from a
// seed, so that everybody sees the same images.
import fs from 'node:fs/promises';
import path from 'node:path';

const side = 32;
const shape = [3, side, side] as const;
export const pixels = 3 * side * side;
const trainingBatches = 5;

type IsInside = (u: number, v: number) => boolean;

/** Whether a point is inside, in units of the shape's own radius; v points down. */
const shapes: Readonly<Record<string, IsInside>> = {
  circle: (u, v) => Math.hypot(u, v) < 0.85,
  ring: (u, v) => Math.abs(Math.hypot(u, v) - 0.75) < 0.2,
  square: (u, v) => Math.max(Math.abs(u), Math.abs(v)) < 0.75,
  triangle: (u, v) => v < 0.75 && Math.abs(u) < (v + 0.95) * 0.55,
  diamond: (u, v) => Math.abs(u) + Math.abs(v) < 1.05,
  cross: (u, v) => Math.min(Math.abs(u), Math.abs(v)) < 0.22 && Math.max(Math.abs(u), Math.abs(v)) < 0.95,
  star: (u, v) => Math.hypot(u, v) < 0.45 + 0.5 * foldedCosine(Math.atan2(u, -v)),
  checkers: (u, v) => Math.max(Math.abs(u), Math.abs(v)) < 0.9 && Math.abs(u) < 0.3 === Math.abs(v) < 0.3,
  rows: isInRows,
  columns: (u, v) => isInRows(v, u),
};

function isInRows(u: number, v: number): boolean {
  return Math.max(Math.abs(u), Math.abs(v)) < 0.95 && Math.abs(Math.abs(v) - 0.45) > 0.22;
}

/** 1 at the five points of a star, 0 half way between them, straight in between. */
function foldedCosine(angle: number): number {
  const turn = ((((angle / (2 * Math.PI)) * 5) % 1) + 1) % 1;
  return Math.abs(2 * turn - 1) ** 1.5;
}

/** As arrays() takes them. */
export interface Shapes {
  inputs: Uint8Array;
  labels: Int32Array;
  shape: readonly number[];
}

export interface DrawOptions {
  /** Training images, over five files. */
  train: number;
  /** Test images, in a file of their own. */
  test: number;
  seed: number;
  signal?: AbortSignal | undefined;
}

/** Writes `root`/cifar-10-batches-bin, which must not exist. */
export async function drawShapes(root: string, { train, test, seed, signal }: DrawOptions): Promise<void> {
  const random = generator(seed);
  const folder = path.join(root, 'cifar-10-batches-bin');
  await fs.mkdir(folder, { recursive: true });
  const files = Array.from({ length: trainingBatches }, (_, i) => [`data_batch_${i + 1}.bin`, train / trainingBatches]);
  for (const [name, count] of [...files, ['test_batch.bin', test]] as [string, number][]) {
    signal?.throwIfAborted();
    await fs.writeFile(path.join(folder, name), batch(count, random));
  }
  await fs.writeFile(path.join(folder, 'batches.meta.txt'), `${Object.keys(shapes).join('\n')}\n`);
}

/** The images of some of its files whose label is below `classes`. */
export async function shapesIn(root: string, files: readonly string[], classes = Infinity): Promise<Shapes> {
  const all = await Promise.all(files.map((name) => fs.readFile(path.join(root, 'cifar-10-batches-bin', name))));
  const size = 1 + pixels;
  const records = all.flatMap((bytes) =>
    Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, (i + 1) * size)),
  );
  const chosen = records.filter(([label]) => label! < classes);
  const inputs = new Uint8Array(chosen.length * pixels);
  for (const [i, record] of chosen.entries()) inputs.set(record.subarray(1), i * pixels);
  return { inputs, labels: Int32Array.from(chosen, ([label]) => label!), shape };
}

type Random = () => number;

function batch(count: number, random: Random): Buffer {
  const classes = Object.values(shapes);
  const records = Array.from({ length: count }, () => {
    const label = Math.floor(random() * classes.length);
    return [Buffer.of(label), draw(classes[label]!, random)];
  });
  return Buffer.concat(records.flat());
}

/** Points of a pixel that are looked at, as shares of its side. */
const points = [
  [0.25, 0.25],
  [0.75, 0.25],
  [0.25, 0.75],
  [0.75, 0.75],
] as const;

/** One image, [channel, row, column]: a bright shape on a dark ground, somewhere near the middle, with noise. */
function draw(isInside: IsInside, random: Random): Buffer {
  const between = (low: number, high: number) => low + (high - low) * random();
  const radius = between(9, 14);
  const centre = { x: side / 2 + between(-3, 3), y: side / 2 + between(-3, 3) };
  const ground = [0, 1, 2].map(() => between(20, 110));
  const ink = [0, 1, 2].map(() => between(110, 240));
  const noise = between(20, 60);
  const image = Buffer.alloc(pixels);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const inside = points.filter(([x, y]) =>
        isInside((column + x - centre.x) / radius, (row + y - centre.y) / radius),
      );
      const cover = inside.length / points.length;
      for (let channel = 0; channel < 3; channel++) {
        const value = ground[channel]! + cover * (ink[channel]! - ground[channel]!) + between(-noise, noise);
        image[(channel * side + row) * side + column] = Math.max(0, Math.min(255, Math.round(value)));
      }
    }
  }
  return image;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function generator(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
