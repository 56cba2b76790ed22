// From the start of the process to the first trained step of the seed job, against the Python script, in turns.
import path from 'node:path';
import { images, median, pretrained, python, report, root, timed, workFolder } from './support.mjs';

const rounds = Number(process.argv[2] ?? 7);
const checkpoint = await pretrained(workFolder());
const seconds = { node: [], python: [] };
for (let round = 0; round < rounds; round++) {
  const child = path.join(root, 'bench/children/seed-job.mjs');
  seconds.node.push((await timed(process.execPath, [child, images(), checkpoint, '1', 'first'])).firstLine);

  const script = path.join(root, 'test/golden/seed_job.py');
  const args = [script, '--data', images(), '--checkpoint', checkpoint, '--steps', '1', '--log-every', '1'];
  seconds.python.push((await timed(python(), args)).firstLine);
}
const [ours, theirs] = [median(seconds.node), median(seconds.python)];
report(
  'cold start to the first step',
  { node: ours, python: theirs, ratio: ours / theirs, unit: 's', rounds, all: seconds },
  `${ours.toFixed(2)} s in Node, ${theirs.toFixed(2)} s in Python: ${(ours / theirs).toFixed(2)} of Python's time`,
);
