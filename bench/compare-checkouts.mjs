// The bars of two checkouts on one machine: each trial runs in the other checkout and in this one in turns, several times, so that
// what the machine does meanwhile meets both: `node bench/compare-checkouts.mjs FOLDER --rounds 3 reference-script cnn`. Both must be
// built. A bar counts as worse where this checkout's median is worse than every run of the other.
//
// Results that are already in bench/results/ stay as they are; with --keep, this checkout's last run replaces its own.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bars } from './bars.mjs';
import { median, root } from './support.mjs';
import { trials } from './trials.mjs';

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, keep: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [before, ...asked] = positionals;
const known = [...new Set(bars.map(({ trial }) => trial))];
const unknown = asked.filter((name) => !known.includes(name));
if (!before || !fs.existsSync(path.join(before, 'bench')) || unknown.length > 0) {
  console.error('Usage: node bench/compare-checkouts.mjs <other checkout> [--rounds 3] [--keep] [trial…]');
  console.error(`Trials with bars: ${known.join(', ')}`);
  process.exit(2);
}
const checkouts = { before: path.resolve(before), now: root };
const figures = { before: {}, now: {} };

/** The figures of one run of a trial; undefined: it failed. */
function measure(checkout, name) {
  const file = path.join(checkout, `bench/results/${name}.json`);
  const kept = fs.existsSync(file) ? fs.readFileSync(file) : undefined;
  fs.rmSync(file, { force: true });
  try {
    const { flags } = trials.find((trial) => trial.name === name);
    const { status, stderr } = spawnSync(process.execPath, [...flags, `bench/${name}.mjs`], { cwd: checkout });
    if (status === 0) return JSON.parse(fs.readFileSync(file, 'utf8')).figures;
    console.error(`!!! ${name} failed in ${checkout}: ${String(stderr).slice(-500)}`);
    return undefined;
  } finally {
    const isRenewed = values.keep && checkout === root && fs.existsSync(file);
    if (kept && !isRenewed) fs.writeFileSync(file, kept);
  }
}

const rounded = (value) => Number(value.toPrecision(4));
/** What the bars of a trial were in both checkouts. */
const judged = (name) =>
  bars
    .filter(({ trial }) => trial === name)
    .map(({ what, trial, wanted, value }) => {
      const of = (which) => (figures[which][trial] ?? []).map(value).filter(Number.isFinite);
      const [old, now] = [of('before'), of('now')];
      if (old.length === 0 || now.length === 0) return { bar: what, verdict: 'not measured' };
      const middle = median(now);
      const isWorse = wanted.atLeast === undefined ? middle > Math.max(...old) : middle < Math.min(...old);
      const isBetter = wanted.atLeast === undefined ? middle < Math.min(...old) : middle > Math.max(...old);
      return {
        bar: what,
        'before, least': rounded(Math.min(...old)),
        'before, most': rounded(Math.max(...old)),
        'now, median': rounded(middle),
        verdict: isWorse ? 'WORSE' : isBetter ? 'better' : 'equal',
      };
    });

const rows = [];
const chosen = asked.length > 0 ? asked : known;
for (const name of chosen) {
  const started = performance.now();
  for (let round = 0; round < Number(values.rounds); round++) {
    // The order alternates, since the second of a pair finds warm files.
    const pair = round % 2 === 0 ? ['before', 'now'] : ['now', 'before'];
    for (const which of pair) {
      const measured = measure(checkouts[which], name);
      figures[which][name] = [...(figures[which][name] ?? []), ...(measured ? [measured] : [])];
    }
  }
  const seconds = (performance.now() - started) / 1000;
  console.error(`(${name}: ${seconds.toFixed(0)} s)`);
  const own = judged(name);
  console.table(own);
  rows.push(...own);
}

const worse = rows.filter(({ verdict }) => verdict === 'WORSE').length;
console.log(`${rows.length - worse} bars as good as before or better, ${worse} worse`);
process.exitCode = worse > 0 ? 1 : 0;
