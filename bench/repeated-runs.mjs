// Resident memory after each of twenty runs in one process: what stays behind is a leak.

import path from 'node:path';
import { cifar10, loadState, net, saveState, subset, trainIncremental } from 'torch-incremental';
import { images, median, memory, pretrained, report, workFolder } from './support.mjs';

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
// Medians of halves, since a single reading moves by what the collector happens to have done.
const growth = (median(resident.slice(15)) - median(resident.slice(5, 10))) / 10;
report(
  'twenty runs in one process',
  { resident, growthPerRun: growth, unit: 'bytes' },
  `${(growth / 2 ** 20).toFixed(2)} MB a run between runs 8 and 18; ${resident.map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(' ')} MB`,
);
