// Converts pickles to lists of instructions and back. Names and operands as in Python's pickletools.

/** By code: the name, and the operand: a number of bytes, lines, or a length of so many bytes and as many bytes. */
const table = new Map(
  Object.entries({
    MARK: '(',
    STOP: '.',
    POP: '0',
    POP_MARK: '1',
    DUP: '2',
    BINBYTES: 'B+4',
    SHORT_BINBYTES: 'C+1',
    FLOAT: 'F|1',
    BINFLOAT: 'G8',
    INT: 'I|1',
    BININT: 'J4',
    BININT1: 'K1',
    LONG: 'L|1',
    BININT2: 'M2',
    NONE: 'N',
    PERSID: 'P|1',
    BINPERSID: 'Q',
    REDUCE: 'R',
    STRING: 'S|1',
    BINSTRING: 'T+4',
    SHORT_BINSTRING: 'U+1',
    UNICODE: 'V|1',
    BINUNICODE: 'X+4',
    EMPTY_LIST: ']',
    APPEND: 'a',
    BUILD: 'b',
    GLOBAL: 'c|2',
    DICT: 'd',
    APPENDS: 'e',
    GET: 'g|1',
    BINGET: 'h1',
    INST: 'i|2',
    LONG_BINGET: 'j4',
    LIST: 'l',
    OBJ: 'o',
    PUT: 'p|1',
    BINPUT: 'q1',
    LONG_BINPUT: 'r4',
    SETITEM: 's',
    TUPLE: 't',
    SETITEMS: 'u',
    EMPTY_TUPLE: ')',
    EMPTY_DICT: '}',
    PROTO: '\x801',
    NEWOBJ: '\x81',
    EXT1: '\x821',
    EXT2: '\x832',
    EXT4: '\x844',
    TUPLE1: '\x85',
    TUPLE2: '\x86',
    TUPLE3: '\x87',
    NEWTRUE: '\x88',
    NEWFALSE: '\x89',
    LONG1: '\x8a+1',
    LONG4: '\x8b+4',
    SHORT_BINUNICODE: '\x8c+1',
    BINUNICODE8: '\x8d+8',
    BINBYTES8: '\x8e+8',
    EMPTY_SET: '\x8f',
    ADDITEMS: '\x90',
    FROZENSET: '\x91',
    NEWOBJ_EX: '\x92',
    STACK_GLOBAL: '\x93',
    MEMOIZE: '\x94',
    FRAME: '\x958',
    BYTEARRAY8: '\x96+8',
    NEXT_BUFFER: '\x97',
    READONLY_BUFFER: '\x98',
  }).map(([name, [code, kind = '', width = kind]]) => [
    code.charCodeAt(0),
    { name, code: code.charCodeAt(0), kind: /\d/.test(kind) ? 'fixed' : kind, width: Number(width) || 0 },
  ]),
);

export const instructions = [...table.values()];
const byName = new Map(instructions.map((instruction) => [instruction.name, instruction]));

export const named = (name) => byName.get(name);

/** Returns a list of { name, kind, width, code, operand }; ends before bytes that are not an instruction, or after STOP. */
export function takeApart(pickle) {
  const found = [];
  for (let at = 0; at < pickle.length; ) {
    const instruction = table.get(pickle[at]);
    const end = instruction && endOf(pickle, at + 1, instruction);
    if (end === undefined || end > pickle.length) break;
    found.push({ ...instruction, operand: operandOf(pickle.subarray(at + 1, end), instruction) });
    at = end;
    if (instruction.name === 'STOP') break;
  }
  return found;
}

function endOf(pickle, start, { kind, width }) {
  if (kind === '+')
    return start + width <= pickle.length ? start + width + pickle.readUIntLE(start, Math.min(width, 6)) : undefined;
  if (kind !== '|') return start + width;
  let end = start;
  for (let line = 0; line < width; line++) {
    end = pickle.indexOf(0x0a, end) + 1;
    if (end === 0) return undefined;
  }
  return end;
}

/** Without the length, which putTogether() computes again. */
function operandOf(bytes, { kind, width }) {
  return Buffer.from(kind === '+' ? bytes.subarray(width) : bytes);
}

export function putTogether(list) {
  return Buffer.concat(
    list.flatMap(({ code, kind, width, operand, length }) => {
      if (kind !== '+') return [Buffer.from([code]), operand];
      const prefix = Buffer.alloc(width);
      const said = length ?? BigInt(operand.length);
      for (let i = 0; i < width; i++) prefix[i] = Number((said >> BigInt(8 * i)) & 255n);
      return [Buffer.from([code]), prefix, operand];
    }),
  );
}
