// Data types of exported programs that programs here have too.
import type { DType } from '../checkpoint/dtypes';
import { formatError } from '../checkpoint/errors';
import type { ProgramDType, ProgramInput } from '../program/program';

const known: ReadonlySet<string> = new Set<ProgramDType>([
  ...(['uint8', 'int8', 'int16', 'int32', 'int64', 'bool', 'float16', 'bfloat16', 'float32', 'float64'] as const),
  ...(['complex64', 'complex128'] as const),
]);

export function isProgramDType(dtype: DType): dtype is DType & ProgramDType {
  return known.has(dtype);
}

/** Throws ERR_STATE_FORMAT for a type that programs here do not have. `what`: what has it, for the message. */
export function programDType(dtype: DType, what: string): ProgramDType {
  if (isProgramDType(dtype)) return dtype;
  throw formatError(`Expected ${what} of one of the dtypes ${[...known].join(', ')} but it is ${dtype}`);
}

/** Data types in which samples hold the values of an input of each other type, without loss. */
const held: Readonly<Partial<Record<ProgramDType, ProgramInput['dtype']>>> = {
  ...{ uint8: 'uint8', int32: 'int32', int64: 'int64', float32: 'float32' },
  ...{ bool: 'uint8', int16: 'uint8', float16: 'uint8', bfloat16: 'uint8', float64: 'float32' },
};

/** The data type of samples for an input of `dtype`, from which the program casts. */
export function sampleDType(dtype: DType, name: string): ProgramInput['dtype'] {
  const found = isProgramDType(dtype) ? held[dtype] : undefined;
  if (found) return found;
  throw formatError(
    `The input "${name}" of the model is ${dtype}, which samples cannot hold; export a model that takes float32 or int64 and casts it`,
  );
}
