// Cost of the executor over the same ATen calls written by hand, for one training step of Net at batch 1.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { report } from './report.mjs';
import { median, root, settings } from './support.mjs';

const build = path.join(root, 'build');
execFileSync('cmake', ['-S', root, '-B', build, '-DBENCH=ON'], { stdio: ['ignore', 'ignore', 'inherit'] });
execFileSync('cmake', ['--build', build, '--target', 'executor_overhead'], { stdio: ['ignore', 'ignore', 'inherit'] });
const program = path.join(build, 'executor_overhead');
const { rounds } = settings({ rounds: 5 });
const runs = Array.from({ length: rounds }, () =>
  JSON.parse(execFileSync(program, ['1', '2000'], { encoding: 'utf8' })),
);
const overhead = median(runs.map(({ executor, byHand }) => executor / byHand - 1));
report('The executor over hand-written calls, batch 1', {
  sentence: `${(overhead * 100).toFixed(2)} % more time a step, median of ${rounds} processes`,
  figures: { overhead, runs },
  tables: [
    {
      columns: ['process', 'executor, µs/step', 'by hand, µs/step'],
      rows: runs.map(({ executor, byHand }, index) => [index + 1, executor, byHand]),
    },
  ],
});
