// From the start of the process to the first trained step of the reference script, against the Python script, in turns.
import path from 'node:path';
import { report, shown } from './report.mjs';
import { images, median, pretrained, python, root, settings, timed, workFolder } from './support.mjs';

const { rounds } = settings({ rounds: 7 });
const checkpoint = await pretrained(workFolder());
const seconds = { node: [], python: [] };
for (let round = 0; round < rounds; round++) {
  const child = path.join(root, 'bench/children/first-step.mjs');
  seconds.node.push((await timed(process.execPath, [child, images(), checkpoint])).firstLine);

  const script = path.join(root, 'test/golden/reference_script.py');
  const args = [script, '--data', images(), '--checkpoint', checkpoint, '--steps', '1', '--log-every', '1'];
  seconds.python.push((await timed(python(), args)).firstLine);
}
const [ours, theirs] = [median(seconds.node), median(seconds.python)];
report('From the start of the process to the first step', {
  sentence: `${shown(ours)} s in Node, ${shown(theirs)} s in Python: ${(ours / theirs).toFixed(2)} of Python's time`,
  figures: { node: ours, python: theirs, ratio: ours / theirs, rounds, all: seconds },
});
