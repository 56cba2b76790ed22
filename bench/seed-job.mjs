// The seed job's samples per second in its second epoch, exact mode, against the Python script without workers: both in
// turns, each run a process of its own.
import fs from 'node:fs';
import path from 'node:path';
import { images, median, pretrained, python, report, root, timed, workFolder } from './support.mjs';

const rounds = Number(process.argv[2] ?? 5);
const folder = workFolder();
const checkpoint = await pretrained(folder);
const rates = { node: [], python: [] };
for (let round = 0; round < rounds; round++) {
  const node = await timed(process.execPath, [
    path.join(root, 'bench/children/seed-job.mjs'),
    images(),
    checkpoint,
    '2',
  ]);
  const { samples, seconds } = JSON.parse(node.output)[1];
  rates.node.push(samples / seconds);

  const times = path.join(folder, 'times.json');
  const script = path.join(root, 'test/golden/seed_job.py');
  await timed(python(), [script, '--data', images(), '--checkpoint', checkpoint, '--epochs', '2', '--times', times]);
  const { steps } = JSON.parse(fs.readFileSync(times, 'utf8'));
  const secondEpoch = steps.slice(steps.length / 2);
  rates.python.push(samples / secondEpoch.reduce((sum, step) => sum + step, 0));
}
const [ours, theirs] = [median(rates.node), median(rates.python)];
const ratio = ours / theirs;
report(
  'seed job, exact, steady state',
  { node: ours, python: theirs, ratio, unit: 'samples/s', rounds, all: rates },
  `${ours.toFixed(0)} samples/s in Node, ${theirs.toFixed(0)} in Python: ${ratio.toFixed(2)} times`,
);
