// Reads NumPy's numbers and arrays, which pickles hold as plain data: the name of a dtype, and bytes. For resolve.ts.

import { Float } from '../values';
import { PickleCall, PickleGlobal, PickleTuple, type PickleValue } from './values';

type Read = (view: DataView, littleEndian: boolean) => number | bigint | boolean | Float;

const float = (value: number) => (Number.isInteger(value) ? new Float(value) : value);

/** Readers of one number, by the dtype's name without its byte order. */
const readers: Readonly<Record<string, Read>> = {
  f8: (view, little) => float(view.getFloat64(0, little)),
  f4: (view, little) => float(view.getFloat32(0, little)),
  i8: (view, little) => narrow(view.getBigInt64(0, little)),
  u8: (view, little) => narrow(view.getBigUint64(0, little)),
  i4: (view, little) => view.getInt32(0, little),
  u4: (view, little) => view.getUint32(0, little),
  i2: (view, little) => view.getInt16(0, little),
  u2: (view, little) => view.getUint16(0, little),
  i1: (view) => view.getInt8(0),
  u1: (view) => view.getUint8(0),
  b1: (view) => view.getUint8(0) !== 0,
};

function narrow(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function isCall(value: PickleValue | undefined, name: string): value is PickleCall & { args: PickleTuple } {
  return (
    value instanceof PickleCall &&
    !value.isNew &&
    value.items.length === 0 &&
    value.entries.length === 0 &&
    value.callee instanceof PickleGlobal &&
    value.callee.name === name &&
    value.args instanceof PickleTuple
  );
}

/** Returns the name and byte order of numpy.dtype('f8', False, True) with the state (3, '<', …). */
function dtypeOf(value: PickleValue | undefined): { name: string; little: boolean } | undefined {
  if (!isCall(value, 'numpy.dtype') || !(value.state instanceof PickleTuple)) return undefined;
  const name = value.args.items[0];
  const order = value.state.items[1];
  if (typeof name !== 'string' || !Object.hasOwn(readers, name) || typeof order !== 'string') return undefined;
  return { name, little: order !== '>' };
}

/** Bytes by the call that makes them, or null if it makes none: many numbers can be made from the same bytes. */
const encoded = new WeakMap<PickleCall, Uint8Array | null>();

/** Returns bytes, which protocol 2 writes as a call that encodes a string in Latin-1. */
export function bytesOf(value: PickleValue | undefined): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (isCall(value, 'builtins.bytes') && value.args.items.length === 0) return new Uint8Array();
  if (!isCall(value, '_codecs.encode')) return undefined;
  const known = encoded.get(value);
  if (known !== undefined) return known ?? undefined;
  const bytes = encodedBytes(value.args.items);
  encoded.set(value, bytes ?? null);
  return bytes;
}

function encodedBytes([text, encoding]: readonly PickleValue[]): Uint8Array | undefined {
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of Latin-1 is meant
  if (!/^[\x00-\xff]*$/.test(text)) return undefined;
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** Returns a number for a scalar and nested lists for an array; undefined for anything else, and for other dtypes. */
export function numpyValue(value: PickleCall): NumpyValue | undefined {
  if (isCall(value, 'numpy._core.multiarray.scalar')) return scalar(value.args.items);
  if (isCall(value, 'numpy._core.multiarray._reconstruct')) return array(value.state);
  return undefined;
}

/** A larger array is data, not a fact about the weights, and stays opaque. */
const maxArrayBytes = 2 ** 20;

export type NumpyValue = number | bigint | boolean | Float | NumpyValue[];

function scalar([type, content]: readonly PickleValue[]): NumpyValue | undefined {
  const dtype = dtypeOf(type);
  const bytes = bytesOf(content);
  return dtype && bytes && numbers(bytes, dtype, 1)?.[0];
}

/** The state of an ndarray: (version, shape, dtype, is Fortran, bytes). */
function array(state: PickleValue | undefined): NumpyValue | undefined {
  const [, shape, type, isFortran, content] = state instanceof PickleTuple ? state.items : [];
  const dtype = dtypeOf(type);
  const bytes = bytesOf(content);
  if (!dtype || !bytes || !(shape instanceof PickleTuple) || isFortran !== false || shape.items.length > 32)
    return undefined;
  if (bytes.length > maxArrayBytes) return undefined;
  const sizes = shape.items;
  if (!sizes.every((size): size is number => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0))
    return undefined;
  const flat = numbers(
    bytes,
    dtype,
    sizes.reduce((product, size) => product * size, 1),
  );
  // From the last axis to the first: rows of numbers, rows of rows.
  return flat && sizes.slice(1).reduceRight<NumpyValue[]>((items, size) => rows(items, size), flat);
}

function rows(items: readonly NumpyValue[], size: number): NumpyValue[] {
  const count = size === 0 ? 0 : items.length / size;
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function numbers(bytes: Uint8Array, { name, little }: { name: string; little: boolean }, count: number) {
  const width = Number(name.slice(1));
  if (bytes.length !== width * count) return undefined;
  const read = readers[name]!;
  return Array.from({ length: count }, (_, i) =>
    read(new DataView(bytes.buffer, bytes.byteOffset + i * width, width), little),
  );
}
