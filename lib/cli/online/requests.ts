// Requests in the lines of `torch-incremental online`. A line that is not one is an error that names what was expected.
import { type Check, invalid, isNumber, isPath, nearest } from '../../core/checks';
import { LearnError } from '../../core/errors';
import type { SampleForm, TargetKind, TargetValues, Values } from '../../core/sample-values';
import type { SampleId } from '../../online/seen-ids';
import { inputsIn, onlyInputIn, targetIn } from './inputs';

/** `inputs`: of a sample, in the order of the learner's. `target`: a number if it is a class. */
export type Request =
  | { kind: 'learn'; id: SampleId | undefined; inputs: readonly Values[]; target: number | TargetValues }
  | { kind: 'predict'; id: SampleId | undefined; inputs: readonly Values[] }
  | { kind: 'feedback'; id: SampleId; target: number | TargetValues }
  | { kind: 'metrics' }
  | { kind: 'versions' }
  | { kind: 'publish' }
  | { kind: 'rollback'; version: number | undefined }
  | { kind: 'save'; path: string };

export type Fields = Readonly<Record<string, unknown>>;

/** Other fields of a request, by the field that distinguishes it. `target`: name of the field with a target. */
const fieldsBeside = (target: string): Readonly<Record<string, readonly string[]>> => ({
  input: ['id', target],
  inputs: ['id', target],
  feedback: [target],
  metrics: [],
  versions: [],
  publish: [],
  rollback: [],
  save: [],
});

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The fields of a line. Throws ERR_DATA_FORMAT unless it is a JSON object. */
export function fieldsOf(line: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(line));
  } catch (cause) {
    throw new LearnError('ERR_DATA_FORMAT', `Expected a line of JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new LearnError('ERR_DATA_FORMAT', 'Expected a JSON object, such as {"input": "…", "label": 3}');
}

/** The request in the fields of a line. `form`: of a sample. */
export function understand(fields: Fields, line: Uint8Array, form: SampleForm): Request {
  const request = requestIn(fields, form);
  // JSON.parse() takes the last of equal fields, other parsers the first.
  const nested = 'inputs' in request && fields.inputs ? Object.keys(fields.inputs).length : 0;
  if (namesIn(line) > Object.keys(fields).length + nested)
    throw new LearnError('ERR_DATA_FORMAT', 'Expected each field of a line once');
  return request;
}

function requestIn(fields: Fields, form: SampleForm): Request {
  switch (kindOf(fields, form)) {
    case 'input':
    case 'inputs':
      return sampleIn(fields, form);
    case 'feedback':
      return { kind: 'feedback', id: checked(fields, 'feedback', isId), target: targetOf(fields, form) };
    case 'metrics':
      checked(fields, 'metrics', isTrue);
      return { kind: 'metrics' };
    case 'versions':
      checked(fields, 'versions', isTrue);
      return { kind: 'versions' };
    case 'publish':
      checked(fields, 'publish', isTrue);
      return { kind: 'publish' };
    case 'rollback':
      checked(fields, 'rollback', isVersion);
      return { kind: 'rollback', version: typeof fields.rollback === 'number' ? fields.rollback : undefined };
    default:
      return { kind: 'save', path: checked(fields, 'save', isPath) };
  }
}

/** Counts the names of fields in a line of valid JSON, nested ones too: strings before a colon. */
function namesIn(line: Uint8Array): number {
  const [quote, backslash, colon, space] = [0x22, 0x5c, 0x3a, 0x20];
  let names = 0;
  for (let start = line.indexOf(quote); start !== -1; ) {
    let end = start;
    let isEscaped: boolean;
    do {
      end = line.indexOf(quote, end + 1);
      isEscaped = false;
      for (let at = end - 1; line[at] === backslash; at--) isEscaped = !isEscaped;
    } while (isEscaped);
    do end++;
    while (line[end]! <= space);
    if (line[end] === colon) names++;
    start = line.indexOf(quote, end);
  }
  return names;
}

function kindOf(fields: Fields, { inputs, target }: SampleForm): string {
  const beside = fieldsBeside(targetField(target.kind));
  const kinds = Object.keys(beside);
  const kind = kinds.find((name) => Object.hasOwn(fields, name));
  if (!kind) {
    const sample = inputs.length === 1 ? 'input' : 'inputs';
    throw new LearnError('ERR_INVALID_OPTION', `Expected a field "${sample}", or one of ${kinds.join(', ')}`);
  }
  const known = [kind, ...beside[kind]!];
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown === undefined) return kind;
  // A misspelt label must not turn a sample to learn into one to predict.
  const meant = unknown.length <= 40 ? nearest(unknown, known) : undefined;
  const hint = meant ? `did you mean "${meant}"?` : `beside "${kind}" there is ${known.slice(1).join(', ') || 'none'}`;
  throw new LearnError('ERR_INVALID_OPTION', `Unknown field "${unknown.slice(0, 40)}"; ${hint}`);
}

const targetField = (kind: TargetKind) => (kind === 'class' ? 'label' : 'target');

function sampleIn(fields: Fields, form: SampleForm): Request {
  const id = fields.id === undefined || fields.id === null ? undefined : checked<SampleId>(fields, 'id', isId);
  if (!Object.hasOwn(fields, targetField(form.target.kind)))
    return { kind: 'predict', id, inputs: valuesOf(fields, form) };
  const target = targetOf(fields, form);
  return { kind: 'learn', id, target, inputs: valuesOf(fields, form) };
}

function valuesOf(fields: Fields, { inputs }: SampleForm): Values[] {
  return Object.hasOwn(fields, 'input') ? onlyInputIn(fields.input, inputs) : inputsIn(fields.inputs, inputs);
}

function targetOf(fields: Fields, { target }: SampleForm): number | TargetValues {
  return target.kind === 'class' ? checked<number>(fields, 'label', isLabel) : targetIn(fields.target, target);
}

function checked<T>(fields: Fields, name: string, check: Check): T {
  check(fields[name], name);
  return fields[name] as T;
}

/** Bytes. */
const longestId = 1024;

const isSafeInteger = isNumber({ integer: true });

/** Integers beyond 2^53 lose digits in JSON, so that different ids would be equal. */
const isId: Check = (value, name) => {
  if (typeof value === 'string') {
    if (Buffer.byteLength(value) > longestId) throw invalid('a string of at most 1 KiB', name, value);
    // In UTF-8 all lone surrogates are the same character.
    if (/\p{Surrogate}/u.test(value)) throw invalid('a string without lone surrogates', name, value);
    return;
  }
  if (typeof value !== 'number') throw invalid('a string or an integer', name, value);
  if (!Number.isSafeInteger(value)) throw invalid('an integer of at most 2^53, or a string', name, value);
};

const isLabel: Check = (value, name) => isSafeInteger(value, name);

const isTrue: Check = (value, name) => {
  if (value !== true) throw invalid('true', name, value);
};

/** null and true mean the previous version. */
const isVersion: Check = (value, name) => {
  if (value !== null && value !== true) isNumber({ integer: true, min: 0 })(value, name);
};
