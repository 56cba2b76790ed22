// Fits the inputs of samples to those of a model.
import { own } from '../core/checks';
import { LearnError } from '../core/errors';
import type { InputForm, ValueType } from '../core/sample-values';
import type { Model } from '../program/module';
import { limitsOf, type ProgramInput, type SizeRange } from '../program/program';
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
  const sizes: Sizes = { ranges: own(model.program, 'sizes') ?? {}, found: new Map() };
  for (const [i, index] of order.entries()) checkInput(model, wanted[i]!, inputs[index]!, transforms[index]!, sizes);
  return order;
}

function checkInput(
  model: Model,
  wanted: ProgramInput,
  { name, dtype, shape }: InputForm,
  transforms: readonly Transform[],
  sizes: Sizes,
): void {
  const of = model.program.inputs.length > 1 ? `the input "${wanted.name}" of ${model.name}` : model.name;
  checkShape(wanted, shapeAfter(transforms, shape), of, sizes);
  const type = takePixels(transforms) ? 'float32' : dtype;
  if (casts[type].includes(wanted.dtype)) return;
  throw new LearnError(
    'ERR_SHAPE',
    `Expected ${wanted.dtype} values for ${of}, or such as can be cast to it without loss, but "${name}" is ${type}`,
  );
}

/** Sizes of free axes: what each may be, and what it is in the inputs looked at so far. */
interface Sizes {
  readonly ranges: Readonly<Record<string, SizeRange>>;
  readonly found: Map<string, number>;
}

function checkShape(input: ProgramInput, sample: readonly number[], of: string, sizes: Sizes): void {
  const wanted = own(input, 'shape');
  if (wanted === undefined) return;
  const refuse = (reason: string) =>
    new LearnError(
      'ERR_SHAPE',
      `Expected samples of shape [${wanted.join(', ')}] for ${of} but the data set's are [${sample.join(', ')}]${reason}`,
    );
  if (sample.length !== wanted.length) throw refuse('');
  for (const [axis, size] of wanted.entries()) {
    const found = sample[axis]!;
    if (typeof size === 'number' && found !== size) throw refuse('');
    if (typeof size === 'number') continue;
    const { min, max } = limitsOf(own(sizes.ranges, size));
    if (found < min || found > max) throw refuse(`; ${size} may be from ${min} to ${max}`);
    const other = sizes.found.get(size) ?? found;
    if (other !== found) throw refuse(`; ${size} is ${other} in another input`);
    sizes.found.set(size, found);
  }
}
