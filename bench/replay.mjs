// Cost of offering an image to a full replay buffer, when a thousand and when a million were seen before.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { report, shown } from './report.mjs';
import { median, root, settings } from './support.mjs';

const { rounds } = settings({ rounds: 9 });
const build = path.join(root, 'build');
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
execFileSync('cmake', ['-S', root, '-B', build, '-DBENCH=ON'], quiet);
execFileSync('cmake', ['--build', build, '--target', 'replay_bench'], quiet);
const runs = Array.from({ length: rounds }, () =>
  JSON.parse(execFileSync(path.join(build, 'replay_bench'), { encoding: 'utf8' })),
);
const policies = Object.keys(runs[0]);
const times = Object.fromEntries(
  policies.map((policy) => [policy, ['early', 'late'].map((when) => median(runs.map((run) => run[policy][when])))]),
);
const ratio = Object.fromEntries(policies.map((policy) => [policy, times[policy][1] / times[policy][0]]));
report('Offering a sample to the replay buffer', {
  sentence: policies
    .map(
      (policy) => `${policy}: after a million samples ${ratio[policy].toFixed(2)} times what it takes after a thousand`,
    )
    .join('; '),
  figures: { ratio, times, rounds },
  tables: [
    {
      columns: ['policy', 'after 1,000, ns', 'after 1,000,000, ns', 'ratio'],
      rows: policies.map((policy) => [policy, ...times[policy].map(shown), ratio[policy].toFixed(2)]),
    },
  ],
});
