// Training of exported models (.pt2) against eager PyTorch: a BERT-tiny, a ViT-tiny, an LSTM classifier, a MobileNetV3-small at 224 x 224.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { report, shown } from './report.mjs';
import { median, python, root, settings, workFolder } from './support.mjs';
import { inTurns, ours, program } from './turns.mjs';

const models = {
  bert: {
    ...{ title: 'BERT-tiny, 128 tokens', batch: 32, classes: 3 },
    inputs: { input_ids: { shape: [128], tokens: 30522 }, attention_mask: { shape: [128], tokens: 2 } },
  },
  vit: { title: 'ViT-tiny, 224 × 224', batch: 8, classes: 10, inputs: { x: { shape: [3, 224, 224], tokens: 0 } } },
  lstm: {
    ...{ title: 'LSTM of two layers, 64 tokens', batch: 32, classes: 5 },
    inputs: { input_ids: { shape: [64], tokens: 10_000 } },
  },
  mobilenet: {
    ...{ title: 'MobileNetV3-small, 224 × 224', batch: 16, classes: 10 },
    inputs: { x: { shape: [3, 224, 224], tokens: 0 } },
  },
};
const { rounds, steps, only } = settings({ rounds: 3, steps: 24, only: Object.keys(models) });
const reference = path.join(root, 'bench/reference/exported_models.py');
const folder = workFolder();
const figures = {};
for (const name of only) {
  const { title: _, ...plan } = models[name];
  const file = path.join(folder, `${name}.pt2`);
  execFileSync(python(), [reference, '--export', name, file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const answers = await inTurns(
    [
      ours('exact', { ...plan, file, steps, mode: 'exact' }, 'exported-model.mjs'),
      program('eager', python(), [reference, '--train', name, String(steps)]),
    ],
    rounds,
  );
  const of = (who, key) => median(answers[who].map((answer) => answer[key]));
  const [seconds, eager] = [of('exact', 'seconds'), of('eager', 'seconds')];
  const [peak, eagerPeak] = [of('exact', 'peak'), of('eager', 'peak')];
  figures[name] = { seconds, eager, ratio: eager / seconds, peak, eagerPeak, peakRatio: peak / eagerPeak };
}
report('Exported models', {
  sentence: `${only.map((name) => `${models[name].title}: ${figures[name].ratio.toFixed(2)}`).join('; ')} times the steps a second of eager PyTorch`,
  figures,
  tables: [
    {
      columns: ['', 'ms/step', 'eager PyTorch, ms/step', 'times as fast', 'peak, MB', 'PyTorch, MB'],
      rows: only.map((name) => {
        const { seconds, eager, ratio, peak, eagerPeak } = figures[name];
        const [ms, mb] = [(value) => shown(value * 1000), (value) => shown(value / 2 ** 20)];
        return [models[name].title, ms(seconds), ms(eager), ratio.toFixed(2), mb(peak), mb(eagerPeak)];
      }),
    },
  ],
});
