// What is wanted of this library's speed, as one list: the trial that measures it, and where in its figures.
export const bars = [
  ['seed job, exact, against the script', 'seed-job', { atLeast: 2.0, unit: '×' }, ({ ratio }) => ratio.exact],
  ['seed job, fast, general path', 'seed-job', { atLeast: 2.7, unit: '×' }, ({ ratio }) => ratio.fast],
  ['seed job, fast, contracted', 'seed-job', { atLeast: 6, unit: '×' }, ({ ratio }) => ratio.contracted],
  ['seed job, fast, bf16, general path', 'seed-job', { atLeast: 4, unit: '×' }, ({ ratio }) => ratio.bf16],
  ['accuracy lost to bf16', 'accuracy', { atMost: 1, unit: 'points' }, ({ lost }) => lost.bf16],
  ['CNN with batch norm, fast, against tuned PyTorch', 'cnn', { atLeast: 1.3, unit: '×' }, ({ ratio }) => ratio.fast],
  ['one update at batch 1, fast, against eager', 'one-update', { atLeast: 1.8, unit: '×' }, ({ ratio }) => ratio.fast],
  ['data path on over ready batches, exact', 'data-path', { atMost: 1.05, unit: '×' }, ({ ratio }) => ratio.exact],
  ['data path on over ready batches, fast', 'data-path', { atMost: 1.05, unit: '×' }, ({ ratio }) => ratio.fast],
  ["start to first step, of Python's time", 'cold-start', { atMost: 0.4, unit: '×' }, ({ ratio }) => ratio],
  ['growth of time per sample, 8 k to 800 k', 'samples', { atMost: 3, unit: '%' }, ({ growth }) => growth * 100],
  [
    'predict while training on both cores (niceness 19), p99',
    'predict-while-training',
    { atMost: 2, unit: 'ms' },
    ({ worst }) => worst,
  ],
].map(([what, trial, wanted, value]) => ({ what, trial, wanted, value }));

/** One bar and what `result` (undefined: the trial was not run) says of it. */
export function judged({ wanted, value }, result) {
  const measured = result && value(result.figures);
  const known = Number.isFinite(measured);
  const met = known && (wanted.atLeast === undefined ? measured <= wanted.atMost : measured >= wanted.atLeast);
  return { measured: known ? measured : undefined, met: known ? met : undefined };
}
