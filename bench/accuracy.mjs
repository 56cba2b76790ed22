// Costs of the faster ways to train in quality: accuracy on the test images after the same epochs from the same weights.
import { cifar10, evaluate, net, trainIncremental } from 'torch-incremental';
import { report, shown } from './report.mjs';
import { images, pretrained, settings, workFolder } from './support.mjs';
import { tell } from './turns.mjs';
import { variants } from './variants.mjs';

const { seeds, epochs, variants: chosen } = settings({ seeds: 3, epochs: 5, variants: Object.keys(variants) });
const checkpoint = await pretrained(workFolder());
const test = cifar10({ root: images(), train: false });
const accuracy = {};
for (const name of chosen) {
  try {
    const values = [];
    for (let seed = 0; seed < seeds; seed++) {
      const options = { model: net(), data: cifar10({ root: images() }), epochs, seed, ...variants[name].options };
      const { state } = await trainIncremental(checkpoint, options);
      values.push((await evaluate(state, { data: test })).accuracy * 100);
      state.dispose();
    }
    accuracy[name] = values;
  } catch (error) {
    if (error.code !== 'ERR_INVALID_OPTION') throw error;
    tell(name, error.message);
  }
}
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const means = Object.fromEntries(Object.entries(accuracy).map(([name, values]) => [name, mean(values)]));
const lost = Object.fromEntries(Object.entries(means).map(([name, value]) => [name, means.exact - value]));
const others = Object.keys(means).filter((name) => name !== 'exact');
report(`Accuracy after ${epochs} epochs`, {
  sentence:
    `exact ${means.exact.toFixed(2)} % on the test images, mean of ${seeds} seeds` +
    others.map((name) => `; ${variants[name].title} ${lost[name].toFixed(2)} points less`).join(''),
  figures: { accuracy, means, lost, epochs, seeds },
  tables: [
    {
      columns: ['', 'accuracy, %', 'points lost', 'of each seed'],
      rows: Object.keys(means).map((name) => [
        variants[name].title,
        means[name].toFixed(2),
        lost[name].toFixed(2),
        accuracy[name].map(shown).join(', '),
      ]),
    },
  ],
});
