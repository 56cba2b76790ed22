// A model of one's own on arrays of one's own: one-channel images of 16x16 in which a spot sits in one of four corners,
// under strong noise. Reaches more than 95 % on new images within a few seconds. In Python the saved file loads into
// nn.Sequential with layers of the same names.
//
//     node examples/03-own-model.mjs [training images]
import {
  arrays,
  batchNorm2d,
  conv2d,
  createState,
  dropout,
  evaluate,
  flatten,
  linear,
  maxPool2d,
  relu,
  saveState,
  sequential,
  sgd,
  trainIncremental,
} from 'torch-incremental';

const count = Number(process.argv[2] ?? 4000);
const side = 16;

/** Images as float32 go into the model as they are: no transforms. */
function spots(samples) {
  const inputs = Float32Array.from({ length: samples * side * side }, () => 2 * Math.random() - 1);
  const labels = Int32Array.from({ length: samples }, () => 4 * Math.random());
  for (const [sample, corner] of labels.entries()) {
    const top = 3 + 8 * (corner >> 1);
    const left = 3 + 8 * (corner & 1);
    for (let i = 0; i < 9; i++) {
      inputs[(sample * side + top + Math.floor(i / 3)) * side + left + (i % 3)] += 0.8;
    }
  }
  return arrays({ inputs, labels, shape: [1, side, side], classes: 4 });
}

const model = sequential(
  {
    conv: conv2d(1, 8, 3, { padding: 1 }),
    norm: batchNorm2d(8),
    relu: relu(),
    pool: maxPool2d(2),
    flatten: flatten(),
    dropout: dropout(0.25),
    fc: linear(8 * 8 * 8, 4),
  },
  { input: [1, side, side], name: 'SpotFinder' },
);

const untrained = await createState(model, { seed: 0 });
const { state } = await trainIncremental(untrained, {
  model,
  data: spots(count),
  epochs: 5,
  optimizer: sgd({ learningRate: 0.01 }),
});
await saveState(state, 'own_model.pth');
const { accuracy } = await evaluate(state, { model, data: spots(1000) });
console.log(`${(100 * accuracy).toFixed(1)} % of 1,000 new images right`);
