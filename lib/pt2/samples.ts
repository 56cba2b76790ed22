// Inputs of exported programs as samples have them: which axis is that of the samples, which sizes are free, and the calls that lay a
// batch out as the program takes it.
import { formatError } from '../checkpoint/errors';
import { node, value } from '../program/module';
import {
  limitsOf,
  type Program,
  type ProgramNode,
  type ProgramInput as SampleInput,
  type SizeRange,
  type ValueRef,
} from '../program/program';
import type { ExportedProgram, ProgramInput, Size } from './graph';
import { programDType, sampleDType } from './program-dtypes';
import type { ValueNames } from './value-names';

type TensorInput = Extract<ProgramInput, { type: 'tensor' }>;

export interface Samples {
  readonly inputs: readonly SampleInput[];
  readonly batch: SizeRange;
  readonly sizes: Readonly<Record<string, SizeRange>>;
  /** The size that is the number of samples. */
  readonly batchSize: Size;
}

/** Finds the samples' form. Throws ERR_STATE_FORMAT for inputs that are no tensors, and where no axis is that of the samples. */
export function samplesOf(program: ExportedProgram): Samples {
  const inputs = tensorInputs(program);
  const batchSize = batchSizeOf(inputs);
  const ranges = new Map(program.symbols.map(({ name, min, max }) => [name, rangeOf(min, max)]));
  const sizes = new Map<string, SizeRange>();
  const samples = inputs.map((input): SampleInput => {
    const axis = batchAxis(input.shape, batchSize);
    if (axis < 0)
      throw formatError(
        `The input "${input.name}" of shape [${input.shape.map(sizeText).join(', ')}] has no axis of ${sizeText(batchSize)} samples; export a ` +
          'model whose inputs all hold one row for each sample, with dynamic_shapes that name that axis',
      );
    const shape = input.shape
      .filter((_, i) => i !== axis)
      .map((size) => {
        if (typeof size === 'number') return size;
        sizes.set(sizeText(size), ('symbol' in size && ranges.get(size.symbol)) || { min: 0 });
        return sizeText(size);
      });
    return { name: input.name, dtype: sampleDType(input.dtype, input.name), shape };
  });
  const batch =
    typeof batchSize === 'number'
      ? { min: batchSize, max: batchSize }
      : ('symbol' in batchSize && ranges.get(batchSize.symbol)) || { min: 0 };
  const { min, max } = limitsOf(batch);
  if (!Number.isSafeInteger(min) || max < 1)
    throw formatError(`The model takes no samples: the sizes of its batches are from ${min} to ${max}`);
  return { inputs: samples, batch, sizes: Object.fromEntries(sizes), batchSize };
}

/** The calls that make the graph's inputs of the samples', and the values that they make. */
export function laidOut(
  program: ExportedProgram,
  { batchSize }: Samples,
  names: ValueNames,
): { nodes: ProgramNode[]; values: Map<string, ValueRef> } {
  const nodes: ProgramNode[] = [];
  const values = new Map<string, ValueRef>();
  for (const input of tensorInputs(program)) {
    let last = input.name;
    const call = (op: string, overload: string, args: ProgramNode['args']) => {
      const output = names.define(input.name);
      nodes.push(node(op, overload, { self: value(last), ...args }, output));
      last = output;
    };
    const dtype = programDType(input.dtype, `the input "${input.name}"`);
    if (dtype !== sampleDType(input.dtype, input.name)) call('to', 'dtype', { dtype: { dtype } });
    const axis = batchAxis(input.shape, batchSize);
    if (axis > 0) {
      call('movedim', 'int', { source: 0, destination: axis });
      call('contiguous', '', {});
    }
    values.set(input.value, value(last));
  }
  return { nodes, values };
}

/** The axis of the samples; -1 if it has no such axis. */
export function batchAxis(shape: readonly Size[], batchSize: Size): number {
  return shape.findIndex((size) => sizeText(size) === sizeText(batchSize));
}

function tensorInputs({ inputs }: ExportedProgram): TensorInput[] {
  const number = inputs.find(({ type }) => type === 'int' || type === 'float' || type === 'bool');
  if (number)
    throw formatError(
      `The input "${number.name}" of the model is a number; export a model that takes tensors alone, or with that number fixed`,
    );
  const tensors = inputs.filter((input): input is TensorInput => input.type === 'tensor');
  if (tensors.length === 0) throw formatError('Expected a model with at least one input that is a tensor');
  return tensors;
}

/** The only free size of all inputs; of several the first axis of the first input; without any that axis's number. */
function batchSizeOf([first, ...others]: readonly TensorInput[]): Size {
  const all = [first!, ...others];
  const free = new Map(all.flatMap(({ shape }) => shape.filter(isFree)).map((size) => [sizeText(size), size]));
  if (free.size === 1) return [...free.values()][0]!;
  const common = [...free.values()].filter((size) => all.every(({ shape }) => batchAxis(shape, size) >= 0));
  const leading = first!.shape[0];
  if (leading === undefined)
    throw formatError(`The input "${first!.name}" of the model has no axis, so none for samples; export it with one`);
  if (isFree(leading) || common.length === 0) return leading;
  return common[0]!;
}

function isFree(size: Size): size is Exclude<Size, number> {
  return typeof size !== 'number';
}

/** Equal for equal sizes. */
export function sizeText(size: Size): string {
  if (typeof size === 'number') return String(size);
  return 'symbol' in size ? size.symbol : size.expression;
}

function rangeOf(min: number, max: number): SizeRange {
  return Number.isSafeInteger(max) ? { min, max } : { min };
}

/** Whether two programs take the same samples. */
export function takeTheSame(a: Samples, b: Samples): boolean {
  const form = ({ inputs }: Samples): Program['inputs'] =>
    inputs.map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape: shape!.map((size) => (typeof size === 'number' ? size : '')),
    }));
  return JSON.stringify(form(a)) === JSON.stringify(form(b));
}
