// Runs every trial, one after the other, each in its own process, and writes bench/RESULTS.md. `npm run bench`.
import fs from 'node:fs';
import path from 'node:path';
import { machine, root, timed } from './support.mjs';

const trials = [
  'seed-job',
  'cold-start',
  'event-loop',
  'memory',
  'repeated-runs',
  'state-files',
  'executor-overhead',
  'kernels',
];

const rows = [];
for (const trial of trials) {
  const flags = trial === 'repeated-runs' ? ['--expose-gc'] : [];
  const { output } = await timed(process.execPath, [...flags, path.join(root, `bench/${trial}.mjs`)]);
  const { trial: title, sentence } = JSON.parse(output);
  rows.push(`| ${title} | ${sentence} | \`node ${[...flags, `bench/${trial}.mjs`].join(' ')}\` |`);
}

const { cpu, cores, system, node, torch } = machine();
const page = `# Results

Written by \`npm run bench\`. Ratios are medians of runs taken in turns on one machine; absolute numbers belong to it:
${cpu}, ${cores} cores, ${system}, Node ${node}, Python's torch ${torch}. Trials against Python need \`TORCH_INCREMENTAL_PYTHON\` and
\`TORCH_INCREMENTAL_CIFAR10\` (CONTRIBUTING.md); the reference is \`test/golden/seed_job.py\`, the script as people run it.

| trial | result | command |
|---|---|---|
${rows.join('\n')}
`;
fs.writeFileSync(path.join(root, 'bench/RESULTS.md'), page);
