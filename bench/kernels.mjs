// Cost of our kernels over ATen's, pass by pass: Winograd's convolution in channels_last memory, and narrow linear layers.
// More shapes: `node bench/kernels.mjs --shapes more`.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { report, shown } from './report.mjs';
import { root, settings } from './support.mjs';

const { rounds, shapes } = settings({ rounds: 100, shapes: '' });
const build = path.join(root, 'build');
execFileSync('cmake', ['-S', root, '-B', build, '-DBENCH=ON'], { stdio: ['ignore', 'ignore', 'inherit'] });
execFileSync('cmake', ['--build', build, '--target', 'kernels_bench'], { stdio: ['ignore', 'ignore', 'inherit'] });
const args = [String(rounds), ...(shapes ? [shapes] : [])];
const passes = execFileSync(path.join(build, 'kernels_bench'), args, { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const named = new Map(passes.map(({ shape }) => [shape, passes.filter((pass) => pass.shape === shape)]));
report("Kernels over ATen's", {
  sentence: `of ATen's time, forward, for the input's gradient, for the weight's: ${[...named]
    .map(([shape, rows]) => `${shape} ${rows.map(({ ours, aten }) => (ours / aten).toFixed(2)).join(', ')}`)
    .join('; ')}`,
  figures: { passes },
  tables: [
    {
      columns: ['shape', 'pass', 'ours, ms', 'ATen, ms', 'ratio'],
      rows: passes.map(({ shape, pass, aten, ours }) => [shape, pass, shown(ours), shown(aten), shown(ours / aten)]),
    },
  ],
});
