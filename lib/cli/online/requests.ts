// What a line of `torch-incremental online` asks for. What cannot be understood is an error that says what was expected.
import { LearnError } from '../../errors';
import type { SampleId } from '../../online/ids';
import type { SampleForm } from '../../online/learner';
import { type Check, invalid, isNumber, isPath, nearest } from '../../options';
import type { Values } from '../../values';
import { inputOf } from './inputs';

export type Request =
  | { kind: 'learn'; id: SampleId | undefined; input: Values; label: number }
  | { kind: 'predict'; id: SampleId | undefined; input: Values }
  | { kind: 'feedback'; id: SampleId; label: number }
  | { kind: 'metrics' }
  | { kind: 'versions' }
  | { kind: 'rollback'; version: number | undefined }
  | { kind: 'save'; path: string };

type Fields = Readonly<Record<string, unknown>>;

/** By the field that tells requests apart: the others it may have. */
const fieldsBeside: Readonly<Record<string, readonly string[]>> = {
  input: ['id', 'label'],
  feedback: ['label'],
  metrics: [],
  versions: [],
  rollback: [],
  save: [],
};

const decoder = new TextDecoder('utf-8', { fatal: true });

/** `form`: what a sample is. */
export function understand(line: Uint8Array, form: Pick<SampleForm, 'inputs' | 'shape'>): Request {
  const fields = fieldsOf(line);
  switch (kindOf(fields)) {
    case 'input':
      return sampleIn(fields, form);
    case 'feedback':
      return { kind: 'feedback', id: checked(fields, 'feedback', isId), label: checked(fields, 'label', isLabel) };
    case 'metrics':
      checked(fields, 'metrics', isTrue);
      return { kind: 'metrics' };
    case 'versions':
      checked(fields, 'versions', isTrue);
      return { kind: 'versions' };
    case 'rollback':
      checked(fields, 'rollback', isVersion);
      return { kind: 'rollback', version: typeof fields.rollback === 'number' ? fields.rollback : undefined };
    default:
      return { kind: 'save', path: checked(fields, 'save', isPath) };
  }
}

function fieldsOf(line: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(line));
  } catch (cause) {
    throw new LearnError('ERR_DATA_FORMAT', `Expected a line of JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new LearnError('ERR_DATA_FORMAT', 'Expected a JSON object, such as {"input": "…", "label": 3}');
}

function kindOf(fields: Fields): string {
  const kinds = Object.keys(fieldsBeside);
  const kind = kinds.find((name) => Object.hasOwn(fields, name));
  if (!kind) throw new LearnError('ERR_INVALID_OPTION', `Expected a field "input", or one of ${kinds.join(', ')}`);
  const known = [kind, ...fieldsBeside[kind]!];
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown === undefined) return kind;
  // A label that is misspelt must not make a prediction of a sample that was to be learned.
  const meant = unknown.length <= 40 ? nearest(unknown, known) : undefined;
  const hint = meant ? `did you mean "${meant}"?` : `beside "${kind}" there is ${known.slice(1).join(', ') || 'none'}`;
  throw new LearnError('ERR_INVALID_OPTION', `Unknown field "${unknown.slice(0, 40)}"; ${hint}`);
}

function sampleIn(fields: Fields, form: Pick<SampleForm, 'inputs' | 'shape'>): Request {
  const id = fields.id === undefined ? undefined : checked<SampleId>(fields, 'id', isId);
  if (!Object.hasOwn(fields, 'label')) return { kind: 'predict', id, input: inputOf(fields.input, form) };
  const label = checked<number>(fields, 'label', isLabel);
  return { kind: 'learn', id, label, input: inputOf(fields.input, form) };
}

function checked<T>(fields: Fields, name: string, check: Check): T {
  check(fields[name], name);
  return fields[name] as T;
}

const isSafeInteger = isNumber({ integer: true });

/** Integers beyond 2^53 have lost digits when they come out of JSON: different ids would be one. */
const isId: Check = (value, name) => {
  if (typeof value === 'string') return;
  if (typeof value !== 'number') throw invalid('a string or an integer', name, value);
  if (!Number.isSafeInteger(value)) throw invalid('an integer of at most 2^53, or a string', name, value);
};

const isLabel: Check = (value, name) => isSafeInteger(value, name);

const isTrue: Check = (value, name) => {
  if (value !== true) throw invalid('true', name, value);
};

/** null and true: the one before. */
const isVersion: Check = (value, name) => {
  if (value !== null && value !== true) isNumber({ integer: true, min: 0 })(value, name);
};
