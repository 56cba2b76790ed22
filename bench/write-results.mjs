// Makes bench/RESULTS.md and bench/charts/ of what the trials left in bench/results/: `node bench/write-results.mjs`.
import fs from 'node:fs';
import path from 'node:path';
import { bars, judged } from './bars.mjs';
import { drawn } from './charts.mjs';
import { resultsFolder } from './report.mjs';
import { root } from './support.mjs';
import { trials } from './trials.mjs';

const chartsFolder = path.join(root, 'bench/charts');
const table = (columns, rows) =>
  [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const results = new Map(
  trials
    .map(({ name }) => path.join(resultsFolder, `${name}.json`))
    .filter((file) => fs.existsSync(file))
    .map((file) => JSON.parse(fs.readFileSync(file, 'utf8')))
    .map((result) => [result.trial, result]),
);

function barsTable() {
  const rows = bars.map((bar) => {
    const result = results.get(bar.trial);
    const { measured, met } = judged(bar, result);
    const { atLeast, atMost, unit } = bar.wanted;
    const wanted = atLeast === undefined ? `≤ ${atMost} ${unit}` : `≥ ${atLeast} ${unit}`;
    const verdict = met === undefined ? 'not measured' : met ? 'met' : '**not met**';
    const command = result?.command ?? trials.find(({ name }) => name === bar.trial).command;
    return [
      bar.what,
      wanted,
      measured === undefined ? '–' : `${measured.toFixed(2)} ${unit}`,
      verdict,
      `\`${command}\``,
    ];
  });
  // A GPU's are judged where they are measured, on a machine that has one.
  const { figures, command } = results.get('cuda') ?? {};
  const onGpu = figures?.bars ?? [{ what: 'CUDA', measured: '–', verdict: 'waits for a machine with a GPU' }];
  for (const { what, wanted = '', measured, verdict } of onGpu)
    rows.push([what, wanted, measured, verdict, `\`${command ?? 'scripts/check-cuda.sh trials'}\``]);
  return table(['', 'wanted', 'measured', '', 'command'], rows);
}

/** Why what is not met is not. */
function reasons() {
  const here = bars.filter((bar) => bar.why && judged(bar, results.get(bar.trial)).met === false);
  const onGpu =
    results.get('cuda')?.figures.bars.filter(({ why, verdict }) => why && verdict.includes('not met')) ?? [];
  return [...here, ...onGpu].map(({ what, why }) => `**Not met: ${what}.** ${why}`);
}

const machineLine = ({ cpu, kernels, cores, threads, memory, system, node, libtorch, torch }) =>
  `${cpu} (${kernels}), ${cores} cores, ${threads} threads, ${memory}, ${system}, Node ${node}, libtorch ${libtorch}` +
  `${torch ? `, Python's torch ${torch}` : ''}`;

function section({ title, sentence, tables = [], charts = [], command, date, machine }) {
  const parts = [`## ${title}`, `${sentence}.`];
  for (const { caption, columns, rows } of tables) parts.push(caption ? `${caption}:` : [], table(columns, rows));
  for (const { file, title: alt } of charts) parts.push(`![${alt}](charts/${file}.svg)`);
  const elsewhere = machineLine(machine) === usual ? '' : `, on ${machineLine(machine)}`;
  parts.push(`\`${command}\`, ${date}${elsewhere}`);
  return parts.flat().join('\n\n');
}

const all = [...results.values()];
const counts = new Map();
for (const { machine } of all) counts.set(machineLine(machine), (counts.get(machineLine(machine)) ?? 0) + 1);
const usual = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];

fs.rmSync(chartsFolder, { recursive: true, force: true });
fs.mkdirSync(chartsFolder);
for (const { charts = [], command } of all) {
  for (const chart of charts) fs.writeFileSync(path.join(chartsFolder, `${chart.file}.svg`), drawn(chart, command));
}

const missing = trials.filter(({ name }) => !results.has(name));
const absent = missing.map(
  ({ name, command }) =>
    `**NOT MEASURED: ${name}.** ${name === 'cuda' ? 'It needs a machine with a GPU' : 'It was not run'} (\`${command}\`).`,
);
for (const line of absent) console.error(`!!! ${line.replaceAll('*', '')}`);

const page = `# Results

Written by \`npm run check:bench\` from \`bench/results/\`; \`node bench/all.mjs reference-script cnn\` measures these anew and writes the page again.
Ratios are of medians of runs taken in turns on one machine; absolute numbers belong to it: ${usual ?? 'none yet'}.
The references are the script as people run it, \`test/golden/reference_script.py\`, and a tuned one, \`bench/reference/tuned.py\`. Trials
against Python need \`TORCH_INCREMENTAL_PYTHON\` and \`TORCH_INCREMENTAL_CIFAR10\` (CONTRIBUTING.md).

## Bars

${barsTable()}

${[...reasons(), ...absent].map((line) => `${line}\n\n`).join('')}${all.map(section).join('\n\n')}
`;
fs.writeFileSync(path.join(root, 'bench/RESULTS.md'), page);
console.log(`bench/RESULTS.md: ${all.length} of ${trials.length} trials`);
