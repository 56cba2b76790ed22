// Reads the header of a safetensors file. A file with one tensor, w = [1.0], is
//
//   38 00 00 00 00 00 00 00                                          the length of the header, 64 bits
//   {"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}..         the header, padded with spaces to a multiple of 8
//   00 00 80 3f                                                      the data
//
//  1. Everything that the safetensors library checks is checked.
//  2. Every byte of the data belongs to exactly one tensor: nothing can be hidden in the file, and nothing overlaps.
//  3. No key occurs twice, and sizes are exact: shape times width is the number of bytes.
//  4. "__metadata__" holds strings only. It describes the file, not a tensor.

import type { CheckpointFile } from '../containers/file';
import { type DType, dtypes } from '../dtypes';
import { formatError } from '../errors';
import { maxDimensions, maxHeaderBytes } from '../limits';
import type { Checkpoint, ParseOptions } from '../parsed';
import { cost, MemoryBudget } from '../pickle/budget';
import { type Stripped, stripped } from '../prefixes';
import { TensorList } from '../resolve';
import type { StoragePlace, StoredBytes } from '../storages';
import { NamedTensors } from '../tree';
import { OrderedDict, type Value } from '../values';
import { dtypesByName } from './dtypes';
import { type Json, type JsonObject, parseObject, textOf } from './json';

/** Size of the field that holds the header's length. */
const lengthBytes = 8;
/** Key of the file's metadata: strings by name. */
const metadataKey = '__metadata__';

interface Entry {
  name: string;
  dtype: DType;
  shape: number[];
  /** In bytes, from the end of the header. */
  begin: number;
  end: number;
}

export async function readSafetensors(file: CheckpointFile, options: ParseOptions): Promise<Checkpoint> {
  const { entries, strings, dataStart } = await readHeader(file, options.signal);
  if (options.key)
    throw formatError(
      `There is nothing under the key ${JSON.stringify(options.key)}: a safetensors file holds one set of tensors, which ` +
        'has no key. Leave out the option "key"',
    );
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCovered(entries, file.size - dataStart);
  const { stripPrefix } = options;
  const names = entries.map(({ name }) => name);
  return {
    file,
    facts: { kind: 'safetensors', byteorder: 'little' },
    storages: entries.map((entry) => ({ stored: new TensorBytes(entry, dataStart), dtype: entry.dtype })),
    key: '',
    keys: [''],
    // torch.load passes a file with this extension to the safetensors library.
    refusedByWeightsOnly: file.path.endsWith('.safetensors')
      ? undefined
      : 'it is a safetensors file without that extension',
    ...treeOf(stripped(names, stripPrefix), entries, strings),
  };
}

async function readHeader(file: CheckpointFile, signal?: AbortSignal) {
  const length = (await file.read(0, lengthBytes)).readBigUInt64LE();
  const left = file.size - lengthBytes;
  if (length > BigInt(left))
    throw formatError(`Expected a safetensors header of ${length} bytes, but ${left} are left: it is cut or damaged`);
  if (length > BigInt(maxHeaderBytes))
    throw formatError(`its safetensors header of ${length} bytes is larger than ${maxHeaderBytes}`);
  const bytes = await file.read(lengthBytes, Number(length));
  const memory = new MemoryBudget();
  const entries: Entry[] = [];
  let strings: JsonObject | undefined;
  const visit = (name: string, value: Json) => {
    if (name === metadataKey) strings = stringsOf(value);
    else entries.push(entryOf(name, value));
    const dimensions = entries.at(-1)?.shape.length ?? 0;
    memory.take(cost.text + 2 * name.length + entryCost + cost.resolved.dimension * dimensions);
  };
  const place = 'its safetensors header';
  await parseObject(textOf(bytes, place), place, visit, { signal });
  return { entries, strings, dataStart: lengthBytes + bytes.length };
}

/** Memory in bytes for an entry, its tensor and its storage. */
const entryCost = 1024;

function stringsOf(metadata: Json | undefined): JsonObject | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  if (metadata instanceof Map && [...metadata.values()].every((value) => typeof value === 'string')) return metadata;
  throw formatError(`Expected strings by name for ${metadataKey} but found ${kindOfJson(metadata)}`);
}

function entryOf(name: string, json: Json): Entry {
  const path = `[${JSON.stringify(name.slice(0, 200))}]`;
  if (!(json instanceof Map))
    throw formatError(
      `Expected an object with dtype, shape and data_offsets for ${path} but found ${kindOfJson(json)}`,
    );
  const dtype = dtypeOf(json.get('dtype'), path);
  const shape = json.get('shape');
  const offsets = json.get('data_offsets');
  if (!isSizes(shape) || shape.length > maxDimensions)
    throw formatError(`Expected a shape of at most ${maxDimensions} sizes for ${path} but found ${kindOfJson(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!)
    throw formatError(`Expected [begin, end] as data_offsets of ${path} but found ${kindOfJson(offsets)}`);
  const [begin, end] = offsets as [number, number];
  // An inexact product is larger than any file, so it cannot be equal to the size of the data.
  const bytes = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, dtypes[dtype].bytes);
  if (bytes !== end - begin)
    throw formatError(`${path} of dtype ${dtype} and shape [${shape}] takes ${bytes} bytes but has ${end - begin}`);
  return { name, dtype, shape, begin, end };
}

function dtypeOf(name: Json | undefined, path: string): DType {
  const dtype = typeof name === 'string' ? dtypesByName.get(name) : undefined;
  if (dtype) return dtype;
  if (typeof name === 'string' && /^F[46](_|$)/.test(name))
    throw formatError(`${path} has the dtype ${name}, of less than a byte an element, which is not supported`);
  throw formatError(
    `Expected one of ${[...dtypesByName.keys()].join(', ')} as dtype of ${path} but found ${kindOfJson(name)}`,
  );
}

function isSizes(value: Json | undefined): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size));
}

/** Checks rule 2: every byte of the data belongs to exactly one tensor. */
function checkCovered(entries: readonly Entry[], bytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== covered)
      throw formatError(
        `Expected ${JSON.stringify(name.slice(0, 200))} to begin at byte ${covered} of the data, where the tensor before ` +
          `it ends, but found ${begin}`,
      );
    covered = end;
  }
  if (covered !== bytes)
    throw formatError(
      `Expected ${covered} bytes of data, as the header says, but found ${bytes}: it is cut or damaged`,
    );
}

class TensorBytes implements StoredBytes {
  readonly bytes: number;
  readonly #name: string;
  readonly #offset: number;

  constructor({ name, begin, end }: Entry, dataStart: number) {
    this.bytes = end - begin;
    this.#name = name;
    this.#offset = dataStart + begin;
  }

  get path(): string {
    return `[${JSON.stringify(this.#name)}]`;
  }

  place(): StoragePlace {
    return { offset: this.#offset, bytes: this.bytes, bigEndian: false, crc32: -1 };
  }
}

function treeOf({ names, ...what }: Stripped, entries: readonly Entry[], strings: JsonObject | undefined) {
  const named = new NamedTensors();
  const extras = new TensorList();
  const part = new OrderedDict();
  // Kept as attributes, like the _metadata of a state dict: Python's load_state_dict() expects a tensor for every item.
  const beside = new Map<Value, Value>(strings ? [[metadataKey, strings as ReadonlyMap<Value, Value>]] : []);
  entries.forEach(({ name, dtype, shape }, storage) => {
    const tensor = { dtype, shape, stride: rowMajor(shape), offset: 0, storage };
    const inState = names.get(name);
    if (inState === undefined) beside.set(name, extras.add(tensor));
    else part.set(inState, named.addNamed(inState, tensor));
  });
  if (beside.size > 0) part.attributes = beside;
  return {
    names: named.names,
    tensors: named.tensors,
    extras: extras.tensors,
    tree: { root: part, path: [], part, stripped: what },
    sources: [named.source, extras.source] as const,
  };
}

function rowMajor(shape: readonly number[]): number[] {
  const stride = new Array<number>(shape.length);
  for (let axis = shape.length - 1, step = 1; axis >= 0; axis--) {
    stride[axis] = step;
    step *= Math.max(shape[axis]!, 1);
  }
  return stride;
}

function kindOfJson(json: Json | undefined): string {
  if (json === undefined) return 'nothing';
  if (json instanceof Map) return `an object of ${json.size}`;
  return JSON.stringify(json).slice(0, 100);
}
