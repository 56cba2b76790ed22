// Reads a pickle into inert values: the instructions of torch.save, and nothing that could run code. Works without
// recursion, so that no nesting can exhaust the stack, and in turns, so that the event loop goes on.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatError } from './errors';
import { instructionsPerTurn, maxGlobalBytes, maxPickleInstructions, maxStringBytes } from './limits';
import { op } from './opcodes';
import {
  kindOf,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PickleReference,
  PickleTuple,
  type PickleValue,
} from './pickle-values';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface Unpickled {
  value: PickleValue;
  /** Every global that is named anywhere, whether it ends up in `value` or not. */
  globals: PickleGlobal[];
}

export async function unpickle(bytes: Buffer, signal?: AbortSignal): Promise<Unpickled> {
  const machine = new Unpickler(bytes);
  while (!machine.run(instructionsPerTurn)) {
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { value: machine.result(), globals: machine.globals };
}

class Unpickler {
  readonly globals: PickleGlobal[] = [];
  readonly #bytes: Buffer;
  readonly #stack: PickleValue[] = [];
  /** Where on the stack the open MARKs are: nothing below the last can be taken. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;
  /** Where the instruction in hand starts, for messages. */
  #instruction = 0;
  #executed = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Up to `count` instructions. Returns whether STOP was among them. */
  run(count: number): boolean {
    for (let i = 0; i < count; i++) {
      this.#instruction = this.#at;
      const code = this.#byte();
      if (this.#instruction === 0 && code !== op.PROTO)
        throw this.#error('it does not start as a pickle of protocol 2 to 5');
      if (code === op.STOP) return true;
      this.#execute(code);
    }
    this.#executed += count;
    if (this.#executed > maxPickleInstructions)
      throw this.#error(`it has more than ${maxPickleInstructions} instructions`);
    return false;
  }

  result(): PickleValue {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw this.#error(`${left} bytes follow its end`);
    if (this.#marks.length > 0 || this.#stack.length !== 1)
      throw this.#error(`it ends with ${this.#stack.length} values`);
    return this.#stack[0]!;
  }

  #execute(code: number): void {
    const value = this.#value(code);
    if (value === undefined) this.#act(code);
    else this.#stack.push(value);
  }

  /** The value that an instruction puts on the stack; undefined for instructions that do something else. */
  #value(code: number): PickleValue | undefined {
    switch (code) {
      case op.NONE:
        return null;
      case op.NEWTRUE:
        return true;
      case op.NEWFALSE:
        return false;
      case op.BININT:
        return this.#take(4).readInt32LE();
      case op.BININT1:
        return this.#byte();
      case op.BININT2:
        return this.#take(2).readUInt16LE();
      case op.LONG1:
        return this.#long(this.#byte());
      case op.BINFLOAT:
        return this.#take(8).readDoubleBE();
      case op.BINUNICODE:
        return this.#text(this.#take(4).readUInt32LE());
      case op.SHORT_BINUNICODE:
      case op.SHORT_BINSTRING:
        return this.#text(this.#byte());
      case op.BINBYTES:
        return this.#block(this.#take(4).readUInt32LE());
      case op.SHORT_BINBYTES:
        return this.#block(this.#byte());
      case op.EMPTY_TUPLE:
        return new PickleTuple([]);
      case op.TUPLE1:
        return new PickleTuple(this.#popMany(1));
      case op.TUPLE2:
        return new PickleTuple(this.#popMany(2));
      case op.TUPLE3:
        return new PickleTuple(this.#popMany(3));
      case op.TUPLE:
        return new PickleTuple(this.#popToMark());
      case op.EMPTY_LIST:
        return [];
      case op.EMPTY_DICT:
        return new PickleDict();
      case op.GLOBAL:
        return this.#global(this.#line(), this.#line());
      case op.STACK_GLOBAL: {
        const [module, attribute] = this.#popMany(2);
        return this.#global(module!, attribute!);
      }
      case op.REDUCE:
      case op.NEWOBJ: {
        const [callee, args] = this.#popMany(2);
        return this.#call(callee!, args!);
      }
      case op.BINPERSID:
        return new PickleReference(this.#pop());
      case op.BINGET:
        return this.#get(this.#byte());
      case op.LONG_BINGET:
        return this.#get(this.#take(4).readUInt32LE());
      default:
        return undefined;
    }
  }

  #act(code: number): void {
    switch (code) {
      case op.PROTO:
        this.#protocol();
        break;
      case op.FRAME:
        this.#frame();
        break;
      case op.MARK:
        this.#marks.push(this.#stack.length);
        break;
      case op.APPEND:
        this.#append([this.#pop()]);
        break;
      case op.APPENDS:
        this.#append(this.#popToMark());
        break;
      case op.SETITEM:
        this.#setItems(this.#popMany(2));
        break;
      case op.SETITEMS:
        this.#setItems(this.#popToMark());
        break;
      case op.BUILD:
        this.#build(this.#pop());
        break;
      case op.BINPUT:
        this.#memo.set(this.#byte(), this.#top());
        break;
      case op.LONG_BINPUT:
        this.#memo.set(this.#take(4).readUInt32LE(), this.#top());
        break;
      case op.MEMOIZE:
        this.#memo.set(this.#memo.size, this.#top());
        break;
      default:
        throw this.#error(`torch.save does not use its instruction 0x${code.toString(16).padStart(2, '0')}`);
    }
  }

  #protocol(): void {
    const version = this.#byte();
    if (this.#instruction !== 0 || version < 2 || version > 5)
      throw this.#error(`protocol ${version} was not expected`);
  }

  /** Frames only say how much to read ahead. */
  #frame(): void {
    const bytes = this.#take(8).readBigUInt64LE();
    if (bytes > BigInt(this.#bytes.length - this.#at)) throw this.#error('a frame is longer than what is left');
  }

  #long(length: number): number | bigint {
    const bytes = this.#take(length);
    if (length === 0) return 0;
    const value = BigInt.asIntN(8 * length, BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #text(length: number): string {
    try {
      return utf8.decode(this.#block(length));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw this.#error('a string is not valid UTF-8');
    }
  }

  #block(length: number): Uint8Array {
    if (length > maxStringBytes) throw this.#error(`a string of ${length} bytes is too long`);
    return this.#take(length);
  }

  #line(): string {
    const end = this.#bytes.subarray(this.#at, this.#at + maxGlobalBytes).indexOf(0x0a);
    if (end < 0) throw this.#error('the name of a global does not end');
    const text = this.#text(end);
    this.#at++;
    return text;
  }

  #global(module: PickleValue, attribute: PickleValue): PickleGlobal {
    if (typeof module !== 'string' || typeof attribute !== 'string')
      throw this.#error('a global is named by no string');
    const found = new PickleGlobal(module, attribute);
    this.globals.push(found);
    return found;
  }

  #call(callee: PickleValue, args: PickleValue): PickleDict | PickleCall {
    if (!(callee instanceof PickleGlobal) || callee.name !== 'collections.OrderedDict')
      return new PickleCall(callee, args);
    const isEmpty = args instanceof PickleTuple && args.items.length === 0;
    if (!isEmpty) throw this.#error('an OrderedDict is made from something');
    return new PickleDict();
  }

  #build(state: PickleValue): void {
    const target = this.#top();
    if (target instanceof PickleCall) target.state = state;
    else if (target instanceof PickleDict && state instanceof PickleDict) target.attributes = state;
    else throw this.#error(`${kindOf(target)} cannot take the state ${kindOf(state)}`);
  }

  #append(items: PickleValue[]): void {
    const target = this.#top();
    if (target instanceof PickleCall) target.extended = true;
    else if (Array.isArray(target)) for (const item of items) target.push(item);
    else throw this.#error(`${kindOf(target)} cannot be appended to`);
  }

  #setItems(items: PickleValue[]): void {
    const target = this.#top();
    if (target instanceof PickleCall) {
      target.extended = true;
      return;
    }
    if (!(target instanceof PickleDict)) throw this.#error(`${kindOf(target)} cannot take items`);
    if (items.length % 2 !== 0) throw this.#error('a key has no value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (target.entries.has(key)) throw this.#error(`a dict has the key ${kindOf(key)} twice`);
      target.entries.set(key, items[i + 1]!);
    }
  }

  #get(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#error(`value ${index} is used before it is there`);
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length - this.#floor() < count) throw this.#error('it takes more values than there are');
    return this.#stack.splice(-count);
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #top(): PickleValue {
    if (this.#stack.length <= this.#floor()) throw this.#error('it takes more values than there are');
    return this.#stack.at(-1)!;
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#error('a group ends that was never begun');
    return this.#stack.splice(mark);
  }

  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw this.#error('it is cut');
    return this.#bytes[this.#at++]!;
  }

  #take(count: number): Buffer {
    if (count > this.#bytes.length - this.#at) throw this.#error('it is cut');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #error(problem: string) {
    return formatError(`its pickle is damaged: ${problem} (at byte ${this.#instruction} of data.pkl)`);
  }
}
