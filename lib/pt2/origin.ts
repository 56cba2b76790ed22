// Keeps what an archive holds besides its weights, to be written again with others: the programs, their constants, and where each tensor
// of the state belongs. Records are kept as native memory, in which large constants cost the JavaScript thread nothing.
import type { DType } from '../checkpoint/dtypes';
import type { StoragePlace, StoredBytes } from '../checkpoint/storages';
import { fromNative } from '../core/errors';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import type { Pt2Archive, TensorKind } from './archive';
import type { ExportedProgram } from './graph';
import { maxJsonBytes } from './limits';
import { type DescribedTensor, payloadConfig } from './payload-config';
import { type StoredTensor, storedTensors } from './stored-tensors';
import { mapInTurns } from './turns';

/** A tensor in a record of weights, by all its names. Offset and strides are in elements. */
export interface OriginPlace {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
  /** Index into Origin.storages. */
  readonly storage: number;
  readonly names: readonly string[];
}

/** A weight of one program. */
export interface OriginWeight extends DescribedTensor {
  /** Index into Origin.places. */
  readonly place: number;
}

/** A record that is written as it is: the number of its storage in `kept`, or its bytes. */
export interface OriginRecord {
  readonly name: string;
  readonly content: number | Uint8Array;
  /** What it describes, if it is the config of a program's weights. */
  readonly weights?: readonly OriginWeight[];
}

export interface Origin {
  /** Records of weights, which are made of a state. */
  readonly storages: readonly { readonly record: string; readonly bytes: number }[];
  readonly places: readonly OriginPlace[];
  /** All other records that come from the archive, in the order of the file. */
  readonly records: readonly OriginRecord[];
  readonly kept: StateHandle;
  /** Number of storages in it. */
  readonly keptCount: number;
}

const origins = new WeakMap<object, Origin>();

/** Remembers where a model comes from for as long as the model lives. */
export function rememberOrigin(model: object, origin: Origin): void {
  origins.set(model, origin);
}

export function originOf(model: object): Origin | undefined {
  return origins.get(model);
}

/** Reads everything of these programs but their weights. Called while the archive is open. */
export async function readOrigin(archive: Pt2Archive, programs: readonly ExportedProgram[]): Promise<Origin> {
  const lists = new Map<string, Record<TensorKind, StoredList>>();
  for (const { name } of programs)
    lists.set(name, {
      weights: await storedList(archive, name, 'weights'),
      constants: await storedList(archive, name, 'constants'),
    });
  const reader = new OriginReader(archive, new RecordNames([...lists.values()].flatMap((both) => Object.values(both))));
  for (const [name, { weights, constants }] of lists) await reader.add(name, weights, constants);
  return reader.origin();
}

/** The tensors of one kind of one program. `config`: the record that describes them; undefined in archives of torch 2.8 and older. */
interface StoredList {
  readonly kind: TensorKind;
  readonly config: string | undefined;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

async function storedList(archive: Pt2Archive, program: string, kind: TensorKind): Promise<StoredList> {
  const found = archive.tensors(program, kind);
  const config = found?.form === 'config' ? found.record : undefined;
  return { kind, config, tensors: await storedTensors(archive, program, kind) };
}

/** Names the records of storages as the archive does, or else by numbers that it does not use. */
class RecordNames {
  readonly #taken = new Set<string>();
  readonly #named = new Map<string, string>();
  readonly #next = { weights: 0, constants: 0 };

  constructor(lists: readonly StoredList[]) {
    for (const { config, tensors } of lists)
      if (config !== undefined) for (const { storage } of tensors.values()) this.#taken.add(storage.path);
  }

  of({ kind, config }: StoredList, { storage: { path } }: StoredTensor): string {
    if (config !== undefined) return path;
    const known = this.#named.get(path);
    if (known !== undefined) return known;
    let name: string;
    do name = `data/${kind}/${kind === 'weights' ? 'weight' : 'tensor'}_${this.#next[kind]++}`;
    while (this.#taken.has(name));
    this.#named.set(path, name);
    return name;
  }
}

/** A place that gets more names. */
type OpenPlace = Omit<OriginPlace, 'names'> & { readonly names: Set<string> };

class OriginReader {
  readonly #archive: Pt2Archive;
  readonly #names: RecordNames;
  readonly #storages: { record: string; bytes: number }[] = [];
  readonly #places: OpenPlace[] = [];
  readonly #records: OriginRecord[] = [];
  readonly #kept: StoragePlace[] = [];
  /** Index into #storages by the record's name. */
  readonly #stored = new Map<string, number>();
  /** Names of the records of constants so far. */
  readonly #constants = new Set<string>();
  /** Index into #places by what describes the place. */
  readonly #placed = new Map<string, number>();

  constructor(archive: Pt2Archive, names: RecordNames) {
    this.#archive = archive;
    this.#names = names;
  }

  async add(program: string, weights: StoredList, constants: StoredList): Promise<void> {
    const described = await this.#map(weights, (name, stored, record) => this.#weight(name, stored, record));
    await this.#addConfig(program, weights, described, { weights: described });
    await this.#map(constants, (_, { storage }, record) => this.#keep(record, storage));
    await this.#addConfig(program, constants, await this.#map(constants, describedTensor));
    this.#keepJson(`models/${program}.json`, await this.#json(this.#archive.programRecord(program)));
    // torch.export.load() expects the record, and takes an empty one for no sample inputs.
    this.#records.push({ name: `data/sample_inputs/${program}.pt`, content: new Uint8Array(0) });
  }

  async origin(): Promise<Origin> {
    const extras = await this.#archive.extras();
    const places = extras.map(([, place]) => place);
    const whole = await this.#read([...this.#kept, ...places]).catch(() => undefined);
    // Without what users added, where that is damaged.
    const kept = whole ?? (await this.#read(this.#kept));
    for (const [i, [name]] of (whole ? extras : []).entries())
      this.#records.push({ name: `extra/${name}`, content: this.#kept.length + i });
    const frozen = ({ names, ...place }: OpenPlace) => Object.freeze({ ...place, names: Object.freeze([...names]) });
    return Object.freeze({
      storages: Object.freeze(this.#storages),
      places: Object.freeze(await mapInTurns(this.#places, frozen, this.#archive.signal)),
      records: Object.freeze(this.#records),
      ...kept,
    });
  }

  /** Reads each place as a storage of its own. */
  async #read(storages: StoragePlace[]): Promise<Pick<Origin, 'kept' | 'keptCount'>> {
    const { path, descriptor, size: fileBytes } = this.#archive.file;
    const bytesOf = ({ bytes }: StoragePlace, storage: number) => ({
      ...{ name: '', dtype: 'uint8', shape: [bytes], stride: [1], offset: 0 },
      storage,
    });
    const plan = { path, descriptor, fileBytes, storages, parts: [storages.map(bytesOf)] };
    const [kept] = await fromNative(() => native().readState(plan));
    return { kept: kept!, keptCount: storages.length };
  }

  #map<Result>(
    list: StoredList,
    map: (name: string, stored: StoredTensor, record: string) => Result | Promise<Result>,
  ): Promise<Result[]> {
    const each = ([name, stored]: [string, StoredTensor]) => map(name, stored, this.#names.of(list, stored));
    return mapInTurns(list.tensors, each, this.#archive.signal);
  }

  #weight(name: string, stored: StoredTensor, record: string): OriginWeight {
    const { dtype, shape, stride, offset } = stored;
    const key = JSON.stringify([record, dtype, shape, stride, offset]);
    let place = this.#placed.get(key);
    if (place === undefined) {
      const storage = this.#stored.get(record) ?? this.#storages.push({ record, bytes: stored.storage.bytes }) - 1;
      this.#stored.set(record, storage);
      place = this.#places.push({ dtype, shape, stride, offset, storage, names: new Set() }) - 1;
      this.#placed.set(key, place);
    }
    this.#places[place]!.names.add(name);
    return { ...describedTensor(name, stored, record), place };
  }

  async #addConfig(
    program: string,
    { kind, config }: StoredList,
    tensors: readonly DescribedTensor[],
    more: Partial<OriginRecord> = {},
  ): Promise<void> {
    const name = `data/${kind}/${program}_${kind}_config.json`;
    if (config !== undefined) this.#keepJson(name, await this.#json(config), more);
    else this.#records.push({ name, content: await payloadConfig(tensors, this.#archive.signal), ...more });
  }

  #json(record: string): Promise<StoragePlace> {
    return this.#archive.anyPlace(record, maxJsonBytes);
  }

  #keepJson(name: string, place: StoragePlace, more: Partial<OriginRecord> = {}): void {
    this.#records.push({ name, content: this.#kept.push(place) - 1, ...more });
  }

  async #keep(record: string, storage: StoredBytes): Promise<void> {
    if (this.#constants.has(record)) return;
    this.#constants.add(record);
    this.#records.push({ name: record, content: this.#kept.push(await storage.place()) - 1 });
  }
}

/** Without the storage, which belongs to the open archive. */
function describedTensor(name: string, stored: StoredTensor, record: string): DescribedTensor {
  const { storage: _, ...facts } = stored;
  return { ...facts, name, record: record.slice(record.lastIndexOf('/') + 1) };
}
