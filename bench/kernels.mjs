// What our kernels cost over ATen's, pass by pass: Winograd's convolution in channels_last memory, and narrow linear layers.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { report, root } from './support.mjs';

const build = path.join(root, 'build');
execFileSync('cmake', ['-S', root, '-B', build, '-DBENCH=ON'], { stdio: ['ignore', 'ignore', 'inherit'] });
execFileSync('cmake', ['--build', build, '--target', 'kernels_bench'], { stdio: ['ignore', 'ignore', 'inherit'] });
const rounds = process.argv[2] ?? '100';
// More shapes: `node bench/kernels.mjs 100 more`.
const output = execFileSync(path.join(build, 'kernels_bench'), [rounds, ...process.argv.slice(3)], {
  encoding: 'utf8',
});
const passes = output
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
for (const { shape, pass, aten, ours } of passes) {
  console.error(`${shape}, ${pass}: ${(ours / aten).toFixed(2)} (${ours.toFixed(2)} against ${aten.toFixed(2)} ms)`);
}
const shapes = [...new Set(passes.map(({ shape }) => shape))];
const sentence = shapes
  .map((shape) => {
    const ratios = passes.filter((pass) => pass.shape === shape).map(({ ours, aten }) => (ours / aten).toFixed(2));
    return `${shape} ${ratios.join(', ')}`;
  })
  .join('; ');
report('kernels over ATen', { passes, unit: 'milliseconds' }, `forward, input, weight: ${sentence}`);
