// Targets of this library's speed, as one list: the trial that measures it, where in its figures, and what stands in the way
// of it where it is not met.
const kernels =
  "Exact mode calls libtorch's kernels, on as many threads, wherever it has none of its own with their bits. " +
  '"What a step is made of" has the time of libtorch\'s alone: what is left beside them is the room there is.';
const bf16 =
  'This processor multiplies bfloat16 with AVX512_BF16, at most twice as fast as float32, and has no AMX. ' +
  '"What a step is made of" has the time that libtorch\'s bfloat16 kernels take alone; making and finding them ' +
  'again at every call, some 2,500 small allocations a step, is most of what is between the two.';
const turns =
  "Both cores compute all the time. Who wakes up there, the prediction's thread and then JavaScript, is run at once where its turn " +
  'is due, and otherwise at the next tick of the clock, up to 4 ms later.';

const fastToPython = ({ toPython }) => toPython.fast[1];
const worstReplay = ({ ratio }) => Math.max(...Object.values(ratio));

export const bars = [
  [
    'reference script, exact, against the script',
    'reference-script',
    { atLeast: 2.0, unit: '×' },
    ({ ratio }) => ratio.exact,
    kernels,
  ],
  ['reference script, fast, general path', 'reference-script', { atLeast: 2.7, unit: '×' }, ({ ratio }) => ratio.fast],
  [
    'reference script, fast, contracted',
    'reference-script',
    { atLeast: 6, unit: '×' },
    ({ ratio }) => ratio.contracted,
  ],
  [
    'reference script, fast, bf16, general path',
    'reference-script',
    { atLeast: 4, unit: '×' },
    ({ ratio }) => ratio.bf16,
    bf16,
  ],
  ['accuracy lost to bf16', 'accuracy', { atMost: 1, unit: 'points' }, ({ lost }) => lost.bf16],
  [
    'slowest exported model, exact, against eager PyTorch',
    'exported-models',
    { atLeast: 1, unit: '×' },
    (figures) => Math.min(...Object.values(figures).map(({ ratio }) => ratio)),
    kernels,
  ],
  [
    "most memory of an exported model, of PyTorch's",
    'exported-models',
    { atMost: 1, unit: '×' },
    (figures) => Math.max(...Object.values(figures).map(({ peakRatio }) => peakRatio)),
    'What the caller holds of the data counts too, beside the copy that trains.',
  ],
  ['CNN with batch norm, fast, against tuned PyTorch', 'cnn', { atLeast: 1.3, unit: '×' }, ({ ratio }) => ratio.fast],
  ['one update at batch 1, fast, against eager', 'one-update', { atLeast: 1.8, unit: '×' }, ({ ratio }) => ratio.fast],
  ['data path on over ready batches, exact', 'data-path', { atMost: 1.05, unit: '×' }, ({ ratio }) => ratio.exact],
  ['data path on over ready batches, fast', 'data-path', { atMost: 1.05, unit: '×' }, ({ ratio }) => ratio.fast],
  ["start to first step, of Python's time", 'cold-start', { atMost: 0.4, unit: '×' }, ({ ratio }) => ratio],
  ['growth of time per sample, 8 k to 800 k', 'samples', { atMost: 3, unit: '%' }, ({ growth }) => growth * 100],
  [
    "an online learner's update at batch 1, fast, against Python",
    'online-update',
    { atLeast: 1.3, unit: '×' },
    fastToPython,
  ],
  [
    'the same against a Python process over HTTP',
    'online-update',
    { atLeast: 2, unit: '×' },
    ({ toHttp }) => toHttp.fast[1],
  ],
  [
    "32 askers' p99 while it learns, of that without",
    'online-serving',
    { atMost: 1.5, unit: '×' },
    ({ ratio }) => ratio,
  ],
  ["the event loop's delay meanwhile, p99", 'online-serving', { atMost: 20, unit: 'ms' }, ({ delay }) => delay],
  ["an online learner's memory, for 100,000 samples", 'online-memory', { atMost: 1, unit: 'MB' }, ({ slope }) => slope],
  ['going back to an earlier version, p95', 'rollback', { atMost: 100, unit: 'ms' }, ({ p95 }) => p95],
  [
    'five tasks with replay 500 over fine-tuning',
    'online-tasks',
    { atLeast: 10, unit: 'points' },
    ({ gain }) => gain.reservoir,
  ],
  [
    'a sample into the replay buffer, after a million over after a thousand',
    'replay',
    { atMost: 1.2, unit: '×' },
    worstReplay,
  ],
  [
    "an Adam step, fast, against torch.optim's default",
    'optimizer-steps',
    { atLeast: 2, unit: '×' },
    ({ ratio }) => ratio.adam.fast,
  ],
  [
    'an AdamW step, fast, against fused=True',
    'optimizer-steps',
    { atLeast: 1, unit: '×' },
    ({ ratio }) => ratio.adamW.fastToFused,
  ],
  [
    'predict while training on both cores (niceness 19), p99',
    'predict-while-training',
    { atMost: 2, unit: 'ms' },
    ({ worst }) => worst,
    turns,
  ],
].map(([what, trial, wanted, value, why]) => ({ what, trial, wanted, value, why }));

/** One bar and what `result` (undefined: the trial was not run) says of it. */
export function judged({ wanted, value }, result) {
  const measured = result && value(result.figures);
  const known = Number.isFinite(measured);
  const met = known && (wanted.atLeast === undefined ? measured <= wanted.atMost : measured >= wanted.atLeast);
  return { measured: known ? measured : undefined, met: known ? met : undefined };
}
