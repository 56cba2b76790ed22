// Fits the inputs of samples to those of a model.
import { LearnError } from '../core/errors';
import type { InputForm, ValueType } from '../core/sample-values';
import type { Model } from '../program/module';
import { fixedShape, type ProgramInput } from '../program/program';
import { shapeAfter, type Transform, takePixels } from '../transforms';

/** The data types that a value can be cast to without loss. */
const casts: Readonly<Record<ValueType, readonly ValueType[]>> = {
  uint8: ['uint8', 'int32', 'int64', 'float32'],
  int32: ['int32', 'int64'],
  int64: ['int64'],
  float32: ['float32'],
};

/**
 * For each input of the model, the index of the samples' input that it gets: the one of the same name, or the only one of both.
 * Throws ERR_SHAPE if an input is missing, unknown, of another shape after the transforms, or of a data type that does not fit.
 */
export function inputOrder(
  model: Model,
  inputs: readonly InputForm[],
  transforms: readonly (readonly Transform[])[],
): number[] {
  const wanted = model.program.inputs;
  const isOnly = wanted.length === 1 && inputs.length === 1;
  const order = wanted.map(({ name }) => (isOnly ? 0 : inputs.findIndex((input) => input.name === name)));
  const unknown = inputs.find((_, i) => !order.includes(i));
  if (order.includes(-1) || unknown) {
    const names = (list: readonly { name: string }[]) => list.map(({ name }) => `"${name}"`).join(', ');
    throw new LearnError(
      'ERR_SHAPE',
      `Expected samples with the inputs of ${model.name}, ${names(wanted)}, but they have ${names(inputs)}`,
    );
  }
  for (const [i, index] of order.entries()) checkInput(model, wanted[i]!, inputs[index]!, transforms[index]!);
  return order;
}

function checkInput(
  model: Model,
  wanted: ProgramInput,
  { name, dtype, shape }: InputForm,
  transforms: readonly Transform[],
): void {
  const of = model.program.inputs.length > 1 ? `the input "${wanted.name}" of ${model.name}` : model.name;
  const sample = shapeAfter(transforms, shape);
  const fixed = fixedShape(wanted);
  if (fixed && String(sample) !== String(fixed)) {
    throw new LearnError(
      'ERR_SHAPE',
      `Expected samples of shape [${fixed.join(', ')}] for ${of} but the data set's are [${sample.join(', ')}]`,
    );
  }
  const type = takePixels(transforms) ? 'float32' : dtype;
  if (casts[type].includes(wanted.dtype)) return;
  throw new LearnError(
    'ERR_SHAPE',
    `Expected ${wanted.dtype} values for ${of}, or such as can be cast to it without loss, but "${name}" is ${type}`,
  );
}
