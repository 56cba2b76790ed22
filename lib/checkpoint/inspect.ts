// What a checkpoint holds, told without reading a tensor's bytes and without libtorch. For the command line's `inspect`.
import { dtypes } from './dtypes';
import { parsePth } from './pth';

export interface InspectedTensor {
  name: string;
  dtype: string;
  shape: number[];
  /** Its elements; a view may be larger or smaller than what is stored. */
  bytes: number;
  /** The first tensor that lies in the same storage, where that is another one. */
  sharedWith?: string;
}

export interface FileDescription {
  path: string;
  bytes: number;
  container: 'pth';
  /** The folder inside the zip that everything is in. */
  archive: string;
  version: number;
  byteorder: 'little' | 'big';
  tensors: InspectedTensor[];
  totals: {
    tensors: number;
    elements: number;
    /** Of all storages that tensors lie in; shared ones once. */
    bytes: number;
  };
  /** Maps as plain objects. */
  metadata: Record<string, unknown>;
}

/** Throws as loadState does for files that cannot be loaded. */
export async function inspectFile(path: string): Promise<FileDescription> {
  const { fileBytes, archive, version, byteorder, stateDict } = await parsePth(path);
  const first = new Map<number, string>();
  const tensors = stateDict.tensors.map(({ name, dtype, shape, storage }) => {
    const owner = first.get(storage);
    if (owner === undefined) first.set(storage, name);
    const bytes = elementsOf(shape) * dtypes[dtype].bytes;
    return { name, dtype, shape, bytes, ...(owner === undefined ? {} : { sharedWith: owner }) };
  });
  const totals = {
    tensors: tensors.length,
    elements: tensors.reduce((sum, { shape }) => sum + elementsOf(shape), 0),
    bytes: stateDict.storages.reduce((sum, { record }) => sum + record.bytes, 0),
  };
  const metadata = toPlain(stateDict.metadata) as Record<string, unknown>;
  return { path, bytes: fileBytes, container: 'pth', archive, version, byteorder, tensors, totals, metadata };
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function toPlain(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  // Own properties whatever the key: assignment would take __proto__ for something else.
  return Object.fromEntries([...value].map(([key, item]) => [key, toPlain(item)]));
}
