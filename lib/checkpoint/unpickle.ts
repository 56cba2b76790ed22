// Reads a pickle into inert values: the instructions of torch.save, and nothing that could run code. Works without
// recursion, so that no nesting can exhaust the stack, and in turns, so that the event loop goes on.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { instructionsPerTurn, maxPickleInstructions } from './limits';
import { op } from './opcodes';
import { PickleBytes } from './pickle-bytes';
import {
  kindOf,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PickleReference,
  PickleTuple,
  type PickleValue,
} from './pickle-values';

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
  readonly #input: PickleBytes;
  readonly #stack: PickleValue[] = [];
  /** Where on the stack the open MARKs are: nothing below the last can be taken. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #executed = 0;

  constructor(bytes: Buffer) {
    this.#input = new PickleBytes(bytes);
  }

  /** Up to `count` instructions. Returns whether STOP was among them. */
  run(count: number): boolean {
    for (let i = 0; i < count; i++) {
      const code = this.#input.instruction();
      if (this.#input.begun === 0 && code !== op.PROTO)
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
    if (this.#input.left > 0) throw this.#error(`${this.#input.left} bytes follow its end`);
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
        return this.#input.int32();
      case op.BININT1:
        return this.#input.byte();
      case op.BININT2:
        return this.#input.uint16();
      case op.LONG1:
        return this.#input.long(this.#input.byte());
      case op.BINFLOAT:
        return this.#input.double();
      case op.BINUNICODE:
        return this.#input.text(this.#input.uint32());
      case op.SHORT_BINUNICODE:
      case op.SHORT_BINSTRING:
        return this.#input.text(this.#input.byte());
      case op.BINBYTES:
        return this.#input.block(this.#input.uint32());
      case op.SHORT_BINBYTES:
        return this.#input.block(this.#input.byte());
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
        return this.#global(this.#input.line(), this.#input.line());
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
        return this.#get(this.#input.byte());
      case op.LONG_BINGET:
        return this.#get(this.#input.uint32());
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
        this.#memo.set(this.#input.byte(), this.#top());
        break;
      case op.LONG_BINPUT:
        this.#memo.set(this.#input.uint32(), this.#top());
        break;
      case op.MEMOIZE:
        this.#memo.set(this.#memo.size, this.#top());
        break;
      default:
        throw this.#error(`torch.save does not use its instruction 0x${code.toString(16).padStart(2, '0')}`);
    }
  }

  #protocol(): void {
    const version = this.#input.byte();
    if (this.#input.begun !== 0 || version < 2 || version > 5)
      throw this.#error(`protocol ${version} was not expected`);
  }

  /** Frames only say how much to read ahead. */
  #frame(): void {
    if (this.#input.uint64() > BigInt(this.#input.left)) throw this.#error('a frame is longer than what is left');
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

  #error(problem: string) {
    return this.#input.error(problem);
  }
}
