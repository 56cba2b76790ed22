// Reads a pickle into inert values: the instructions of torch.save, and nothing that could run code. Works without
// recursion, so that no nesting can exhaust the stack, and in turns, so that the event loop goes on.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { currentModule } from './globals';
import { instructionsPerTurn } from './limits';
import { op } from './opcodes';
import { PickleBudget } from './pickle-budget';
import { PickleBytes } from './pickle-bytes';
import { PickleMemo } from './pickle-memo';
import {
  kindOf,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PickleReference,
  PickleSet,
  PickleTuple,
  type PickleValue,
  pairsOf,
} from './pickle-values';

export interface Unpickled {
  value: PickleValue;
  /** Every global that is named anywhere, whether it ends up in `value` or not. */
  globals: PickleGlobal[];
  /** The same of everything that is stored outside the pickle. */
  references: PickleReference[];
  /** Every instruction that it uses. */
  instructions: ReadonlySet<number>;
  /** Bytes that the pickle takes. */
  length: number;
}

interface UnpickleOptions {
  /** What the bytes are, for messages: 'data.pkl'. */
  place: string;
  /** Something else may follow the pickle. */
  isFollowed?: boolean;
  signal?: AbortSignal | undefined;
}

export async function unpickle(bytes: Buffer, { place, isFollowed, signal }: UnpickleOptions): Promise<Unpickled> {
  const input = new PickleBytes(bytes, place);
  const machine = new Unpickler(input);
  while (!machine.run(instructionsPerTurn)) {
    await nextTurn();
    signal?.throwIfAborted();
  }
  const value = machine.result();
  if (input.left > 0 && !isFollowed) throw input.error(`${input.left} bytes follow its end`);
  const { globals, references, instructions } = machine;
  return { value, globals, references, instructions, length: input.passed };
}

class Unpickler {
  readonly globals: PickleGlobal[] = [];
  readonly references: PickleReference[] = [];
  readonly instructions = new Set<number>();
  readonly #input: PickleBytes;
  readonly #stack: PickleValue[] = [];
  /** Where on the stack the open MARKs are: nothing below the last can be taken. */
  readonly #marks: number[] = [];
  readonly #memo: PickleMemo;
  readonly #budget = new PickleBudget((problem) => this.#error(problem));
  readonly #named = new Map<string, PickleGlobal>();

  constructor(input: PickleBytes) {
    this.#input = input;
    this.#memo = new PickleMemo(input.left, (problem) => this.#error(problem));
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
    this.#budget.instructions(count);
    return false;
  }

  result(): PickleValue {
    if (this.#marks.length > 0 || this.#stack.length !== 1)
      throw this.#error(`it ends with ${this.#stack.length} values`);
    return this.#stack[0]!;
  }

  #execute(code: number): void {
    this.instructions.add(code);
    const literal = this.#input.literal(code);
    const value = literal === undefined ? this.#container(code) : literal;
    if (value === undefined) this.#act(code);
    else this.#stack.push(value);
  }

  /** The value that an instruction makes of others and puts on the stack; undefined for those that do something else. */
  #container(code: number): PickleValue | undefined {
    const value = this.#newContainer(code);
    if (value !== undefined) this.#budget.containers(1);
    return value;
  }

  #newContainer(code: number): PickleValue | undefined {
    switch (code) {
      case op.EMPTY_TUPLE:
        return new PickleTuple([]);
      case op.TUPLE1:
      case op.TUPLE2:
      case op.TUPLE3:
        return new PickleTuple(this.#popMany(1 + code - op.TUPLE1));
      case op.TUPLE:
        return new PickleTuple(this.#popToMark());
      case op.EMPTY_LIST:
        return [];
      case op.EMPTY_DICT:
        return new PickleDict();
      case op.EMPTY_SET:
        return new PickleSet();
      case op.FROZENSET:
        return new PickleSet(this.#popToMark());
      case op.GLOBAL:
        return this.#global(this.#input.line(), this.#input.line());
      case op.STACK_GLOBAL: {
        const [module, attribute] = this.#popMany(2);
        return this.#global(module!, attribute!);
      }
      case op.REDUCE:
      case op.NEWOBJ: {
        const [callee, args] = this.#popMany(2);
        return this.#call(callee!, args!, code === op.NEWOBJ);
      }
      case op.NEWOBJ_EX: {
        const [callee, args, named] = this.#popMany(3);
        if (!(named instanceof PickleDict) || named.size > 0)
          throw this.#error('an object is made with named arguments');
        return this.#call(callee!, args!, true);
      }
      case op.BINPERSID:
        this.references.push(new PickleReference(this.#pop()));
        return this.references.at(-1)!;
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
        this.#input.frame();
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
      case op.ADDITEMS:
        this.#addItems(this.#popToMark());
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
      case op.BINGET:
        this.#stack.push(this.#memo.get(this.#input.byte()));
        break;
      case op.LONG_BINGET:
        this.#stack.push(this.#memo.get(this.#input.uint32()));
        break;
      case op.BINPUT:
        this.#memo.put(this.#input.byte(), this.#top());
        break;
      case op.LONG_BINPUT:
        this.#memo.put(this.#input.uint32(), this.#top());
        break;
      case op.MEMOIZE:
        this.#memo.add(this.#top());
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

  #global(module: PickleValue, attribute: PickleValue): PickleGlobal {
    if (typeof module !== 'string' || typeof attribute !== 'string')
      throw this.#error('a global is named by no string');
    const name = `${module}\n${attribute}`;
    const known = this.#named.get(name);
    if (known) return known;
    const found = new PickleGlobal(currentModule(module), attribute);
    this.#named.set(name, found);
    this.globals.push(found);
    return found;
  }

  #call(callee: PickleValue, args: PickleValue, isNew: boolean): PickleDict | PickleCall {
    if (!(callee instanceof PickleGlobal) || callee.name !== 'collections.OrderedDict') {
      this.#budget.call(args);
      return new PickleCall(callee, args, isNew);
    }
    const dict = new PickleDict(true);
    const pairs = pairsOf(args);
    if (!pairs) throw this.#error('an OrderedDict is made from something');
    this.#budget.containers(pairs.length);
    for (const [key, value] of pairs) this.#setItem(dict, key!, value!);
    return dict;
  }

  #build(state: PickleValue): void {
    const target = this.#top();
    this.#budget.uses(state);
    if (target instanceof PickleCall) target.state = state;
    else if (target instanceof PickleDict && target.isOrdered && state instanceof PickleDict) target.attributes = state;
    else throw this.#error(`${kindOf(target)} cannot take the state ${kindOf(state)}`);
  }

  #append(items: PickleValue[]): void {
    const target = this.#top();
    const list = target instanceof PickleCall ? target.items : target;
    if (!Array.isArray(list)) throw this.#error(`${kindOf(target)} cannot be appended to`);
    for (const item of items) list.push(item);
  }

  #addItems(items: PickleValue[]): void {
    const target = this.#top();
    if (!(target instanceof PickleSet)) throw this.#error(`${kindOf(target)} cannot be added to`);
    for (const item of items) target.items.push(item);
  }

  #setItems(items: PickleValue[]): void {
    const target = this.#top();
    if (items.length % 2 !== 0) throw this.#error('a key has no value');
    for (let i = 0; i < items.length; i += 2) this.#setItem(target, items[i]!, items[i + 1]!);
  }

  #setItem(target: PickleValue, key: PickleValue, value: PickleValue): void {
    this.#budget.key(key);
    if (target instanceof PickleCall) {
      target.entries.push([key, value]);
      return;
    }
    if (!(target instanceof PickleDict)) throw this.#error(`${kindOf(target)} cannot take items`);
    if (target.entries.has(key)) throw this.#error(`a dict has the key ${kindOf(key)} twice`);
    if (target.size === 0) this.#budget.dict();
    target.entries.set(key, value);
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length - this.#floor() < count) throw this.#error('it takes more values than there are');
    return this.#stack.splice(-count);
  }

  #pop(): PickleValue {
    this.#top(); // there must be one above the last MARK
    return this.#stack.pop()!;
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
