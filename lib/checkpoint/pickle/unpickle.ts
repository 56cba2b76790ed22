// Reads a pickle into inert values. A pickle is a program for a stack machine; {'w': 1} is
//
//   80 02  7d  71 00  58 01 00 00 00 77  71 01  4b 01  73  2e
//   PROTO  {}  PUT 0  "w"                PUT 1  1      SETITEM  STOP
//
//  1. Nothing is imported or called. GLOBAL becomes a name, REDUCE and BUILD become a record of the call.
//  2. Only the instructions of torch.save and their newer spellings are run; all others are refused.
//  3. No recursion: nesting cannot exhaust the stack. The event loop gets a turn after every `instructionsPerTurn`.
//  4. No length, index or count is used before it is compared with the bytes that are left and with limits.ts.
//  5. A damaged pickle that asks for code is reported as unsafe, not as damaged (injected.ts).
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CutPickle } from '../errors';
import { unlessInjected } from '../injected';
import { instructionsPerTurn, maxStackedValues } from '../limits';
import { MemoryBudget } from './budget';
import { PickleBuilder } from './builder';
import { PickleBytes } from './bytes';
import { PickleMemo } from './memo';
import { op } from './opcodes';
import type { Unpickled } from './unpickled';
import { PickleDict, PickleSet, PickleTuple, type PickleValue } from './values';

interface UnpickleOptions {
  /** Name of the bytes in messages: 'data.pkl'. */
  place: string;
  /** Other data may follow the pickle. */
  isFollowed?: boolean;
  /** The caller retries with more bytes if the pickle is incomplete. */
  mayGrow?: boolean;
  /** Memory that its values may take. */
  memory?: MemoryBudget;
  signal?: AbortSignal | undefined;
}

/** Throws ERR_STATE_UNSAFE if a damaged pickle asks for code. */
export async function unpickle(bytes: Buffer, options: UnpickleOptions): Promise<Unpickled> {
  try {
    return await run(bytes, options);
  } catch (cause) {
    if (options.mayGrow && cause instanceof CutPickle) throw cause;
    throw await unlessInjected(cause, bytes, options.place, options);
  }
}

async function run(
  bytes: Buffer,
  { place, isFollowed, memory = new MemoryBudget(), signal }: UnpickleOptions,
): Promise<Unpickled> {
  const input = new PickleBytes(bytes, place);
  const machine = new Unpickler(input, memory);
  while (!machine.run(instructionsPerTurn)) {
    await nextTurn();
    signal?.throwIfAborted();
  }
  const value = machine.result();
  if (input.left > 0 && !isFollowed) throw input.foreign(`${input.left} bytes follow its end`);
  const { builder, instructions } = machine;
  const { globals, references } = builder;
  return { value, globals, references, instructions, length: input.passed, memory };
}

class Unpickler {
  readonly builder: PickleBuilder;
  readonly #used = new Uint8Array(256);
  readonly #input: PickleBytes;
  readonly #stack: PickleValue[] = [];
  /** Stack positions of the open MARKs: nothing below the last one can be taken. */
  readonly #marks: number[] = [];
  readonly #memo: PickleMemo;

  constructor(input: PickleBytes, memory: MemoryBudget) {
    const error = (problem: string) => this.#error(problem);
    this.#input = input;
    this.#memo = new PickleMemo(input.left, error);
    this.builder = new PickleBuilder(memory, error);
  }

  get instructions(): ReadonlySet<number> {
    return new Set([...this.#used.keys()].filter((code) => this.#used[code]));
  }

  /** Runs up to `count` instructions. Returns true after STOP. */
  run(count: number): boolean {
    for (let i = 0; i < count; i++) {
      const code = this.#input.instruction();
      if (this.#input.begun === 0 && code !== op.PROTO)
        throw this.#input.foreign('it does not start as a pickle of protocol 2 to 5');
      if (code === op.STOP) return true;
      this.#execute(code);
    }
    this.builder.instructions(count);
    if (this.#stack.length > maxStackedValues || this.#marks.length > maxStackedValues)
      throw this.#error(`it leaves more than ${maxStackedValues} values on its stack`);
    return false;
  }

  result(): PickleValue {
    if (this.#marks.length > 0 || this.#stack.length !== 1)
      throw this.#input.foreign(`it ends with ${this.#stack.length} values`);
    return this.#stack[0]!;
  }

  #execute(code: number): void {
    this.#used[code] = 1;
    const literal = this.#input.literal(code);
    if (literal !== undefined) this.builder.literal(literal);
    const value = literal === undefined ? this.#container(code) : literal;
    if (value === undefined) this.#act(code);
    else this.#stack.push(value);
  }

  /** Makes the container that an instruction pushes; undefined for an instruction that pushes none. */
  #container(code: number): PickleValue | undefined {
    const value = this.#newContainer(code);
    return value === undefined ? undefined : this.builder.container(value);
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
        return new PickleSet(this.#popToMark(), true);
      case op.GLOBAL:
        return this.builder.global(this.#input.line(), this.#input.line());
      case op.STACK_GLOBAL: {
        const [module, attribute] = this.#popMany(2);
        return this.builder.global(module!, attribute!);
      }
      case op.REDUCE:
      case op.NEWOBJ: {
        const [callee, args] = this.#popMany(2);
        return this.builder.call(callee!, args!, code === op.NEWOBJ);
      }
      case op.NEWOBJ_EX: {
        const [callee, args, named] = this.#popMany(3);
        if (!(named instanceof PickleDict) || named.size > 0)
          throw this.#error('an object is made with named arguments');
        return this.builder.call(callee!, args!, true);
      }
      case op.BINPERSID:
        return this.builder.reference(this.#pop());
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
        this.#fill([this.#pop()], 'append');
        break;
      case op.APPENDS:
        this.#fill(this.#popToMark(), 'append');
        break;
      case op.ADDITEMS:
        this.#fill(this.#popToMark(), 'addItems');
        break;
      case op.SETITEM:
        this.#fill(this.#popMany(2), 'setItems');
        break;
      case op.SETITEMS:
        this.#fill(this.#popToMark(), 'setItems');
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
        this.#remember(this.#input.byte());
        break;
      case op.LONG_BINPUT:
        this.#remember(this.#input.uint32());
        break;
      case op.MEMOIZE:
        this.builder.memo(this.#memo.add(this.#top()));
        break;
      default:
        throw this.#input.foreign(`torch.save does not use its instruction 0x${code.toString(16).padStart(2, '0')}`);
    }
  }

  #remember(index: number): void {
    this.builder.memo(this.#memo.put(index, this.#top()));
  }

  #protocol(): void {
    const version = this.#input.byte();
    if (this.#input.begun !== 0 || version < 2 || version > 5)
      throw this.#error(`protocol ${version} was not expected`);
  }

  #build(state: PickleValue): void {
    this.builder.build(this.#top(), state);
  }

  /** Puts `items` into the container below them on the stack. */
  #fill(items: PickleValue[], how: 'append' | 'addItems' | 'setItems'): void {
    this.builder[how](this.#top(), items);
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length - this.#floor() < count) throw this.#error('it takes more values than there are');
    return this.#stack.splice(-count);
  }

  #pop(): PickleValue {
    this.#top(); // checks that there is a value above the last MARK
    return this.#stack.pop()!;
  }

  #top(): PickleValue {
    if (this.#stack.length <= this.#floor()) throw this.#error('it takes more values than there are');
    return this.#stack.at(-1)!;
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#error('it ends a group that never began');
    return this.#stack.splice(mark);
  }

  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #error(problem: string) {
    return this.#input.error(problem);
  }
}
