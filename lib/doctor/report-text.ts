// Formats doctor's report as text: sections with aligned lines, findings, and a verdict. Also as plain text in a fence, for a
// bug report.

import { printableLines } from '../core/printable';
import type { Diagnosis, Report, SectionText } from './doctor';
import { withoutHome } from './redact';
import type { Row } from './section';

/** Functions of picocolors; for plain text each returns its argument. */
export type Paint = Readonly<Record<'bold' | 'dim' | 'green' | 'yellow' | 'red', (text: string) => string>>;

export interface Style {
  readonly paint: Paint;
  /** Characters per line; Infinity for unbroken lines. */
  readonly columns: number;
  /** Folders that are printed as ~. */
  readonly homes: readonly string[];
}

const plain: Style = {
  paint: { bold: String, dim: String, green: String, yellow: String, red: String },
  columns: Number.POSITIVE_INFINITY,
  homes: [],
};

const marks: Readonly<Record<NonNullable<Row['mark']>, string>> = { good: '✓', doubtful: '!', bad: '✗' };
const tones = { good: 'green', doubtful: 'yellow', bad: 'red' } as const;

export function formatReport({ report, texts }: Diagnosis, style: Style = plain): string {
  const { paint } = style;
  const blocks = [
    `${paint.bold('torch-incremental')} ${report.package}`,
    ...texts.map((section) => formatSection(section, style)),
    ...formatFindings(report, style),
    formatVerdict(report, paint),
  ];
  return blocks.join('\n\n');
}

/** Formats the report in a Markdown fence, so that GitHub shows it unchanged. */
export function formatBugReport(diagnosis: Diagnosis, homes: readonly string[]): string {
  return ['```', formatReport(diagnosis, { ...plain, homes }).replaceAll('```', "'''"), '```'].join('\n');
}

/** Two spaces, the mark, a space; and two spaces between a label and its text. */
const margin = 6;

function formatSection({ title, rows }: SectionText, style: Style): string {
  const { paint, columns, homes } = style;
  // A long label, such as the name of a package, gets its own line, so that it does not indent the texts of all rows.
  const cap = Math.min(28, Math.max(12, Math.floor(columns / 4)));
  const width = Math.max(0, ...rows.map(({ label }) => label.length).filter((length) => length <= cap));
  const lines = rows.flatMap(({ label, text, mark }) => {
    const sign = mark === null ? ' ' : paint[tones[mark]](marks[mark]);
    const whole = withoutHome(text, homes);
    const beside = wrap(whole, columns - width - margin);
    // A path that would not fit goes below its label.
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
  if (probe?.failure?.started === false) return yellow('Nothing could be tried: see the warnings.');
  if (status === 'degraded') return yellow('It works, but not everything works as it should: see the warnings.');
  return green(probe?.trained ? 'Everything works.' : 'Everything loads.');
}

/** Breaks a text into lines of at most `width` characters. Longer words are kept whole: broken paths cannot be copied. */
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
