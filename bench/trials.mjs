// The trials in the order of RESULTS.md. A new one is a file that calls report(), and a line here.
export const trials = [
  'reference-script',
  'accuracy',
  'floor',
  'cnn',
  'resnet',
  'exported-models',
  'batch-sizes',
  'one-update',
  'data-path',
  'loader',
  'evaluate',
  'predict-while-training',
  'event-loop',
  'cold-start',
  'samples',
  'parameters',
  'epochs',
  'memory',
  'repeated-runs',
  'state-files',
  'online-update',
  'online-serving',
  'online-memory',
  'online-tasks',
  'online-drift',
  'rollback',
  'replay',
  'executor-overhead',
  'optimizer-steps',
  'kernels',
  'cuda',
].map((name) => {
  // Only where garbage is collected at a known moment is resident memory a number that can be compared.
  const flags = name === 'repeated-runs' ? ['--expose-gc'] : [];
  const command = name === 'cuda' ? 'scripts/check-cuda.sh trials' : ['node', ...flags, `bench/${name}.mjs`].join(' ');
  return { name, flags, command };
});
