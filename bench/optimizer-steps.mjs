// One step of an optimizer over 11.7 million weights, those of ResNet-18: ours, and torch.optim's as it is by default and with
// fused=True. Gradients lie ready in memory.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { report, shown } from './report.mjs';
import { median, root, settings } from './support.mjs';
import { inTurns, program, theirs } from './turns.mjs';

const { rounds, threads } = settings({ rounds: 7, threads: 2 });
const build = path.join(root, 'build');
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
execFileSync('cmake', ['-S', root, '-B', build, '-DBENCH=ON'], quiet);
execFileSync('cmake', ['--build', build, '--target', 'optimizer_steps_bench'], quiet);

const optimizers = { sgd: 'SGD', adam: 'Adam', adamW: 'AdamW' };
const native = (kind, mode) => program(mode, path.join(build, 'optimizer_steps_bench'), [kind, mode, String(threads)]);
const python = (name, torchName, ...flags) =>
  theirs(name, ['--optimizer', torchName, '--threads', threads, ...flags], 'optimizer_steps.py');

const times = {};
for (const [kind, torchName] of Object.entries(optimizers)) {
  const answers = await inTurns(
    [native(kind, 'exact'), native(kind, 'fast'), python('torch', torchName), python('fused', torchName, '--fused')],
    rounds,
  );
  times[kind] = Object.fromEntries(
    Object.entries(answers).map(([who, turns]) => [who, median(turns.map(({ milliseconds }) => milliseconds))]),
  );
}
const ratio = Object.fromEntries(
  Object.entries(times).map(([kind, { exact, fast, torch, fused }]) => [
    kind,
    { exact: torch / exact, fast: torch / fast, fastToFused: fused / fast },
  ]),
);
report('One step of an optimizer', {
  sentence: Object.entries(ratio)
    .map(
      ([kind, { exact, fast, fastToFused }]) =>
        `${kind}: exact ${exact.toFixed(2)} and fast ${fast.toFixed(2)} times as fast as torch.optim's default, fast ` +
        `${fastToFused.toFixed(2)} times as fast as its fused=True`,
    )
    .join('; '),
  figures: { ratio, times, rounds, threads },
  tables: [
    {
      columns: ['11.7 million weights', 'exact, ms', "mode: 'fast', ms", 'torch.optim, ms', 'fused=True, ms'],
      rows: Object.entries(times).map(([kind, { exact, fast, torch, fused }]) => [
        kind,
        ...[exact, fast, torch, fused].map(shown),
      ]),
    },
  ],
});
