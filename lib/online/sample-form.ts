// The form of a learner's samples: how options give it, and how it follows from settings and a model.
import { type Check, invalid, isListOf, isNumber, isOneOf, plain } from '../core/checks';
import { LearnError } from '../core/errors';
import {
  type InputForm,
  type SampleForm,
  sizeOf,
  type TargetForm,
  type TargetKind,
  targetKinds,
  type ValueType,
  valueArrays,
} from '../core/sample-values';
import type { TransformsPlan } from '../native/plans';
import type { Model } from '../program/module';
import { fixedShape, type ProgramInput } from '../program/program';
import { takePixels } from '../transforms';
import { isTransforms, type Transforms, trainingTransforms, transformsOf } from '../transforms/by-input';

/** One input of a sample. */
export interface InputOptions {
  /** Default: as that of a model's only input, by its transforms and the model. */
  dtype?: ValueType;
  /** Of one sample; [] for a number. Default: the model's own. */
  shape?: readonly number[];
}

/** The target of a sample. */
export interface TargetOptions {
  /** `'class'`: the index of a class; for the others see {@link TargetKind}. */
  kind: Exclude<TargetKind, 'none'>;
  /** Of one sample; [] for a number. Default: []. */
  shape?: readonly number[];
}

/** The settings from which the form follows. */
export interface FormSettings {
  /** A type where the only input has no name of its own; else all inputs by name, or none of them: the model's own. */
  inputs: ValueType | Readonly<Record<string, InputOptions>>;
  /** Of the only input; empty: the model's own. */
  shape: readonly number[];
  transforms: Transforms;
  target: TargetForm;
}

const isShape = isListOf(isNumber({ integer: true, min: 1 }));
const valueTypes = Object.keys(valueArrays);
const isValueType = isOneOf(valueTypes);

/** Equal options in another order give equal settings. */
function inOrderOfNames<Item>(named: Readonly<Record<string, Item>>): Record<string, Item> {
  return Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The own fields of an object, which has only those of `checks`. */
function fieldsOf(value: unknown, name: string, checks: Readonly<Record<string, Check>>): Record<string, unknown> {
  if (!isObject(value)) throw invalid(`an object with ${Object.keys(checks).join(' and ')}`, name, value);
  const given = Object.entries(value).filter(([, field]) => field !== undefined);
  const fields = Object.fromEntries(
    given.map(([key, field]) => {
      if (!Object.hasOwn(checks, key)) throw invalid(`only ${Object.keys(checks).join(' and ')}`, name, key);
      return [key, checks[key]!(field, `${name}.${key}`) ?? field];
    }),
  );
  return plain(fields);
}

/** Returns a type, or a copy in which every input is an object. */
export const isInputs: Check = (value, name) => {
  if (valueTypes.includes(value as string)) return value;
  if (!isObject(value) || Object.keys(value).length === 0) {
    throw invalid(
      `one of ${valueTypes.map((type) => `'${type}'`).join(', ')}, or an object of them by input`,
      name,
      value,
    );
  }
  const named = Object.entries(value).map(([input, given]) => [
    input,
    fieldsOf(typeof given === 'string' ? { dtype: given } : given, `${name}.${input}`, {
      dtype: isValueType,
      shape: isShape,
    }),
  ]);
  return inOrderOfNames(Object.fromEntries(named));
};

/** Returns a TargetForm. */
export const isTargetForm: Check = (value, name) => {
  const { kind, shape = [] } = fieldsOf(value, name, { kind: isTargetKind, shape: isShape });
  isTargetKind(kind, `${name}.kind`);
  if (kind === 'class' && (shape as number[]).length > 0) {
    throw invalid(
      "no shape for targets of the kind 'class' (use 'tokens' for several indices)",
      `${name}.shape`,
      shape,
    );
  }
  return { kind, shape };
};

const isTargetKind: Check = (value, name) => {
  const kinds = targetKinds.filter((kind) => kind !== 'none').map((kind) => `'${kind}'`);
  const reason = value === 'none' ? ', since without targets there is nothing to learn from,' : '';
  if (!kinds.includes(`'${value}'`)) throw invalid(`one of ${kinds.join(', ')}${reason}`, name, value);
};

/** As isTransforms(); equal for equal transforms by name. */
export const isSampleTransforms: Check = (value, name) => {
  const copy = isTransforms(value, name) as Transforms;
  return Array.isArray(copy) ? copy : inOrderOfNames(copy as Record<string, never>);
};

/** The inputs of samples in the order of the model's, and the transforms of each for learning. */
export function inputsOf(
  { inputs: given, shape, transforms: givenTransforms }: Omit<FormSettings, 'target'>,
  model: Model,
): { inputs: InputForm[]; transforms: TransformsPlan } {
  // Nothing on Object.prototype counts as a shape.
  const wanted = model.program.inputs.map((input) => plain(input));
  const named = typeof given === 'string' ? oneInput(given, shape, model) : given;
  if (shape.length > 0 && (wanted.length > 1 || typeof given !== 'string')) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      'Expected the shape of each input as "inputs", such as { name: { shape: [8] } }, not as "shape"',
    );
  }
  const options = optionsOf(named, model).map(([name, options]) => [name, plain(options)] as const);
  const tentative = wanted.map((input, i): InputForm => {
    const [name, { dtype, shape }] = options[i]!;
    return {
      name,
      dtype: dtype ?? (input.dtype === 'float32' ? 'uint8' : input.dtype),
      shape: shapeOf(shape, input, model),
    };
  });
  const transforms = transformsOf(givenTransforms, tentative, (input) =>
    wanted[tentative.indexOf(input)]!.dtype === 'float32' ? trainingTransforms(input) : [],
  );
  if (given === 'uint8' && wanted[0]!.dtype === 'float32' && !takePixels(transforms[0]!)) throw pixelsAsNumbers(model);
  const inputs = tentative.map((form, i): InputForm => {
    const isOpen = options[i]![1].dtype === undefined && wanted[i]!.dtype === 'float32';
    return isOpen && !takePixels(transforms[i]!) ? { ...form, dtype: 'float32' } : form;
  });
  return { inputs, transforms };
}

/** Pixels from 0 to 255 are rarely what a model was trained on. */
function pixelsAsNumbers({ name, program }: Model): LearnError {
  return new LearnError(
    'ERR_INVALID_OPTION',
    `toTensor is missing among the transforms: ${name} computes with float32, and samples are uint8. Put toTensor() after the ` +
      `transforms that move pixels, give float32 with inputs: 'float32', or pass inputs: { ${program.inputs[0]!.name}: 'uint8' } if ` +
      'the model takes numbers from 0 to 255',
  );
}

type Named = Readonly<Record<string, InputOptions>>;

function oneInput(dtype: ValueType, shape: readonly number[], model: Model): Named {
  const [only, ...others] = model.program.inputs;
  if (only && others.length === 0) return { [only.name]: { dtype, ...(shape.length > 0 && { shape }) } };
  throw invalid(
    `an object with the type of each input of ${model.name}, which are ${namesOf(model)},`,
    'inputs',
    dtype,
  );
}

/** Name and options of each of the model's inputs. A model's only input may have another name in samples. */
function optionsOf(named: Named, model: Model): (readonly [string, InputOptions])[] {
  const wanted = model.program.inputs;
  const given = Object.entries(named);
  if (given.length === 0) return wanted.map(({ name }) => [name, {}]);
  if (given.length === 1 && wanted.length === 1) return given;
  const unknown = given.find(([name]) => !wanted.some((input) => input.name === name));
  const missing = wanted.find((input) => !Object.hasOwn(named, input.name));
  if (!unknown && !missing) return wanted.map(({ name }) => [name, named[name]!]);
  const problem = unknown ? `it has "${unknown[0]}"` : `"${missing!.name}" is missing`;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected the inputs of ${model.name}, which are ${namesOf(model)}, for "inputs" but ${problem}`,
  );
}

function namesOf({ program }: Model): string {
  return program.inputs.map(({ name }) => name).join(', ');
}

function shapeOf(given: readonly number[] | undefined, input: ProgramInput, model: Model): readonly number[] {
  const known = given ?? fixedShape(input);
  if (known) return known;
  const isOnly = model.program.inputs.length === 1;
  const option = isOnly ? 'the option "shape"' : `a shape for "inputs.${input.name}"`;
  const of = isOnly ? 'a sample' : 'that input';
  throw new LearnError('ERR_INVALID_OPTION', `Expected ${option}: ${model.name} does not fix the shape of ${of}`);
}

/**
 * For each of `wanted`, the index of the input of the same name, or of the only one of both; undefined: the inputs are others.
 */
export function indicesOf(wanted: readonly InputForm[], inputs: readonly InputForm[]): number[] | undefined {
  if (wanted.length !== inputs.length) return undefined;
  if (wanted.length === 1) return [0];
  const indices = wanted.map(({ name }) => inputs.findIndex((input) => input.name === name));
  return indices.includes(-1) ? undefined : indices;
}

/** Bytes of one sample with its target. */
export function bytesOfSample({ inputs, target }: SampleForm): number {
  const sizes = inputs.map(({ dtype, shape }) => sizeOf(shape) * valueArrays[dtype].BYTES_PER_ELEMENT);
  return sizes.reduce((sum, size) => sum + size, 4 * sizeOf(target.shape));
}

/** Describes the form, for messages. */
export function formText({ inputs, target, classes }: SampleForm): string {
  const shown = (shape: readonly number[]) => `[${shape.join(', ')}]`;
  const [only, ...others] = inputs;
  const samples =
    only && others.length === 0
      ? `${only.dtype} samples of shape ${shown(only.shape)}`
      : `samples with ${inputs.map(({ name, dtype, shape }) => `${name} (${dtype} ${shown(shape)})`).join(', ')}`;
  if (target.kind === 'class') return `${samples} and ${classes} classes`;
  const targets = target.kind === 'none' ? 'no targets' : `${target.kind} of shape ${shown(target.shape)}`;
  return `${samples} and ${targets}${target.kind === 'tokens' ? ` from ${classes} classes` : ''}`;
}
