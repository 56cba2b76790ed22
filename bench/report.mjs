// Files of a trial's result: bench/results/<trial>.json, which bench/write-results.mjs makes pages and charts of.
import fs from 'node:fs';
import path from 'node:path';
import { machine, root } from './support.mjs';

export const resultsFolder = path.join(root, 'bench/results');

/** Four digits are what such measurements are worth. */
const short = (_, value) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value);

/**
 * Keeps the result of the trial in hand and prints it. `sentence` says it in words; `figures` has the numbers that bars.mjs
 * and docs/scaling.md speak of; `tables` ({ columns, rows }) and `charts` (see charts.mjs) show it.
 */
export function report(title, { sentence, figures, tables = [], charts = [] }) {
  const trial = path.basename(process.argv[1], '.mjs');
  const command = `node ${[...process.execArgv, `bench/${trial}.mjs`].join(' ')}`;
  const result = { trial, title, command, date: new Date().toISOString().slice(0, 10), machine: machine() };
  fs.mkdirSync(resultsFolder, { recursive: true });
  const text = JSON.stringify({ ...result, sentence, figures, tables, charts }, short, 1);
  // Lists of numbers on one line: they are read as rows, and compared as lines.
  const lines = text.replace(/\[[^[\]{}]*\]/g, (list) => list.replace(/\s*\n\s*/g, ' '));
  fs.writeFileSync(path.join(resultsFolder, `${trial}.json`), `${lines}\n`);
  console.log(`${title}: ${sentence}`);
  for (const { columns, rows } of tables)
    console.table(rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]]))));
}

/** A number for people: three digits, thousands apart. */
export function shown(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return '–';
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en', {
    minimumFractionDigits: Math.min(digits, 3),
    maximumFractionDigits: Math.min(digits, 3),
  });
}
