// Reads the format that torch.save wrote before PyTorch 1.6, and still writes with _use_new_zipfile_serialization=False: see
// _legacy_save in torch/serialization.py. The file is five pickles, then the storages:
//
//   80 02 8a 0a 6c fc 9c 46 f9 20 6a a8 50 19 2e   the magic number 0x1950a86a20f9469cfc6c
//   80 02 4d e9 03 2e                              the protocol version, 1001
//   80 02 7d … 2e                                  a dict about the machine: byte order and sizes of C types
//   80 02 … 2e                                     the object, which refers to storages by key
//   80 02 5d … 2e                                  the list of the storages' keys, in the order in which they follow
//   10 00 00 00 00 00 00 00 <16 elements>          for each storage: its number of elements, then the elements
//
//  1. No pickle says how long it is: each is read until its STOP, and the next one begins there.
//  2. Only the fourth pickle may refer to storages, and the list names exactly the storages that it refers to.
//  3. All five pickles together may take no more memory than one pickle of a zip file may.
//  4. Nothing follows the last storage.

import { CutPickle, formatError } from '../errors';
import { unlessInjected } from '../injected';
import { maxPickleBytes } from '../limits';
import { MemoryBudget } from '../pickle/budget';
import { unpickle } from '../pickle/unpickle';
import type { Unpickled } from '../pickle/unpickled';
import { kindOf, PickleDict, type PickleValue } from '../pickle/values';
import type { PickleContainer, StoredBytes } from '../storages';
import { refuseActing } from '../unsafe-names';
import type { CheckpointFile } from './file';
import { type LegacyStorage, namedStorages } from './legacy-storages';

const magic = 0x1950a86a20f9469cfc6cn;
const protocol = 1001;
const objectPlace = 'the object';
/** First read of a pickle; most are smaller. A longer pickle is read again in a window `windowGrowth` times as large. */
const firstWindowBytes = 2 ** 16;
const windowGrowth = 8;

export async function readLegacy(file: CheckpointFile, signal: AbortSignal | undefined): Promise<PickleContainer> {
  const stream = new PickleStream(file, signal);
  const number = (await stream.next('the magic number')).value;
  if (number !== magic)
    throw formatError(`Expected the magic number ${magic} of a legacy stream but found ${kindOf(number)}`);
  const version = (await stream.next('the protocol version')).value;
  if (version !== protocol)
    throw formatError(`Expected ${protocol} as the legacy stream's protocol version but found ${kindOf(version)}`);
  // The dict's content does not matter: every machine writes little-endian bytes and elements of the same sizes.
  const machine = (await stream.next('the machine')).value;
  if (!(machine instanceof PickleDict))
    throw formatError(`Expected a dict about the machine that wrote the legacy stream but found ${kindOf(machine)}`);
  const pickle = await stream.next(objectPlace);
  const named = namedStorages(pickle.references);
  const keys = keysIn((await stream.next('the list of storages')).value, named);
  return {
    facts: { kind: 'legacy', version: protocol, byteorder: 'little' },
    pickle,
    storages: await findStorages(file, stream.position, keys, named),
  };
}

/** Consecutive pickles, none of which records its own length. */
class PickleStream {
  position = 0;
  readonly #file: CheckpointFile;
  readonly #signal: AbortSignal | undefined;
  /** Bytes of memory that the pickles may still take; undefined before the first. */
  #memory: number | undefined;

  constructor(file: CheckpointFile, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#signal = signal;
  }

  /** `place` names the pickle in messages. */
  async next(place: string): Promise<Unpickled> {
    const left = this.#file.size - this.position;
    for (let window = firstWindowBytes; ; window *= windowGrowth) {
      const length = Math.min(window, maxPickleBytes, left);
      const bytes = await this.#file.read(this.position, length);
      try {
        const mayGrow = length < left && length < maxPickleBytes;
        // An attempt with a shorter window costs nothing: its values have been dropped.
        const memory = new MemoryBudget(this.#memory);
        const pickle = await unpickle(bytes, { place, isFollowed: true, mayGrow, memory, signal: this.#signal });
        this.#memory = memory.left;
        this.position += pickle.length;
        // The first three hold no weights, but a loader that trusts files would run them as well.
        refuseActing(pickle.value, pickle.globals);
        if (pickle.references.length > 0 && place !== objectPlace)
          throw formatError(`${place} of the legacy stream refers to a storage, which only its object can`);
        return pickle;
      } catch (cause) {
        if (!(cause instanceof CutPickle) || length === left) throw cause;
        if (length === maxPickleBytes)
          throw formatError(`the pickle of ${place} is larger than ${maxPickleBytes} bytes`);
      }
    }
  }
}

/** The keys of the storages in the order in which they are stored: exactly those that the object refers to. */
function keysIn(list: PickleValue, named: ReadonlyMap<string, LegacyStorage>): string[] {
  if (!Array.isArray(list)) throw formatError(`Expected a list of the storages' keys but found ${kindOf(list)}`);
  const keys = new Set<string>();
  for (const key of list) {
    if (typeof key !== 'string') throw formatError(`Expected a string as a storage's key but found ${kindOf(key)}`);
    if (keys.has(key)) throw formatError(`storage ${JSON.stringify(key)} is stored twice`);
    if (!named.has(key)) throw formatError(`storage ${JSON.stringify(key)} is stored, but no tensor lies in it`);
    keys.add(key);
  }
  const missing = [...named.keys()].find((key) => !keys.has(key));
  if (missing !== undefined)
    throw formatError(
      `a tensor lies in storage ${JSON.stringify(missing)}, which is not in the file's list of storages`,
    );
  return [...keys];
}

async function findStorages(
  file: CheckpointFile,
  start: number,
  keys: readonly string[],
  named: ReadonlyMap<string, LegacyStorage>,
): Promise<Map<string, StoredBytes>> {
  const found = new Map<string, StoredBytes>();
  let position = start;
  for (const key of keys) {
    const { elements, width } = named.get(key)!;
    const path = `storage ${JSON.stringify(key)}`;
    const bytes = elements * width;
    if (position + countBytes + bytes > file.size)
      throw formatError(
        `${path} of ${bytes} bytes at byte ${position} does not fit in the file's ${file.size}: it is cut or damaged`,
      );
    const count = (await file.peek(position, countBytes)).readBigInt64LE();
    if (count !== BigInt(elements))
      throw formatError(`Expected ${elements} elements in ${path}, as its tensors say, but found ${count}`);
    const offset = position + countBytes;
    found.set(key, { path, bytes, place: () => ({ offset, bytes, bigEndian: false, crc32: -1 }) });
    position = offset + bytes;
  }
  if (position < file.size) {
    const left = file.size - position;
    const cause = formatError(`${left} bytes follow the last storage`);
    const bytes = await file.read(position, Math.min(left, maxPickleBytes));
    throw await unlessInjected(cause, bytes, 'what follows the last storage', { isGuess: true });
  }
  return found;
}

/** Size of the number of elements that precedes each storage. */
const countBytes = 8;
