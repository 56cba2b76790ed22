// Shows an exported model (.pt2) for `inspect`: what it takes and returns, its operators, modules and tensors.
import { bytes, count, counted } from '../core/format';
import { printable, shortened } from '../core/printable';
import type { SizeRange } from '../program/program';
import { describeModel, type ModelDescription } from '../pt2/describe';
import { plainTable } from './tables';
import type { Terminal } from './terminal';

/** Limits of the text; --json has everything. */
const maxRows = 200;
const maxName = 200;

/** Prints the description of a .pt2. `json`: as one line. */
export async function showModel(
  file: string,
  json: boolean | undefined,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<void> {
  const model = await describeModel(file, signal);
  if (json) terminal.print(JSON.stringify({ kind: 'exported', ...model }));
  else for (const line of linesOf(file, model, terminal)) terminal.print(line);
}

function linesOf(file: string, model: ModelDescription, { colors: { bold, dim } }: Terminal): string[] {
  const { inputs, outputs, operators, modules, tensors, batch, sizes } = model;
  const table = (heads: readonly string[], rows: readonly (readonly string[])[]) => {
    const shown = rows.slice(0, maxRows).map((row) => row.map((cell) => shortened(cell, maxName)));
    const isNumber = (head: string) => head === 'calls' || head === 'size';
    const align = heads.map((head) => (isNumber(head) ? ('right' as const) : ('left' as const)));
    const more = rows.length > maxRows ? [`  … ${count(rows.length - maxRows)} more (all of them with --json)`] : [];
    return ['', plainTable(heads.map(dim), align, shown), ...more];
  };
  const shape = (of: readonly (number | string)[]) => `[${of.join(', ')}]`;
  const free = Object.entries(sizes).map(([name, range]) => `${printable(name)} is ${rangeText(range)}`);
  const trains = model.isEvaluation ? 'Was exported in evaluation mode: it trains without dropout' : 'Trains';
  const own = tensors.filter(({ tiedTo }) => tiedTo === undefined);
  const total = own.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return [
    `${bold(printable(file))}: ${shortened(model.name, maxName)}, exported by torch ${printable(model.torchVersion)}, ${bytes(model.bytes)}`,
    model.trainsOnly === null
      ? `${trains} and evaluates`
      : `${trains}; cannot evaluate: ${printable(model.trainsOnly)}`,
    `Takes ${rangeText(batch)} samples at a time${free.length > 0 ? `; ${free.join(', ')}` : ''}`,
    ...table(
      ['input', 'shape of a sample', 'dtype'],
      inputs.map((input) => [input.name, shape(input.shape ?? []), input.dtype]),
    ),
    ...table(
      ['output', 'shape', 'dtype'],
      outputs.map((output) => [output.name, shape(output.shape), output.dtype]),
    ),
    ...table(
      ['operator', 'calls'],
      operators.map(({ name, calls }) => [name, count(calls)]),
    ),
    ...table(
      ['module', 'class'],
      modules.map(({ path, type }) => [path || '(the model)', type ?? '–']),
    ),
    ...table(
      ['tensor', 'shape', 'dtype', 'size', 'role'],
      tensors.map(({ name, shape: of, dtype, bytes: size, role, tiedTo }) => {
        return [name, shape(of), dtype, bytes(size), tiedTo === undefined ? role : `is ${tiedTo}`];
      }),
    ),
    `\n  ${counted(own.length, 'tensor')}, ${bytes(total)}`,
  ];
}

function rangeText({ min, max }: SizeRange): string {
  if (max === undefined) return `${count(min)} or more`;
  return max === min ? count(min) : `${count(min)} to ${count(max)}`;
}
