// Reads the pickles of CIFAR-10's Python version without running them: a dictionary of strings, integers, lists and
// numpy arrays, as Python 2 wrote it (protocol 2) and as Python 3 writes it again (protocols 3 to 5). Nothing is ever
// imported or called. Pixels are not read here either, only found: lib/data/cifar10.ts hands their place to the addon.
import { LearnError } from '../errors';
import { ByteCursor } from './byte_cursor';

/** A string or bytes in the file; `text` where it is short. */
export interface Run {
  readonly offset: number;
  readonly length: number;
  readonly text: string | undefined;
}

/** Something that a pickle asks to be called, which it is not. */
interface Call {
  readonly callee: Value;
  readonly args: Value;
  state?: Value;
}

interface Global {
  readonly global: string;
}

type Value = null | boolean | number | Run | Global | Call | Value[] | Map<string, Value>;

/** Images and labels of one batch file, as lib/plans.ts wants them. */
export interface PickledBatch {
  offset: number;
  count: number;
  labels: Int32Array;
  bytes: number;
}

const allowedGlobals = new Set([
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
  'numpy.core.numeric._frombuffer',
  'numpy._core.numeric._frombuffer',
  'numpy.ndarray',
  'numpy.dtype',
]);

/** More entries than any such file has: a batch holds a label and a file name for each of 10,000 images. */
const maxEntries = 4_000_000;

/** Where the images of `file` are, and their labels. `imageBytes`: size of one image. */
export async function readPickledBatch(file: string, imageBytes: number): Promise<PickledBatch> {
  const cursor = await ByteCursor.open(file);
  try {
    const batch = await readDictionary(cursor);
    const { offset, length, count } = imagesOf(batch.get('data'), cursor.file, imageBytes);
    const labels = batch.get('labels');
    if (!Array.isArray(labels) || labels.length !== count || !labels.every((label) => Number.isInteger(label))) {
      throw damaged(file, `its "labels" are not a list of ${count} integers`);
    }
    if (offset + length > cursor.size) throw damaged(file, 'its images reach behind its end');
    return { offset, count, labels: Int32Array.from(labels as number[]), bytes: cursor.size };
  } finally {
    await cursor.close();
  }
}

/** A list of strings in the dictionary that `file` holds, such as label_names; undefined where it has none. */
export async function readPickledStrings(file: string, key: string): Promise<string[] | undefined> {
  const cursor = await ByteCursor.open(file);
  try {
    const values = (await readDictionary(cursor)).get(key);
    if (!Array.isArray(values)) return undefined;
    const texts = values.map(textOf);
    return texts.includes(undefined) ? undefined : (texts as string[]);
  } finally {
    await cursor.close();
  }
}

function imagesOf(value: Value | undefined, file: string, imageBytes: number): Run & { count: number } {
  const { shape, dtype, content } = arrayOf(value) ?? {};
  const [count, width, ...more] = Array.isArray(shape) ? shape : [];
  if (typeof count !== 'number' || width !== imageBytes || more.length > 0 || dtype !== 'u1') {
    throw damaged(file, `its "data" is not a uint8 array of [images, ${imageBytes}] in row order`);
  }
  if (!isRun(content)) {
    throw damaged(file, 'its images are not stored as bytes; write it again with pickle.dump(..., protocol=4)');
  }
  if (count < 1 || content.length !== count * imageBytes) {
    throw damaged(file, `its "data" has ${content.length} bytes where ${count} images need ${count * imageBytes}`);
  }
  return { ...content, count };
}

/** The parts of a numpy array in row order, by either of numpy's ways to pickle one. */
function arrayOf(value: Value | undefined) {
  if (!isCall(value) || !Array.isArray(value.args)) return undefined;
  const name = isGlobal(value.callee) ? value.callee.global.split('.').at(-1) : undefined;
  if (name === '_reconstruct' && Array.isArray(value.state)) {
    const [, shape, dtype, columnOrder, content] = value.state;
    return columnOrder === false ? { shape, dtype: dtypeOf(dtype), content } : undefined;
  }
  if (name === '_frombuffer') {
    const [content, dtype, shape, order] = value.args;
    return textOf(order) === 'C' ? { shape, dtype: dtypeOf(dtype), content } : undefined;
  }
  return undefined;
}

function dtypeOf(value: Value | undefined): string | undefined {
  const isDtype = isCall(value) && isGlobal(value.callee) && value.callee.global === 'numpy.dtype';
  return isDtype && Array.isArray(value.args) ? textOf(value.args[0]) : undefined;
}

async function readDictionary(cursor: ByteCursor): Promise<Map<string, Value>> {
  const value = await new Unpickler(cursor).read();
  if (!(value instanceof Map)) throw damaged(cursor.file, 'it is not a pickled dictionary');
  return value;
}

/** The pickle machine, with the instructions that such files have. */
class Unpickler {
  readonly #cursor: ByteCursor;
  #stack: Value[] = [];
  readonly #marked: Value[][] = [];
  readonly #memo = new Map<number, Value>();

  constructor(cursor: ByteCursor) {
    this.#cursor = cursor;
  }

  async read(): Promise<Value> {
    while (true) {
      await this.#cursor.fill();
      // One instruction needs little more than its opcode, so many run between two reads of the file.
      while (this.#cursor.isReady()) {
        const opcode = this.#cursor.byte();
        if (opcode === 0x2e /* STOP */) return this.#pop();
        this.#step(opcode);
        if (this.#stack.length + this.#marked.length + this.#memo.size > maxEntries)
          throw this.#damaged('it is too large');
      }
    }
  }

  #step(opcode: number): void {
    const cursor = this.#cursor;
    switch (opcode) {
      case 0x80: // PROTO
        return void cursor.byte();
      case 0x95: // FRAME
        return void cursor.uint64();
      case 0x28: // MARK
        this.#marked.push(this.#stack);
        this.#stack = [];
        return;
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(cursor.byte());
      case 0x4d: // BININT2
        return this.#push(cursor.uint16());
      case 0x4a: // BININT
        return this.#push(cursor.int32());
      case 0x55: // SHORT_BINSTRING
      case 0x43: // SHORT_BINBYTES
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(cursor.run(cursor.byte()));
      case 0x54: // BINSTRING
      case 0x42: // BINBYTES
      case 0x58: // BINUNICODE
        return this.#push(cursor.run(cursor.uint32()));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#push(cursor.run(cursor.uint64()));
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return this.#push([]);
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(this.#popMany(opcode - 0x84));
      case 0x74: // TUPLE
        return this.#push(this.#popMark());
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popMark());
      case 0x71: // BINPUT
        return void this.#memo.set(cursor.byte(), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(cursor.uint32(), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return this.#recall(cursor.byte());
      case 0x6a: // LONG_BINGET
        return this.#recall(cursor.uint32());
      case 0x63: // GLOBAL
        return this.#pushGlobal(cursor.line(), cursor.line());
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        return this.#pushGlobal(textOf(module), textOf(name));
      }
      case 0x52: {
        // REDUCE
        const [callee, args] = this.#popMany(2);
        return this.#push({ callee: callee!, args: args! });
      }
      case 0x62: {
        // BUILD
        const state = this.#pop();
        const built = this.#top();
        if (!isCall(built)) throw this.#damaged('it sets the state of something that has none');
        built.state = state;
        return;
      }
      default:
        throw this.#damaged(`it uses pickle opcode 0x${opcode.toString(16)}, which CIFAR-10's files do not`);
    }
  }

  #push(value: Value): void {
    this.#stack.push(value);
  }

  #top(): Value {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.#damaged('its pickle takes from an empty stack');
    return value;
  }

  #pop(): Value {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): Value[] {
    if (this.#stack.length < count) throw this.#damaged('its pickle takes from an empty stack');
    return this.#stack.splice(this.#stack.length - count);
  }

  #popMark(): Value[] {
    const values = this.#stack;
    const below = this.#marked.pop();
    if (!below) throw this.#damaged('its pickle misses a mark');
    this.#stack = below;
    return values;
  }

  #append(values: Value[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#damaged('it appends to something that is no list');
    for (const value of values) list.push(value);
    if (list.length > maxEntries) throw this.#damaged('it is too large');
  }

  #setItems(items: Value[]): void {
    const dictionary = this.#top();
    if (!(dictionary instanceof Map)) throw this.#damaged('it sets items of something that is no dictionary');
    for (let i = 0; i + 1 < items.length; i += 2) {
      const key = textOf(items[i]);
      if (key === undefined) throw this.#damaged('it has a key that is no string');
      dictionary.set(key, items[i + 1]!);
    }
  }

  #recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.#damaged('its pickle recalls what it never stored');
    this.#push(value);
  }

  #pushGlobal(module: string | undefined, name: string | undefined): void {
    const global = `${module}.${name}`;
    if (global === '_codecs.encode') {
      throw this.#damaged('Python 3 wrote it with protocol 2; write it again with pickle.dump(..., protocol=4)');
    }
    if (!allowedGlobals.has(global)) throw this.#damaged(`it refers to ${global}, which CIFAR-10's files do not`);
    this.#push({ global });
  }

  #damaged(why: string): LearnError {
    return damaged(this.#cursor.file, why);
  }
}

function isRun(value: Value | undefined): value is Run {
  return typeof value === 'object' && value !== null && 'offset' in value;
}

function isGlobal(value: Value | undefined): value is Global {
  return typeof value === 'object' && value !== null && 'global' in value;
}

function isCall(value: Value | undefined): value is Call {
  return typeof value === 'object' && value !== null && 'callee' in value;
}

function textOf(value: Value | undefined): string | undefined {
  return isRun(value) ? value.text : undefined;
}

function damaged(file: string, why: string): LearnError {
  return new LearnError('ERR_DATA_FORMAT', `${file} is not a batch file of CIFAR-10's Python version: ${why}`);
}
