// Writes the pickle of a state dict, operation by operation as CPython's pickler does for torch.save: the same objects are
// remembered under the same numbers, so that whole files come out equal.
import { type DType, dtypes } from './dtypes';

export interface PickledTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  readonly offset: number;
  readonly storage: number;
  readonly storageBytes: number;
}

/** `_metadata` of a state dict: the path of every module, and what it keeps there ({ version: 1 }). */
export type ModuleVersions = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** data.pkl of an OrderedDict of tensors, with `_metadata` as its attribute if there is one. */
export function pickleState(tensors: readonly PickledTensor[], metadata?: ModuleVersions): Buffer {
  const out = new Pickler();
  out.orderedDict();
  out.setItems(tensors, (tensor) => {
    out.string(tensor.name);
    out.tensor(tensor);
  });
  if (metadata) {
    out.emptyDict();
    out.constant('_metadata');
    out.orderedDict();
    out.setItems([...metadata], ([path, entries]) => {
      out.string(path);
      out.emptyDict();
      out.setItems([...entries], ([key, value]) => {
        out.constant(key);
        out.integer(value);
      });
    });
    out.raw('s');
    out.raw('b');
  }
  return out.finish();
}

/** CPython's, in Modules/_pickle.c. */
const batchSize = 1000;

class Pickler {
  #bytes = Buffer.alloc(1 << 16);
  #length = 0;
  /** Remembered objects: by what they are, since here equal constants are one object. */
  readonly #memo = new Map<string, number>();
  #remembered = 0;

  constructor() {
    this.raw('\x80\x02');
  }

  finish(): Buffer {
    this.raw('.');
    return this.#bytes.subarray(0, this.#length);
  }

  raw(bytes: string): void {
    this.#put(Buffer.from(bytes, 'latin1'));
  }

  /** A new, empty OrderedDict. */
  orderedDict(): void {
    this.#global('collections', 'OrderedDict');
    this.raw(')R');
    this.#remember();
  }

  emptyDict(): void {
    this.raw('}');
    this.#remember();
  }

  setItems<Item>(items: readonly Item[], write: (item: Item) => void): void {
    for (let start = 0; start < items.length; start += batchSize) {
      const batch = items.slice(start, start + batchSize);
      if (batch.length > 1) this.raw('(');
      for (const item of batch) write(item);
      this.raw(batch.length > 1 ? 'u' : 's');
    }
  }

  /** A string of its own. Python has one object for each string of at most one Latin-1 character. */
  string(text: string): void {
    if (text.length === 0 || (text.length === 1 && text <= '\xff')) this.constant(text);
    else this.#newString(text);
  }

  /** A string that is one object wherever it stands. */
  constant(text: string): void {
    this.#once(`string ${text}`, () => this.#newString(text));
  }

  integer(value: number): void {
    const bytes = Buffer.alloc(5);
    if (value >= 0 && value <= 0xff) this.#put(Buffer.of(0x4b, value));
    else if (value >= 0 && value <= 0xffff) this.#put(bytes.subarray(0, bytes.writeUInt16LE(value, 1)), 0x4d);
    else if (value >= -(2 ** 31) && value < 2 ** 31) this.#put(bytes.subarray(0, bytes.writeInt32LE(value, 1)), 0x4a);
    else this.#long(value);
  }

  tensor({ dtype, shape, stride, offset, storage, storageBytes }: PickledTensor): void {
    const { storage: type, bytes } = dtypes[dtype];
    this.#global('torch._utils', type ? '_rebuild_tensor_v2' : '_rebuild_tensor_v3');
    this.raw('((');
    this.constant('storage');
    if (type) this.#global('torch', type);
    else this.#global('torch.storage', 'UntypedStorage');
    this.#storageKey(storage);
    this.constant('cpu');
    this.integer(type ? storageBytes / bytes : storageBytes);
    this.raw('t');
    this.#remember();
    this.raw('Q');
    this.integer(offset);
    this.#integers(shape);
    this.#integers(stride);
    this.raw('\x89'); // requires_grad: a state dict is detached
    this.orderedDict(); // backward_hooks
    if (!type) this.#global('torch', dtype);
    this.raw('t');
    this.#remember();
    this.raw('R');
    this.#remember();
  }

  #storageKey(storage: number): void {
    if (storage < 10) this.constant(String(storage));
    else this.#once(`key ${storage}`, () => this.#newString(String(storage)));
  }

  #newString(text: string): void {
    const utf8 = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(5);
    length.writeUInt32LE(utf8.length, 1);
    this.#put(length, 0x58);
    this.#put(utf8);
    this.#remember();
  }

  #integers(values: readonly number[]): void {
    if (values.length > 3) this.raw('(');
    for (const value of values) this.integer(value);
    this.raw([')', '\x85', '\x86', '\x87'][values.length] ?? 't');
    if (values.length > 0) this.#remember();
  }

  #global(module: string, name: string): void {
    this.#once(`global ${module} ${name}`, () => {
      this.raw(`c${module}\n${name}\n`);
      this.#remember();
    });
  }

  /** Writes an object the first time, and after that a reference to it. */
  #once(key: string, write: () => void): void {
    const index = this.#memo.get(key);
    if (index === undefined) {
      write();
      this.#memo.set(key, this.#remembered - 1);
    } else {
      this.#indexed(0x68, 0x6a, index);
    }
  }

  #remember(): void {
    this.#indexed(0x71, 0x72, this.#remembered++);
  }

  #indexed(short: number, long: number, index: number): void {
    const bytes = Buffer.alloc(5);
    if (index <= 0xff) this.#put(Buffer.of(short, index));
    else this.#put(bytes.subarray(0, bytes.writeUInt32LE(index, 1)), long);
  }

  /** LONG1: little-endian two's complement, as short as it can be. */
  #long(value: number): void {
    const bytes: number[] = [];
    let rest = BigInt(value);
    do {
      bytes.push(Number(rest & 0xffn));
      rest >>= 8n;
    } while (!(rest === 0n && (bytes.at(-1) as number) < 0x80) && !(rest === -1n && (bytes.at(-1) as number) >= 0x80));
    this.#put(Buffer.of(0x8a, bytes.length, ...bytes));
  }

  /** Appends; `code`, if given, takes the place of the first byte. */
  #put(bytes: Buffer, code?: number): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const larger = Buffer.alloc(2 * (this.#length + bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.#length);
    if (code !== undefined) this.#bytes[this.#length] = code;
    this.#length += bytes.length;
  }
}
