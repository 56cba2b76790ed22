// Writes the JSON that describes the tensors of a program in an archive, as torch.export.save does (PayloadConfig of
// torch/_export/serde/schema.py). stored-tensors.ts reads it.
import { numberOf, stridedNumber } from './enums';
import type { StoredTensor } from './stored-tensors';
import { mapInTurns } from './turns';

/** A tensor as a config describes it. `record`: the name of its storage, such as 'weight_0'. */
export interface DescribedTensor extends Omit<StoredTensor, 'storage'> {
  readonly name: string;
  readonly record: string;
}

export async function payloadConfig(
  tensors: readonly DescribedTensor[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  // Entry by entry, because an object would sort names that are numbers.
  const entries = await mapInTurns(tensors, (tensor) => `${JSON.stringify(tensor.name)}: ${entryOf(tensor)}`, signal);
  return Buffer.from(`{"config": {${entries.join(', ')}}}`);
}

function entryOf({ record, isParameter, requiresGrad, dtype, shape, stride, offset }: DescribedTensor): string {
  const integers = (values: readonly number[]) => values.map((value) => ({ as_int: value }));
  return JSON.stringify({
    path_name: record,
    is_param: isParameter,
    use_pickle: false,
    tensor_meta: {
      dtype: numberOf(dtype),
      sizes: integers(shape),
      requires_grad: requiresGrad,
      device: { type: 'cpu', index: null },
      strides: integers(stride),
      storage_offset: { as_int: offset },
      layout: stridedNumber,
    },
  });
}
