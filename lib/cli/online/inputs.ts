// Reads the values of one sample in JSON: inputs as base64 of their bytes, or as numbers, flat or nested in their shape; targets as
// numbers.
import { invalid } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { flattened } from '../../core/nested-numbers';
import {
  type InputForm,
  type NamedValues,
  sizeOf,
  type TargetForm,
  type TargetValues,
  type Values,
  type ValueType,
  valueArrays,
  valuesByName,
} from '../../core/sample-values';

/** Values of a sample, in the order of the learner's inputs, as the learner takes them. */
export function named(inputs: readonly Values[], forms: readonly InputForm[]): Values | NamedValues {
  const [first] = inputs;
  return first && inputs.length === 1 ? first : Object.fromEntries(forms.map(({ name }, i) => [name, inputs[i]!]));
}

/** The values of the only input. */
export function onlyInputIn(value: unknown, forms: readonly InputForm[]): Values[] {
  const [form] = forms;
  if (form && forms.length === 1) return [valuesIn(value, form, 'input')];
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected "inputs", an object with values for ${namesOf(forms)}, instead of "input"`,
  );
}

/** The values of each input, by name. */
export function inputsIn(value: unknown, forms: readonly InputForm[]): Values[] {
  const values = valuesByName(value, forms, 'inputs');
  return forms.map((form, i) => valuesIn(values[i], form, `inputs.${form.name}`));
}

function namesOf(forms: readonly InputForm[]): string {
  return forms.map(({ name }) => name).join(', ');
}

/** The type of a target's values, of another kind than `class`. */
export function targetType({ kind }: TargetForm): 'int32' | 'float32' {
  return kind === 'tokens' ? 'int32' : 'float32';
}

/** A target of another kind than `class`. */
export function targetIn(value: unknown, form: TargetForm): TargetValues {
  const { shape } = form;
  const type = targetType(form);
  if (shape.length === 0 && typeof value === 'number') return arrayOf([value], type, () => 'target') as TargetValues;
  if (shape.length === 0) throw invalid('a number', 'target', value);
  if (!Array.isArray(value)) throw invalid('an array of numbers', 'target', value);
  const numbers = flattened(value, shape, 'target');
  const size = sizeOf(shape);
  if (numbers.length === size) return arrayOf(numbers, type, (at) => `target[${at}]`) as TargetValues;
  const expected = `Expected ${size} values for "target", of shape [${shape.join(', ')}]`;
  throw new LearnError('ERR_SHAPE', `${expected}, but there are ${numbers.length}`);
}

function valuesIn(value: unknown, { dtype, shape }: InputForm, name: string): Values {
  if (typeof value === 'string') return fromBase64(value, dtype, name);
  if (shape.length === 0 && typeof value === 'number') return arrayOf([value], dtype, () => name);
  if (shape.length === 0) throw invalid('a number, or base64', name, value);
  if (!Array.isArray(value)) throw invalid('base64 or an array of numbers', name, value);
  return arrayOf(flattened(value, shape, name), dtype, (at) => `${name}[${at}]`);
}

function fromBase64(text: string, type: ValueType, name: string): Values {
  // Node skips invalid characters.
  if (!/^[\w+/-]*={0,2}$/.test(text))
    throw wrong(`Expected base64 for "${name}", without line breaks or other characters`);
  const digits = text.length - (text.endsWith('==') ? 2 : Number(text.endsWith('=')));
  if (digits % 4 === 1) throw wrong(`Expected base64 for "${name}", but it is incomplete`);
  // A copy, since larger values need aligned memory, and Node's small buffers share a larger one.
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  const { BYTES_PER_ELEMENT: size } = valueArrays[type];
  if (bytes.length % size === 0) return new valueArrays[type](bytes.buffer);
  throw wrong(`Expected ${type} values, ${size} bytes each, for "${name}", but there are ${bytes.length} bytes`);
}

function wrong(message: string): LearnError {
  return new LearnError('ERR_DATA_FORMAT', message);
}

interface Numbers {
  expected: string;
  include(value: unknown): boolean;
}

function integers(min: number, max: number, expected = `integers from ${min} to ${max}`): Numbers {
  return {
    expected,
    include: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  };
}

const numbersOf: Readonly<Record<ValueType, Numbers>> = {
  uint8: integers(0, 255),
  int32: integers(-(2 ** 31), 2 ** 31 - 1),
  // JSON parsers round larger ones.
  int64: integers(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'integers below 2^53, or all values as base64,'),
  float32: { expected: 'numbers', include: (value) => typeof value === 'number' },
};

/** `nameAt`: for messages. */
function arrayOf(values: readonly unknown[], type: ValueType, nameAt: (index: number) => string): Values {
  const { expected, include } = numbersOf[type];
  const at = values.findIndex((value) => !include(value));
  if (at !== -1) throw invalid(expected, nameAt(at), values[at]);
  const numbers = values as readonly number[];
  return type === 'int64' ? BigInt64Array.from(numbers, BigInt) : valueArrays[type].from(numbers);
}
