// Writes pickles of protocol 2, byte for byte as Python's C pickler does. For example, (1, 'a'):
//
//   80 02          PROTO 2
//   4b 01          BININT1 1
//   58 01 00 00 00 61   BINUNICODE, length, "a"
//   71 00          BINPUT 0: Python numbers every value that could occur again
//   86             TUPLE2
//   71 01          BINPUT 1
//   2e             STOP
//
//  1. A value that occurs again is written as BINGET and its number, if Python would see the same object.
//  2. Containers are numbered before their items, tuples after them.
//  3. Items are written in groups of 1000, whose last one differs for a list, a dict and an OrderedDict.
//
// For write-tree.ts.
import { op } from './opcodes';
import { encoded } from './wtf8';

/** Python writes the items of a list or a dict in groups of this many. */
const itemsPerGroup = 1000;

/** Instructions that fill a container: for one item, and for a group. */
interface Filling {
  one: number;
  many: number;
}

const ofList: Filling = { one: op.APPEND, many: op.APPENDS };
const ofDict: Filling = { one: op.SETITEM, many: op.SETITEMS };

export class Pickler {
  #bytes = Buffer.alloc(4096);
  #length = 0;
  /** Numbers of the values written so far, by identity: equal identities are one object in Python. */
  readonly #memo = new Map<unknown, number>();
  #remembered = 0;
  /** Number of instructions written, by code. */
  readonly counts = new Uint32Array(256);
  /** Number of REDUCE instructions that made an OrderedDict. */
  orderedDicts = 0;

  constructor() {
    this.opcode(op.PROTO);
    this.#uint(2, 1);
  }

  finish(): Uint8Array {
    this.opcode(op.STOP);
    return this.#bytes.subarray(0, this.#length);
  }

  opcode(code: number): void {
    this.counts[code]!++;
    this.#uint(code, 1);
  }

  /** Gives the value written last a number, as Python does for every value that could occur again. */
  remember(identity?: unknown): void {
    if (identity !== undefined) this.#memo.set(identity, this.#remembered);
    this.#numbered(op.BINPUT, op.LONG_BINPUT, this.#remembered++);
  }

  boolean(value: boolean): void {
    this.opcode(value ? op.NEWTRUE : op.NEWFALSE);
  }

  integer(value: number | bigint): void {
    if (value >= 0 && value < 2 ** 8) {
      this.opcode(op.BININT1);
      this.#uint(Number(value), 1);
    } else if (value >= 0 && value < 2 ** 16) {
      this.opcode(op.BININT2);
      this.#uint(Number(value), 2);
    } else if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.opcode(op.BININT);
      this.#uint(Number(value) >>> 0, 4);
    } else {
      this.#long(BigInt(value));
    }
  }

  float(value: number): void {
    this.opcode(op.BINFLOAT);
    const at = this.#reserve(8);
    this.#bytes.writeDoubleBE(value, at);
  }

  /** `identity` distinguishes equal strings that are different objects in Python. */
  string(text: string, identity = `string ${text}`): void {
    if (this.repeat(identity)) return;
    const bytes = encoded(text);
    this.opcode(op.BINUNICODE);
    this.#uint(bytes.length, 4);
    this.#raw(bytes);
    this.remember(identity);
  }

  global(module: string, name: string): void {
    const identity = `global ${module} ${name}`;
    if (this.repeat(identity)) return;
    this.opcode(op.GLOBAL);
    this.#raw(Buffer.from(`${module}\n${name}\n`, 'utf8'));
    this.remember(identity);
  }

  /** `identity` is the value that is written: if it occurs again, it is the same object in Python too. */
  tuple(items: readonly (() => void)[], identity?: unknown): void {
    if (items.length === 0) {
      this.opcode(op.EMPTY_TUPLE);
      return;
    }
    const short = [op.TUPLE1, op.TUPLE2, op.TUPLE3][items.length - 1];
    if (short === undefined) this.opcode(op.MARK);
    for (const write of items) write();
    this.opcode(short ?? op.TUPLE);
    this.remember(identity);
  }

  list(items: readonly (() => void)[], identity?: unknown): void {
    this.opcode(op.EMPTY_LIST);
    this.remember(identity);
    if (items.length === 1) this.#single(items[0]!, (write) => write(), ofList);
    else this.#groups(items, (write) => write(), ofList);
  }

  /** Writes an empty OrderedDict. */
  orderedDict(identity?: unknown): void {
    this.orderedDicts++;
    this.global('collections', 'OrderedDict');
    this.tuple([]);
    this.opcode(op.REDUCE);
    this.remember(identity);
  }

  /** Writes an empty dict. */
  dict(identity?: unknown): void {
    this.opcode(op.EMPTY_DICT);
    this.remember(identity);
  }

  /**
   * Puts items into the dict written last. `write` writes a key and its value. Python's pickler detects the end of a dict
   * only in a group that is not full, so it writes an empty group after exactly 1000 items.
   */
  dictItems<Item>(items: readonly Item[], write: (item: Item) => void): void {
    if (items.length === 1) this.#single(items[0]!, write, ofDict);
    else this.#groups(items, write, ofDict);
    if (items.length > 0 && items.length % itemsPerGroup === 0) this.#group([], write, ofDict);
  }

  /** As dictItems(), for an OrderedDict. Python reads one item ahead, and writes a last item that is left over by itself. */
  orderedItems<Item>(items: readonly Item[], write: (item: Item) => void): void {
    const isLeft = items.length % itemsPerGroup === 1;
    this.#groups(isLeft ? items.slice(0, -1) : items, write, ofDict);
    if (isLeft) this.#single(items.at(-1)!, write, ofDict);
  }

  #groups<Item>(items: readonly Item[], write: (item: Item) => void, filling: Filling): void {
    for (let at = 0; at < items.length; at += itemsPerGroup)
      this.#group(items.slice(at, at + itemsPerGroup), write, filling);
  }

  #group<Item>(items: readonly Item[], write: (item: Item) => void, { many }: Filling): void {
    this.opcode(op.MARK);
    for (const item of items) write(item);
    this.opcode(many);
  }

  #single<Item>(item: Item, write: (item: Item) => void, { one }: Filling): void {
    write(item);
    this.opcode(one);
  }

  /** Refers to a value that was written before. Returns false if it was not. */
  repeat(identity: unknown): boolean {
    const index = this.#memo.get(identity);
    if (index !== undefined) this.#numbered(op.BINGET, op.LONG_BINGET, index);
    return index !== undefined;
  }

  #numbered(short: number, long: number, index: number): void {
    this.opcode(index < 2 ** 8 ? short : long);
    this.#uint(index, index < 2 ** 8 ? 1 : 4);
  }

  /** Writes two's complement in as few bytes as possible. */
  #long(value: bigint): void {
    let width = 5;
    while (BigInt.asIntN(8 * width, value) !== value) width++;
    this.opcode(op.LONG1);
    this.#uint(width, 1);
    for (let i = 0; i < width; i++) this.#uint(Number((value >> BigInt(8 * i)) & 0xffn), 1);
  }

  #uint(value: number, width: number): void {
    const at = this.#reserve(width);
    this.#bytes.writeUIntLE(value, at, width);
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length); // may replace this.#bytes
    this.#bytes.set(bytes, at);
  }

  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}
