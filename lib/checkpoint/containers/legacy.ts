// Checkpoints in the form that torch.save had before PyTorch 1.6, and has still when asked: five pickles one behind the
// other, then the storages, each behind the number of its elements. As _legacy_save of torch/serialization.py.

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
/** Read at first where a pickle is; most are smaller. More only where it turns out to be longer. */
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
  // What it says of the machine does not matter: all machines store little-endian bytes, in elements of the same sizes.
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

/** Pickles that follow each other; none says how long it is. */
class PickleStream {
  position = 0;
  readonly #file: CheckpointFile;
  readonly #signal: AbortSignal | undefined;
  /** What all of them together may still take. */
  #memory: number | undefined;

  constructor(file: CheckpointFile, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#signal = signal;
  }

  /** `place` says for messages which one it is. */
  async next(place: string): Promise<Unpickled> {
    const left = this.#file.size - this.position;
    for (let window = firstWindowBytes; ; window *= windowGrowth) {
      const length = Math.min(window, maxPickleBytes, left);
      const bytes = await this.#file.read(this.position, length);
      try {
        const mayGrow = length < left && length < maxPickleBytes;
        // What a shorter window took is free again.
        const memory = new MemoryBudget(this.#memory);
        const pickle = await unpickle(bytes, { place, isFollowed: true, mayGrow, memory, signal: this.#signal });
        this.#memory = memory.left;
        this.position += pickle.length;
        // The first three say nothing about weights, but a loader that trusts files would run them all the same.
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

/** The keys of the storages in the order in which they are stored: exactly those that the object names. */
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

/** The number of elements before each storage. */
const countBytes = 8;
