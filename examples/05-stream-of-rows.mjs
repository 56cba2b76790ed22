// A stream of rows: a binary classifier that learns each row after it predicted it, by Adam and binary cross-entropy, and that remembers
// everything in ./clicks, also after it was killed.
//
//     node examples/05-stream-of-rows.mjs [rows]
import * as torch from 'torch-incremental';

const columns = 8;
const model = torch.sequential(
  { hidden: torch.linear(columns, 16), relu: torch.relu(), out: torch.linear(16, 1) },
  { input: [columns] },
);
const learner = await torch.OnlineLearner.open({
  ...{ dir: './clicks', model, checkpoint: await torch.createState(model, { seed: 1 }), seed: 1 },
  optimizer: torch.adam({ learningRate: 0.01 }),
  loss: torch.bceWithLogitsLoss(),
  target: { kind: 'classes', shape: [1] },
  metrics: [torch.auroc()],
  ...{ batchSize: 16, maxDelayMs: 5, replay: { capacity: 1000, perUpdate: 16 } },
});

/** Rows as they come: whether somebody clicked depends on three of the columns. */
async function* rows(count) {
  for (let i = 0; i < count; i++) {
    const inputs = Float32Array.from({ length: columns }, () => 2 * Math.random() - 1);
    const chance = 1 / (1 + Math.exp(-4 * (inputs[0] - inputs[1] * inputs[2])));
    yield { inputs, targets: Float32Array.of(Math.random() < chance ? 1 : 0) };
  }
}

for await (const { updates } of learner.stream(rows(Number(process.argv[2] ?? 5000)))) void updates;
const { loss, windowed } = learner.metrics().prequential;
console.log(
  `loss ${loss.toFixed(3)} over all rows; of the last ${windowed.samples}: ${windowed.loss.toFixed(3)}, AUROC ${windowed.metrics.auroc.toFixed(3)}`,
);
await learner.close();
