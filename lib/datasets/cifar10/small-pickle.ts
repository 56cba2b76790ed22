// Reads the pickles of CIFAR-10's Python version without running them: a dictionary of strings, integers, lists and
// numpy arrays, as Python 2 wrote it (protocol 2) and as Python 3 writes it again (protocols 3 to 5). Nothing is ever
// imported or called, and long strings are skipped. For pickled-batch.ts.
import { LearnError } from '../../core/errors';
import type { ByteCursor } from './byte-cursor';

/** A string or bytes in the file; `text` if it is short. */
export interface Run {
  readonly offset: number;
  readonly length: number;
  readonly text: string | undefined;
}

/** A function or class that the pickle names. */
export interface Global {
  readonly global: string;
}

/** A call that the pickle asks for. It is not made. */
export interface Call {
  readonly callee: Value;
  readonly args: Value;
  state?: Value;
}

export type Value = null | boolean | number | Run | Global | Call | Value[] | Map<string, Value>;

const allowedGlobals = new Set([
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
  'numpy.core.numeric._frombuffer',
  'numpy._core.numeric._frombuffer',
  'numpy.ndarray',
  'numpy.dtype',
]);

/** More than any such file needs: a batch holds a label and a file name for each of 10,000 images. */
const maxEntries = 4_000_000;

const stop = 0x2e;

/** The instructions. Others are refused. */
const instructions = new Map<number, (machine: Machine, cursor: ByteCursor) => void>([
  [0x80, (_, cursor) => cursor.byte()], // PROTO
  [0x95, (_, cursor) => cursor.uint64()], // FRAME
  [0x28, (machine) => machine.mark()], // MARK
  [0x4e, (machine) => machine.push(null)], // NONE
  [0x88, (machine) => machine.push(true)], // NEWTRUE
  [0x89, (machine) => machine.push(false)], // NEWFALSE
  [0x4b, (machine, cursor) => machine.push(cursor.byte())], // BININT1
  [0x4d, (machine, cursor) => machine.push(cursor.uint16())], // BININT2
  [0x4a, (machine, cursor) => machine.push(cursor.int32())], // BININT
  [0x55, (machine, cursor) => machine.push(cursor.run(cursor.byte()))], // SHORT_BINSTRING
  [0x43, (machine, cursor) => machine.push(cursor.run(cursor.byte()))], // SHORT_BINBYTES
  [0x8c, (machine, cursor) => machine.push(cursor.run(cursor.byte()))], // SHORT_BINUNICODE
  [0x54, (machine, cursor) => machine.push(cursor.run(cursor.uint32()))], // BINSTRING
  [0x42, (machine, cursor) => machine.push(cursor.run(cursor.uint32()))], // BINBYTES
  [0x58, (machine, cursor) => machine.push(cursor.run(cursor.uint32()))], // BINUNICODE
  [0x8e, (machine, cursor) => machine.push(cursor.run(cursor.uint64()))], // BINBYTES8
  [0x96, (machine, cursor) => machine.push(cursor.run(cursor.uint64()))], // BYTEARRAY8
  [0x5d, (machine) => machine.push([])], // EMPTY_LIST
  [0x29, (machine) => machine.push([])], // EMPTY_TUPLE
  [0x7d, (machine) => machine.push(new Map())], // EMPTY_DICT
  [0x85, (machine) => machine.push(machine.popMany(1))], // TUPLE1
  [0x86, (machine) => machine.push(machine.popMany(2))], // TUPLE2
  [0x87, (machine) => machine.push(machine.popMany(3))], // TUPLE3
  [0x74, (machine) => machine.push(machine.popMark())], // TUPLE
  [0x61, (machine) => machine.append(machine.popMany(1))], // APPEND
  [0x65, (machine) => machine.append(machine.popMark())], // APPENDS
  [0x73, (machine) => machine.setItems(machine.popMany(2))], // SETITEM
  [0x75, (machine) => machine.setItems(machine.popMark())], // SETITEMS
  [0x71, (machine, cursor) => machine.remember(cursor.byte())], // BINPUT
  [0x72, (machine, cursor) => machine.remember(cursor.uint32())], // LONG_BINPUT
  [0x94, (machine) => machine.remember()], // MEMOIZE
  [0x68, (machine, cursor) => machine.recall(cursor.byte())], // BINGET
  [0x6a, (machine, cursor) => machine.recall(cursor.uint32())], // LONG_BINGET
  [0x63, (machine, cursor) => machine.pushGlobal(cursor.line(), cursor.line())], // GLOBAL
  [0x93, (machine) => machine.pushNamedGlobal()], // STACK_GLOBAL
  [0x52, (machine) => machine.reduce()], // REDUCE
  [0x62, (machine) => machine.build()], // BUILD
]);

export async function readSmallPickle(cursor: ByteCursor): Promise<Value> {
  const machine = new Machine(cursor.file);
  while (true) {
    await cursor.fill();
    // An instruction needs few bytes, so that many run between two reads of the file.
    while (cursor.isReady()) {
      const opcode = cursor.byte();
      if (opcode === stop) return machine.pop();
      const run = instructions.get(opcode);
      if (!run) throw machine.refusal(`it uses the pickle opcode 0x${opcode.toString(16)}, which CIFAR-10's do not`);
      run(machine, cursor);
      if (machine.entries > maxEntries) throw machine.refusal('it is too large');
    }
  }
}

class Machine {
  readonly #file: string;
  #stack: Value[] = [];
  readonly #marked: Value[][] = [];
  readonly #memo = new Map<number, Value>();
  /** All that was ever pushed, marked or remembered: a bound on memory. */
  entries = 0;

  constructor(file: string) {
    this.#file = file;
  }

  mark(): void {
    this.entries++;
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  push(value: Value): void {
    this.entries++;
    this.#stack.push(value);
  }

  pop(): Value {
    return this.popMany(1)[0]!;
  }

  popMany(count: number): Value[] {
    if (this.#stack.length < count) throw this.refusal('its pickle takes from an empty stack');
    return this.#stack.splice(this.#stack.length - count);
  }

  popMark(): Value[] {
    const values = this.#stack;
    const below = this.#marked.pop();
    if (!below) throw this.refusal('its pickle misses a mark');
    this.#stack = below;
    return values;
  }

  append(values: Value[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.refusal('it appends to something that is no list');
    for (const value of values) list.push(value);
  }

  setItems(items: Value[]): void {
    const dictionary = this.#top();
    if (!(dictionary instanceof Map)) throw this.refusal('it sets items of something that is no dictionary');
    for (let i = 0; i + 1 < items.length; i += 2) {
      const key = textOf(items[i]);
      if (key === undefined) throw this.refusal('it has a key that is no short string');
      dictionary.set(key, items[i + 1]!);
    }
  }

  remember(key = this.#memo.size): void {
    // Picklers count from 0. Higher numbers are chosen, such as to have one hash.
    if (key > this.entries) throw this.refusal(`its pickle stores a value under the number ${key}`);
    this.entries++;
    this.#memo.set(key, this.#top());
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.refusal('its pickle recalls what it never stored');
    this.push(value);
  }

  pushNamedGlobal(): void {
    const [module, name] = this.popMany(2);
    this.pushGlobal(textOf(module), textOf(name));
  }

  pushGlobal(module: string | undefined, name: string | undefined): void {
    const global = `${module}.${name}`;
    if (global === '_codecs.encode') {
      throw this.refusal('Python 3 wrote it with protocol 2; write it again with pickle.dump(..., protocol=4)');
    }
    if (!allowedGlobals.has(global)) throw this.refusal(`it refers to ${global}, which CIFAR-10's do not`);
    this.push({ global });
  }

  reduce(): void {
    const [callee, args] = this.popMany(2);
    this.push({ callee: callee!, args: args! });
  }

  build(): void {
    const state = this.pop();
    const built = this.#top();
    if (!isCall(built)) throw this.refusal('it sets the state of something that has none');
    built.state = state;
  }

  refusal(why: string): LearnError {
    return new LearnError('ERR_DATA_FORMAT', `${this.#file} is not a file of CIFAR-10's Python version: ${why}`);
  }

  #top(): Value {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.refusal('its pickle takes from an empty stack');
    return value;
  }
}

export function isRun(value: Value | undefined): value is Run {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'offset');
}

export function isGlobal(value: Value | undefined): value is Global {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'global');
}

export function isCall(value: Value | undefined): value is Call {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'callee');
}

export function textOf(value: Value | undefined): string | undefined {
  return isRun(value) ? value.text : undefined;
}
