// Quarantine file: samples that were not learned, for people to look at. One line of JSON each, in a file of bounded size and the
// previous one:
//
//     {"record":418,"code":"label","reason":"expected a label from 0 to 9","id":"a","label":12,"type":"uint8","input":"BQf/"}
//
// Targets that are not classes are in `target`, and inputs with names of their own in `inputs`:
//
//     {"record":419,"code":"shape",…,"id":null,"target":[0,2],"inputs":{"ids":{"type":"int64","input":"KgAAAAAAAAA="},…}}
import fs from 'node:fs/promises';
import path from 'node:path';
import { plain } from '../../core/checks';
import { LearnError, messageOf } from '../../core/errors';
import {
  bytesOf,
  type InputForm,
  onlyInput,
  part,
  type SampleForm,
  typeOf,
  type Values,
} from '../../core/sample-values';
import { syncFolder } from '../../files/atomic-write';
import type { Target } from '../intake/samples';
import type { Sync } from '../options';
import type { ReasonCode, Refused } from '../reasons';
import type { BatchRecord } from './records';

export const quarantineName = 'quarantine.ndjson';
const maxBytes = 64 * 2 ** 20;
const tailBytes = 2 ** 16;
const textLength = 2 ** 20;
/** The beginning of each line. */
const lineBegin = '{"record":';

/** Of all inputs of a sample. Longer ones are truncated: a sample of the wrong size may have any size. */
const mostInputBytes = 16 * 2 ** 20;
/** Longer targets too: numbers are text. */
const mostTargetNumbers = 2 ** 16;

export interface QuarantinedSample {
  id: string | null;
  target: Target;
  /** One array for each of `forms`. */
  inputs: readonly Values[];
  forms: readonly InputForm[];
  code: ReasonCode;
  reason: string;
}

/** The samples of a batch that were not learned. `form`: of its samples. */
export function quarantinedIn(
  { ids, inputs, targets }: BatchRecord,
  refused: readonly Refused[],
  { inputs: forms, target: { kind } }: SampleForm,
): QuarantinedSample[] {
  const rowOf = <Array extends Values>(values: Array, index: number) => {
    const size = values.length / ids.length;
    return part(values, index * size, (index + 1) * size);
  };
  return refused.map(({ index, code, message }) => {
    const target = kind === 'class' ? targets[index]! : Float64Array.from(rowOf(targets, index));
    const own = inputs.map((values) => rowOf(values, index));
    return { id: ids[index]!, target, inputs: own, forms, code, reason: message };
  });
}

export class Quarantine {
  readonly #file: string;
  /** Whether additions are synced. */
  readonly #flush: boolean;
  /** The last record whose samples are in the file, and the number of them. */
  #last: number;
  #count: number;
  /** Whether the file ends within a foreign line. */
  #endsInLine: boolean;

  private constructor(file: string, flush: boolean, { last, count, endsInLine }: Tail) {
    this.#file = file;
    this.#flush = flush;
    this.#last = last;
    this.#count = count;
    this.#endsInLine = endsInLine;
  }

  /** The contents cannot do harm: they are for people, and only the end is read. */
  static async open(folder: string, sync: Sync): Promise<Quarantine> {
    const file = path.join(folder, quarantineName);
    return new Quarantine(file, sync === 'always', await mendTail(file));
  }

  /** Records after number `sequence` are not in the journal: a crash came first. */
  forgetAfter(sequence: number): void {
    if (this.#last <= sequence) return;
    this.#last = sequence;
    this.#count = Infinity;
  }

  /** Adds samples of record `record`; those in the file are not written again. */
  async add(record: number, samples: readonly QuarantinedSample[]): Promise<void> {
    const known = record === this.#last ? this.#count : 0;
    if (record < this.#last || known >= samples.length) return;
    this.#last = record;
    this.#count = samples.length;
    try {
      for (const text of textsOf(record, samples.slice(known))) await this.#append(text);
    } catch (cause) {
      throw new LearnError('ERR_JOURNAL', `Cannot write to ${this.#file}: ${messageOf(cause)}`, { cause });
    }
  }

  /** Starts a new file if this one is full. */
  async #append(text: string): Promise<void> {
    const { size } = await fs.stat(this.#file).catch(() => ({ size: 0 }));
    if (size > maxBytes) await fs.rename(this.#file, `${this.#file}.1`);
    await fs.appendFile(this.#file, this.#endsInLine ? `\n${text}` : text, { flush: this.#flush });
    this.#endsInLine = false;
    const isNew = size === 0 || size > maxBytes;
    if (isNew && this.#flush) await syncFolder(path.dirname(this.#file));
  }
}

/** The lines of samples, in parts, since all together may exceed the length of a string. */
function* textsOf(record: number, samples: readonly QuarantinedSample[]): Generator<string> {
  let text = '';
  for (const sample of samples) {
    text += lineOf(record, sample);
    if (text.length < textLength) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

function lineOf(record: number, { id, target, inputs, forms, code, reason }: QuarantinedSample): string {
  const most = Math.floor(mostInputBytes / Math.max(1, inputs.length));
  const fields = inputs.map((values) => inputFields(values, most));
  const isUnnamed = forms.length === 1 && forms[0]!.name === onlyInput;
  const line = {
    ...{ record, code, reason, id },
    ...(typeof target === 'number' ? { label: target } : targetFields(target)),
    ...(isUnnamed ? fields[0] : { inputs: Object.fromEntries(forms.map(({ name }, i) => [name, fields[i]])) }),
  };
  return `${JSON.stringify(line)}\n`;
}

function targetFields(target: Float64Array): { targetLength?: number; target: number[] } {
  const isTruncated = target.length > mostTargetNumbers;
  return { ...(isTruncated && { targetLength: target.length }), target: [...target.subarray(0, mostTargetNumbers)] };
}

function inputFields(values: Values, most: number): { inputBytes?: number; type: string; input: string } {
  const bytes = bytesOf(values);
  return {
    ...(bytes.length > most && { inputBytes: bytes.length }),
    type: typeOf(values),
    input: Buffer.from(bytes.subarray(0, most)).toString('base64'),
  };
}

interface Tail {
  last: number;
  count: number;
  endsInLine: boolean;
}

/** Removes a torn last line, and returns the end of the rest. */
async function mendTail(file: string): Promise<Tail> {
  for (let bytes = tailBytes; ; bytes *= 4) {
    const { text, start } = await tailOf(file, bytes);
    const end = text.lastIndexOf('\n') + 1;
    const lines = text.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
    // The first line may be incomplete.
    const records = lines.slice(start > 0 ? 1 : 0).map(recordNumberIn);
    const last = records.at(-1) ?? 0;
    const before = records.findLastIndex((record) => record !== last);
    if (start > 0 && before < 0) continue;
    const rest = text.subarray(end);
    const isTorn = isTornLine(rest);
    if (isTorn) await fs.truncate(file, start + end);
    return { last, count: records.length - 1 - before, endsInLine: rest.length > 0 && !isTorn };
  }
}

async function tailOf(file: string, bytes: number): Promise<{ text: Buffer; start: number }> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    return { text: Buffer.alloc(0), start: 0 };
  }
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(size - start), position: start });
    return { text: buffer.subarray(0, bytesRead), start };
  } finally {
    await handle.close();
  }
}

/** Whether bytes are a torn last line: its beginning, or zeros where the file was extended first. */
export function isTornLine(rest: Buffer): boolean {
  const begin = rest.subarray(0, lineBegin.length).toString('latin1');
  return rest.length > 0 && (lineBegin.startsWith(begin) || rest.every((byte) => byte === 0));
}

/** Number of the record that a line belongs to; 0: the line is foreign. Samples are written twice rather than not at all. */
export function recordNumberIn(line: string): number {
  try {
    const { record, reason, type, input, inputs } = plain(JSON.parse(line));
    const parts: { type: unknown; input: unknown }[] = inputs ? Object.values(inputs) : [{ type, input }];
    const isWhole = [reason, ...parts.flatMap((one) => [one.type, one.input])].every(
      (text) => typeof text === 'string',
    );
    return isWhole && Number.isSafeInteger(record) ? record : 0;
  } catch {
    return 0;
  }
}
