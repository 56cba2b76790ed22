// Fine-tuning: a backbone that stays as it is, a new head of three classes, AdamW, a cosine schedule and early stopping. In Python
// fine_tuned.pth loads into nn.Sequential with layers of the same names, with strict=True.
//
//     node examples/04-fine-tune.mjs backbone.pth
import * as torch from 'torch-incremental';

const network = (classes) =>
  torch.sequential(
    {
      ...{ conv: torch.conv2d(3, 8, 3, { padding: 1 }), norm: torch.batchNorm2d(8), relu: torch.relu() },
      ...{ pool: torch.maxPool2d(4), flatten: torch.flatten(), fc: torch.linear(128, classes) },
    },
    { input: [3, 16, 16] },
  );
/** Images of one colour among noise. Float32 goes into the model as it is. */
const images = (samples) => {
  const labels = Int32Array.from({ length: samples }, (_, i) => i % 3);
  const noise = (i) => 2 * Math.random() - 1 + ((i >> 8) % 3 === labels[Math.floor(i / 768)] ? 0.4 : 0);
  const inputs = Float32Array.from({ length: samples * 768 }, (_, i) => noise(i));
  return torch.arrays({ inputs, labels, shape: [3, 16, 16], classes: 3 });
};

const model = network(3);
const backbone = process.argv[2] ? await torch.loadState(process.argv[2]) : await torch.createState(network(10));
const head = await torch.createState(model, { seed: 1 });
const { state, history, stopped } = await torch.trainIncremental(
  torch.merge(backbone.without('fc'), head.select('fc')),
  {
    ...{ model, data: images(600), epochs: 30, seed: 1 },
    optimizer: torch.adamW({ learningRate: 0.01 }),
    scheduler: torch.cosineAnnealingLR({ tMax: 30 }),
    parameterGroups: [{ parameters: ['conv', 'norm'], frozen: true }],
    frozenStatistics: 'norm',
    validation: { data: images(300), patience: 3 },
  },
);
await torch.saveState(state, 'fine_tuned.pth');
const best = Math.max(...history.map(({ validation }) => validation.accuracy));
console.log(`${history.length} epochs (${stopped ?? 'all'}), best accuracy ${(100 * best).toFixed(1)} %`);
