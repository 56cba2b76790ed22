// Formats tables for a terminal of 80 columns: results by class, and the confusion matrix. Used by `evaluate` and by the demo.
import Table from 'cli-table3';
import { count, fixed, percent } from '../core/format';
import { printable } from '../core/printable';
import type { MetricResults } from '../metrics';
import type { Evaluation } from '../training/evaluate';
import type { Colors } from './terminal';

type Align = 'left' | 'right';

/** Formats aligned columns, `gap` apart, without a frame. */
export function plainTable(
  head: readonly string[],
  align: readonly Align[],
  rows: readonly (readonly string[])[],
  gap = 2,
): string {
  const frame = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'];
  const rules = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
  const none = Object.fromEntries([...frame, ...rules].map((name) => [name, '']));
  const table = new Table({
    head: [...head],
    colAligns: [...align],
    chars: { ...none, middle: ' '.repeat(gap) },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  const lines = table.toString().split('\n');
  return lines.map((line) => `  ${line}`.trimEnd()).join('\n');
}

const barWidth = 20;

/** Formats the accuracy of every class, optionally next to that of an earlier evaluation of the same samples. */
export function classTable(now: Evaluation, colors: Colors, before?: Evaluation): string {
  const rows = now.perClass.map(({ name: given, samples, correct, accuracy }, label) => {
    const name = printable(given);
    const bar = '█'.repeat(Math.round(barWidth * (accuracy || 0)));
    const earlier = before?.perClass[label];
    return earlier
      ? [name, count(samples), percent(earlier.accuracy), percent(accuracy), colors.green(bar)]
      : [name, count(samples), count(correct), percent(accuracy), colors.green(bar)];
  });
  const [third, fourth] = before ? ['before', 'after'] : ['correct', 'accuracy'];
  return plainTable(
    ['class', 'samples', third, fourth, ''].map(colors.dim),
    ['left', 'right', 'right', 'right', 'left'],
    rows,
  );
}

/** Formats results by name. Lists are left out: the tables by class and of confusions have them. */
export function metricLines(results: MetricResults): string {
  const rows = Object.entries(results).flatMap(([name, result]) =>
    typeof result === 'number' ? [[name, fixed(result, 4)]] : [],
  );
  return rows.length > 0 ? plainTable([], ['left', 'right'], rows) : '';
}

const corner = 'is \\ predicted';

/** Rows are the actual classes, columns the predicted ones; where they do not fit in `columns`, a sentence says so. */
export function confusionTable({ confusion, perClass }: Evaluation, colors: Colors, columns: number): string {
  const digits = count(Math.max(...confusion.flat())).length;
  const names = perClass.map(({ name }) => printable(name).length);
  const across = (width: number) => 2 + Math.max(corner.length, ...names) + perClass.length * (1 + width);
  const width = across(Math.max(5, digits)) <= columns ? Math.max(5, digits) : Math.max(3, digits);
  if (across(width) > columns)
    return `  The confusion matrix needs ${across(width)} columns, and there are ${columns}; --json prints it at any width`;
  const rows = confusion.map((row, actual) => {
    const samples = perClass[actual]?.samples ?? 0;
    const cells = row.map((cell, predicted) => {
      if (cell === 0) return colors.dim('·');
      if (predicted === actual) return colors.bold(colors.green(count(cell)));
      // Highlights a tenth of a class or more in one wrong cell.
      return cell >= samples / 10 ? colors.yellow(count(cell)) : count(cell);
    });
    return [printable(perClass[actual]?.name ?? String(actual)), ...cells];
  });
  const heads = perClass.map(({ name }) => printable(name).slice(0, width).padStart(width));
  return plainTable(
    [colors.dim(corner), ...heads.map(colors.dim)],
    ['left', ...heads.map((): Align => 'right')],
    rows,
    1,
  );
}
