// A pickle machine for checkpoints: the operations that torch.save writes, on inert values. It never recurses, imports or
// calls; what it does not know it refuses. Protocol 2 and what later ones changed in framing and strings.
import { LearnError } from '../errors';
import { formatError } from './detect';
import { call, isKnownGlobal, otherTensor, storage } from './globals';
import { maxOperations, maxStringBytes } from './limits';
import { Dict, describe, Global, List, type PickleValue, Tuple } from './objects';

/** Reads the one value that `bytes` hold. `file` is for messages. */
export function unpickle(file: string, bytes: Buffer): PickleValue {
  return new Machine(file, bytes).run();
}

class Machine {
  #at = 0;
  #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  /** The last string met, which is the key that is being read: says in messages where the trouble is. */
  #near = '';

  constructor(
    readonly file: string,
    readonly bytes: Buffer,
  ) {}

  run(): PickleValue {
    if (this.#byte() !== 0x80) throw this.#broken('it does not begin with a protocol');
    const protocol = this.#byte();
    if (protocol < 2 || protocol > 5) throw this.#broken(`protocol ${protocol} is not one of torch.save`);
    for (let count = 0; count < maxOperations; count++) {
      const code = this.#byte();
      if (code === 0x2e /* STOP */) return this.#result();
      const operation = operations[code];
      if (!operation) throw this.#unsafe(`the operation 0x${code.toString(16).padStart(2, '0')}`);
      operation(this);
    }
    throw this.#broken(`it has more than ${maxOperations} operations`);
  }

  #result(): PickleValue {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#broken('it leaves more than one value');
    if (this.#at !== this.bytes.length) throw this.#broken('it has bytes behind its end');
    return value;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.#broken('it takes a value where there is none');
    return this.#stack.pop() as PickleValue;
  }

  peek(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** The values above the last mark. */
  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#broken('it takes a mark where there is none');
    return this.#stack.splice(mark);
  }

  remember(index: number): void {
    // The writer counts up; anything else is a memo made to be large.
    if (index > this.#memo.size) throw this.#broken(`it remembers a value as number ${index}, out of order`);
    this.#memo.set(index, this.peek());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#broken(`it recalls value ${index}, which it never remembered`);
    this.push(value);
  }

  string(length: number, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    if (length > maxStringBytes) throw this.#broken(`it holds a string of ${length} bytes`);
    const bytes = this.take(length);
    const text = bytes.toString(encoding);
    if (!Buffer.from(text, encoding).equals(bytes)) throw this.#broken('it holds a string that is not UTF-8');
    this.#near = text;
    return text;
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > 1024) throw this.#broken('it holds a name without an end');
    const text = this.bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  global(module: string, name: string): void {
    const full = `${module === '__builtin__' ? 'builtins' : module}.${name}`;
    const other = otherTensor(full);
    if (other) throw formatError(this.file, `${this.#where()} is ${other}`);
    if (!isKnownGlobal(full)) throw this.#unsafe(`the name ${full}`);
    this.push(new Global(full));
  }

  reduce(): void {
    const args = this.pop();
    const callable = this.pop();
    const value = call(callable, args);
    if (value === undefined) throw this.#broken(`${describe(callable)} is called as torch.save never does`);
    this.push(value);
  }

  persistentId(): void {
    const value = storage(this.pop());
    if (!value) throw this.#broken('a storage is named as torch.save never does');
    this.push(value);
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.peek();
    if (!(dict instanceof Dict) || items.length % 2 !== 0) throw this.#broken('it sets items of what is no dict');
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = [items[i] as PickleValue, items[i + 1] as PickleValue];
      if (typeof key === 'object' && key !== null) throw this.#broken(`${describe(key)} is used as a key`);
      if (dict.items.has(key)) throw this.#broken(`the key "${String(key)}" stands twice`);
      if (value === dict) throw this.#broken(`"${String(key)}" is the dict that holds it`);
      dict.items.set(key, value);
    }
  }

  append(items: readonly PickleValue[]): void {
    const list = this.peek();
    if (!(list instanceof List)) throw this.#broken('it appends to what is no list');
    for (const item of items) list.items.push(item);
  }

  build(): void {
    const state = this.pop();
    const object = this.peek();
    if (!(object instanceof Dict) || !object.ordered || !(state instanceof Dict) || state === object)
      throw this.#unsafe(`setting the state of ${describe(object)}`);
    object.attributes = state;
  }

  take(length: number): Buffer {
    if (length > this.bytes.length - this.#at) throw this.#broken('it is cut short');
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  wide(): number {
    const value = Number(this.take(8).readBigUInt64LE());
    if (!Number.isSafeInteger(value)) throw this.#broken('it holds a length that no file has');
    return value;
  }

  #byte(): number {
    return this.take(1)[0] as number;
  }

  #where(): string {
    return this.#near === '' ? 'the object in data.pkl' : `what follows "${this.#near.slice(0, 80)}" in data.pkl`;
  }

  #broken(problem: string): LearnError {
    return formatError(this.file, `${this.#where()} is damaged: ${problem}`);
  }

  #unsafe(what: string): LearnError {
    return new LearnError(
      'ERR_STATE_UNSAFE',
      `Expected only tensors and plain containers in ${this.file}, but ${this.#where()} asks for ${what}, which could run ` +
        "code in Python. Save the state alone: torch.save(model.state_dict(), 'state.pth')",
    );
  }
}

type Operation = (machine: Machine) => void;

/** Little-endian two's complement of any length. */
function long(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0;
  const value = BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`));
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

const tupleOf = (count: number) => (m: Machine) => {
  const items = Array.from({ length: count }, () => m.pop()).reverse();
  m.push(new Tuple(items));
};

/** By code; names as in Python's pickletools. */
const operations: Readonly<Record<number, Operation>> = {
  40: (m) => m.mark(),
  41: tupleOf(0), // EMPTY_TUPLE
  133: tupleOf(1),
  134: tupleOf(2),
  135: tupleOf(3),
  116: (m) => m.push(new Tuple(m.popToMark())), // TUPLE
  93: (m) => m.push(new List()), // EMPTY_LIST
  97: (m) => m.append([m.pop()]), // APPEND
  101: (m) => m.append(m.popToMark()), // APPENDS
  125: (m) => m.push(new Dict(false)), // EMPTY_DICT
  115: (m) => m.setItems([m.pop(), m.pop()].reverse()), // SETITEM
  117: (m) => m.setItems(m.popToMark()), // SETITEMS
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  75: (m) => m.push(m.take(1).readUInt8()), // BININT1
  77: (m) => m.push(m.take(2).readUInt16LE()), // BININT2
  74: (m) => m.push(m.take(4).readInt32LE()), // BININT
  138: (m) => m.push(long(m.take(Math.min(m.take(1).readUInt8(), 64)))), // LONG1
  71: (m) => m.push(m.take(8).readDoubleBE()), // BINFLOAT
  88: (m) => m.push(m.string(m.take(4).readUInt32LE())), // BINUNICODE
  140: (m) => m.push(m.string(m.take(1).readUInt8())), // SHORT_BINUNICODE
  141: (m) => m.push(m.string(m.wide())), // BINUNICODE8
  85: (m) => m.push(m.string(m.take(1).readUInt8(), 'latin1')), // SHORT_BINSTRING, of Python 2
  113: (m) => m.remember(m.take(1).readUInt8()), // BINPUT
  114: (m) => m.remember(m.take(4).readUInt32LE()), // LONG_BINPUT
  148: (m) => m.rememberNext(), // MEMOIZE
  104: (m) => m.recall(m.take(1).readUInt8()), // BINGET
  106: (m) => m.recall(m.take(4).readUInt32LE()), // LONG_BINGET
  149: (m) => void m.wide(), // FRAME
  99: (m) => m.global(m.line(), m.line()), // GLOBAL
  147: (m) => {
    // STACK_GLOBAL
    const name = m.pop();
    m.global(String(m.pop()), String(name));
  },
  82: (m) => m.reduce(), // REDUCE
  81: (m) => m.persistentId(), // BINPERSID
  98: (m) => m.build(), // BUILD
};
