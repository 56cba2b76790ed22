// Resident memory after each of twenty runs in one process: what stays behind is a leak.
import path from 'node:path';
import { cifar10, loadState, net, saveState, subset, trainIncremental } from 'torch-incremental';
import { report } from './report.mjs';
import { images, median, memory, pretrained, workFolder } from './support.mjs';

const folder = workFolder();
const checkpoint = await pretrained(folder);
const data = subset(cifar10({ root: images() }), { start: 0, end: 2000 });
const resident = [];
for (let run = 0; run < 20; run++) {
  const { state } = await trainIncremental(checkpoint, { data, model: net(), epochs: 1, seed: run });
  await saveState(state, path.join(folder, 'updated_model.pth'));
  (await loadState(path.join(folder, 'updated_model.pth'))).dispose();
  state.dispose();
  globalThis.gc?.();
  await new Promise(setImmediate);
  resident.push(memory().resident);
}
// Medians of runs 11 to 15 and 16 to 20, since a single reading moves by what the collector happens to have done. Earlier runs
// still see the end of the warming up: compiled code, allocators' pools, libtorch's caches.
const growth = (median(resident.slice(15)) - median(resident.slice(10, 15))) / 5;
const megabytes = resident.map((bytes) => bytes / 2 ** 20);
report('Twenty runs in one process', {
  sentence:
    `${(growth / 2 ** 20).toFixed(2)} MB a run from runs 11–15 to runs 16–20; resident after each ` +
    `${megabytes.map((value) => value.toFixed(0)).join(' ')} MB`,
  figures: { growthPerRun: growth, resident },
  charts: [
    {
      ...{ file: 'repeated-runs', kind: 'lines', title: 'Resident memory after each of twenty runs in one process' },
      ...{ x: { name: 'run' }, y: { name: 'MB' } },
      series: [['resident', megabytes.map((value, index) => [index + 1, value])]],
    },
  ],
});
