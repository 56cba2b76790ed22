// Tensors that JavaScript gives, checked and described for the addon. For state.ts.
import { types } from 'node:util';
import { type DType, dtypes, type TensorData } from '../checkpoint/dtypes';
import { maxDimensions } from '../checkpoint/limits';
import { checkOptions, invalid, isListOf, isNumber, isOneOf, isRecord } from '../core/checks';
import { LearnError } from '../core/errors';
import { sizeOf } from '../core/sample-values';
import type { GivenTensor } from '../native/state-plans';
import { checkedName } from './edit';

/** A tensor to be put into a state, in the form in which {@link State.tensor} returns one. */
export interface NewTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** In row-major order: bits of 16-bit floats in a Uint16Array, of 8-bit floats in a Uint8Array; 0 and 1 for bool; pairs for complex. */
  readonly data: TensorData;
}

const isShape = isListOf(isNumber({ integer: true, min: 0 }));

/** Throws ERR_INVALID_OPTION, naming the tensor, for whatever is no tensor. The bytes are views of the caller's. */
export function givenTensors(tensors: unknown): (GivenTensor & { dtype: DType })[] {
  if (!isRecord(tensors)) throw invalid('an object of { dtype, shape, data } by name', 'tensors', tensors);
  return Object.entries(tensors).map(([name, tensor]) => given(checkedName(name, 'the name of a tensor'), tensor));
}

function given(name: string, tensor: unknown): GivenTensor & { dtype: DType } {
  const at = (field: string) => `tensors["${name.slice(0, 200)}"].${field}`;
  if (!isRecord(tensor)) throw invalid('{ dtype, shape, data }', at('').slice(0, -1), tensor);
  const { dtype, shape, data } = checkOptions(at('').slice(0, -1), tensor as unknown as NewTensor, {
    dtype: (value) => isOneOf(Object.keys(dtypes))(value, at('dtype')),
    shape: (value) => isShape(value, at('shape')),
    data: () => undefined,
  });
  isOneOf(Object.keys(dtypes))(dtype, at('dtype'));
  isShape(shape, at('shape'));
  if (shape.length > maxDimensions) throw invalid(`a shape of at most ${maxDimensions} sizes`, at('shape'), shape);
  const bytes = bytesOf(data, dtype, at('data'));
  const expected = sizeOf(shape) * dtypes[dtype].bytes;
  if (bytes.length !== expected) {
    const count = (size: number) => size / bytesOfItem(dtype);
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected ${count(expected)} values for "${at('data')}" of shape [${shape.join(', ')}]` +
        `${/complex/.test(dtype) ? ', two for each complex number,' : ''} but received ${count(bytes.length)}`,
    );
  }
  return { name, dtype, shape, bytes };
}

/** Width of an item of the array that holds values of the dtype. */
function bytesOfItem(dtype: DType): number {
  return (dtypes[dtype].array as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
}

function bytesOf(data: unknown, dtype: DType, name: string): Uint8Array {
  const { array } = dtypes[dtype];
  // By the kind of array that it is, of any realm, and not by what it says of itself.
  const isFitting = types.isTypedArray(data) && kindOf(data) === array.name;
  if (!isFitting) throw invalid(`the values of ${dtype} in a ${array.name}`, name, data);
  const { buffer, byteOffset, byteLength } = data;
  try {
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw new LearnError('ERR_INVALID_OPTION', `Expected values for "${name}" but its buffer was detached or shrunk`, {
      cause,
    });
  }
}

const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

function kindOf(data: NodeJS.TypedArray): string {
  return tagOf.call(data) as string;
}
