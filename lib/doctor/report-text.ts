// Doctor's report for people: sections with aligned lines, what was found, a verdict. The same as plain text in a fence, for
// a bug report.

import { printableLines } from '../core/printable';
import type { Diagnosis, Report, Shown } from './doctor';
import { withoutHome } from './redact';
import type { Row } from './section';

/** What picocolors has of it; for plain text each returns what it gets. */
export type Paint = Readonly<Record<'bold' | 'dim' | 'green' | 'yellow' | 'red', (text: string) => string>>;

export interface Style {
  readonly paint: Paint;
  /** Characters a line; lines are not broken where it is infinite. */
  readonly columns: number;
  /** Shown as ~. */
  readonly homes: readonly string[];
}

const plain: Style = {
  paint: { bold: String, dim: String, green: String, yellow: String, red: String },
  columns: Number.POSITIVE_INFINITY,
  homes: [],
};

const marks: Readonly<Record<NonNullable<Row['mark']>, string>> = { good: '✓', doubtful: '!', bad: '✗' };
const tones = { good: 'green', doubtful: 'yellow', bad: 'red' } as const;

export function formatReport({ report, shown }: Diagnosis, style: Style = plain): string {
  const { paint } = style;
  const blocks = [
    `${paint.bold('torch-incremental')} ${report.package}`,
    ...shown.map((section) => formatSection(section, style)),
    ...formatFindings(report, style),
    formatVerdict(report, paint),
  ];
  return blocks.join('\n\n');
}

/** In a fence, so that GitHub and the like show it as it is. */
export function formatBugReport(diagnosis: Diagnosis, homes: readonly string[]): string {
  return ['```', formatReport(diagnosis, { ...plain, homes }).replaceAll('```', "'''"), '```'].join('\n');
}

/** Two blanks, the mark, a blank; and two blanks between a label and what stands behind it. */
const margin = 6;

function formatSection({ title, rows }: Shown, style: Style): string {
  const { paint, columns, homes } = style;
  // Long labels, such as names of packages, stand alone and take no room of what stands behind the others.
  const cap = Math.min(28, Math.max(12, Math.floor(columns / 4)));
  const width = Math.max(0, ...rows.map(({ label }) => label.length).filter((length) => length <= cap));
  const lines = rows.flatMap(({ label, text, mark }) => {
    const sign = mark === null ? ' ' : paint[tones[mark]](marks[mark]);
    const whole = withoutHome(text, homes);
    const beside = wrap(whole, columns - width - margin);
    // A path that would not fit has more room below.
    const isBelow = label.length > width || beside.some((line) => line.length > columns - width - margin);
    const indent = ' '.repeat(isBelow ? margin : width + margin);
    const [first = '', ...rest] = isBelow ? ['', ...wrap(whole, columns - margin)] : beside;
    const start =
      label === '' && mark === null && isBelow
        ? []
        : [`  ${sign} ${paint.dim(label.padEnd(width))}  ${first}`.trimEnd()];
    return [...start, ...rest.map((line) => indent + line)];
  });
  return [paint.bold(title), ...lines].join('\n');
}

const headings = { problems: 'Problems', warnings: 'Warnings', notes: 'Notes' } as const;
const severityTones = { problems: 'red', warnings: 'yellow', notes: 'bold' } as const;

function formatFindings(report: Report, { paint, columns, homes }: Style): string[] {
  return (['problems', 'warnings', 'notes'] as const)
    .filter((kind) => report[kind].length > 0)
    .map((kind) => {
      const lines = report[kind].flatMap(({ key, text, remedy }) => [
        ...wrap(withoutHome(`${text} [${key}]`, homes), columns - 4).map(
          (line, i) => `  ${i === 0 ? '-' : ' '} ${line}`,
        ),
        ...(remedy === null
          ? []
          : wrap(withoutHome(remedy, homes), columns - 7).map((line, i) => `    ${i === 0 ? '→' : ' '} ${line}`)),
      ]);
      return [paint[severityTones[kind]](headings[kind]), ...lines].join('\n');
    });
}

function formatVerdict({ status, probe }: Report, { green, yellow, red }: Paint): string {
  if (status === 'unusable') return red('It does not work here: see the problems.');
  if (probe?.failure?.started === false) return yellow('Whether it works could not be tried: see the warnings.');
  if (status === 'degraded') return yellow('It works, but not all of it as it should: see the warnings.');
  return green(probe?.trained ? 'Everything works.' : 'Everything loads.');
}

/** Lines of at most `width` characters, but for words that are longer: broken paths cannot be copied. */
function wrap(text: string, width: number): string[] {
  return printableLines(text)
    .split('\n')
    .flatMap((line) => {
      const indent = /^ */.exec(line)![0];
      const lines: string[] = [];
      let current = indent;
      for (const word of line.trim().split(' ')) {
        if (current.trim() !== '' && current.length + 1 + word.length > width) {
          lines.push(current);
          current = indent;
        }
        current += current.trim() === '' ? word : ` ${word}`;
      }
      return [...lines, current];
    });
}
