// Makes pickles that are almost valid: instructions of valid ones with changed numbers, names and order, and programs that are
// random but keep the stack that they need.
import { join, p, tensor } from '../unit/checkpoint-support.mjs';
import { mutateBytes } from './bytes.mjs';
import { instructions, named, putTogether, takeApart } from './instructions.mjs';
import { interesting } from './random.mjs';

/** Names and texts with a meaning in checkpoints. */
const words = [
  'torch._utils\n_rebuild_tensor_v2\n',
  'torch._utils\n_rebuild_tensor_v3\n',
  'torch._utils\n_rebuild_tensor\n',
  'torch._utils\n_rebuild_parameter\n',
  'torch._utils\n_rebuild_parameter_with_state\n',
  'torch._tensor\n_rebuild_from_type_v2\n',
  'torch._utils\n_rebuild_sparse_tensor\n',
  'torch.storage\nUntypedStorage\n',
  'torch\nFloatTensor\n',
  'torch\nSize\n',
  'torch\nuint16\n',
  'torch.nn.parameter\nParameter\n',
  'collections\nOrderedDict\n',
  'builtins\nset\n',
  '_codecs\nencode\n',
  'numpy\ndtype\n',
  'numpy.core.multiarray\nscalar\n',
  'numpy.core.multiarray\n_reconstruct\n',
  '__main__\nNet\n',
  'os\nsystem\n',
  ...['Float', 'Double', 'Half', 'BFloat16', 'Long', 'Int', 'Short', 'Char', 'Byte', 'Bool', 'QInt8'].map(
    (type) => `torch\n${type}Storage\n`,
  ),
];
const texts = [
  'storage',
  '0',
  '1',
  '2',
  'cpu',
  'cuda:0',
  '',
  '../0',
  '0\0',
  '__proto__',
  '_metadata',
  'weight',
  'module.a',
]
  .concat([
    '_modules',
    '_parameters',
    '_buffers',
    '_non_persistent_buffers_set',
    'model',
    'param_groups',
    'conj',
    'latin1',
  ])
  .concat(['f8', '<', '>', 'größe', 'x'.repeat(300)]);

/** An instruction that puts an integer on the stack. */
function integer(value) {
  if (value >= 0n && value < 256n) return { ...named('BININT1'), operand: Buffer.from([Number(value)]) };
  const operand = Buffer.alloc(9);
  operand.writeBigInt64LE(BigInt.asIntN(64, value));
  operand[8] = value < 0n ? 255 : value >= 2n ** 64n ? 1 : 0;
  return { ...named('LONG1'), operand };
}

function operandFor({ name, kind, width }, random) {
  if (/^(GLOBAL|INST)$/.test(name)) return Buffer.from(random.pick(words));
  if (kind === '|') return Buffer.from('1\n'.repeat(width));
  if (/^(LONG1|LONG4)$/.test(name)) return integer(interesting(random)).operand;
  if (kind === '+') return Buffer.from(random.pick(texts));
  if (name === 'PROTO') return Buffer.from([random.below(7)]);
  if (/PUT|GET/.test(name)) return Buffer.concat([Buffer.from([random.below(12)]), Buffer.alloc(width - 1)]);
  return random.bytes(width);
}

export function anyInstruction(random) {
  const instruction = random.pick(instructions);
  return { ...instruction, operand: operandFor(instruction, random) };
}

const isInteger = ({ name }) => /^(BININT\d?|LONG\d)$/.test(name);
const isText = ({ name }) => /UNICODE|STRING/.test(name);

const changes = {
  number(list, random) {
    const at = placeOf(list, isInteger, random);
    if (at >= 0) list[at] = integer(interesting(random));
  },
  text(list, random) {
    const at = placeOf(list, isText, random);
    if (at >= 0) list[at] = { ...list[at], operand: Buffer.from(random.pick(texts)) };
  },
  name(list, random) {
    const at = placeOf(list, ({ name }) => name === 'GLOBAL', random);
    if (at >= 0) list[at] = { ...list[at], operand: Buffer.from(random.pick(words)) };
  },
  operand(list, random) {
    const at = random.below(list.length);
    list[at] = { ...list[at], operand: operandFor(list[at], random) };
  },
  length(list, random) {
    const at = placeOf(list, ({ kind }) => kind === '+', random);
    if (at >= 0) list[at] = { ...list[at], length: BigInt.asUintN(64, interesting(random)) };
  },
  remove(list, random) {
    list.splice(random.below(list.length), 1 + random.small(4));
  },
  insert(list, random) {
    list.splice(random.below(list.length), 0, anyInstruction(random));
  },
  replace(list, random) {
    list[random.below(list.length)] = anyInstruction(random);
  },
  swap(list, random) {
    const [a, b] = [random.below(list.length), random.below(list.length)];
    [list[a], list[b]] = [list[b], list[a]];
  },
  repeat(list, random) {
    const from = random.below(list.length);
    const part = list.slice(from, from + 1 + random.below(30));
    const times = random.once(20) ? 200 : 1 + random.below(3);
    list.splice(random.below(list.length), 0, ...Array(times).fill(part).flat());
  },
};

/** Returns the index of an instruction that `wanted` accepts, or -1. */
function placeOf(list, wanted, random) {
  const places = list.flatMap((instruction, at) => (wanted(instruction) ? [at] : []));
  return places.length > 0 ? random.pick(places) : -1;
}

/** A valid pickle with one or a few instructions changed. */
export function mutatePickle(pickle, random) {
  if (random.once(8)) return mutateBytes(pickle, random);
  const list = takeApart(pickle);
  for (let left = 1 + random.small(5); left > 0 && list.length > 0; left--) {
    random.pick(Object.values(changes))(list, random);
  }
  return putTogether(list);
}

/** Number of values that instructions take; MARKs are handled by name. */
const takes = { REDUCE: 2, NEWOBJ: 2, NEWOBJ_EX: 3, BUILD: 2, APPEND: 2, SETITEM: 3, TUPLE1: 1, TUPLE2: 2, TUPLE3: 3 };
const moreTakes = { STACK_GLOBAL: 2, BINPERSID: 1, BINPUT: 1, LONG_BINPUT: 1, MEMOIZE: 1, POP: 1, DUP: 1 };
const needed = new Map(Object.entries({ ...takes, ...moreTakes }));
const gives = { POP: 0, DUP: 2 };
const toMark = /^(TUPLE|APPENDS|SETITEMS|ADDITEMS|FROZENSET|POP_MARK|DICT|LIST|OBJ|INST)$/;

/** Prefix and suffix of a program, so that its values are read: a list next to weights. */
const frame = [
  [
    p.emptyDict,
    p.mark,
    p.text('model'),
    p.emptyDict,
    p.text('weight'),
    tensor(),
    p.setItem,
    p.text('extra'),
    p.emptyList,
    p.mark,
  ],
  [p.appends, p.setItems],
].map((parts) => takeApart(join(parts)));

/** A program in which almost every instruction finds its values. */
export function makePickle(random) {
  const [before, after] = random.once(4) ? [[], []] : frame;
  const program = [...before];
  let values = 0;
  const marks = [];
  for (let left = 10 + random.below(200); left > 0; left--) {
    const instruction = anyInstruction(random);
    const { name } = instruction;
    const floor = marks.at(-1) ?? 0;
    if (/^(STOP|PROTO|FRAME|EXT\d|NEXT_BUFFER|READONLY_BUFFER)$/.test(name) && !random.once(50)) continue;
    if (values - floor < (needed.get(name) ?? 0)) continue;
    if (toMark.test(name)) {
      if (marks.length === 0) continue;
      values = marks.pop() + (/^(TUPLE|FROZENSET|DICT|LIST|OBJ|INST)$/.test(name) ? 1 : 0);
    } else if (name === 'MARK') {
      marks.push(values);
    } else {
      values += (/PUT|MEMOIZE/.test(name) ? 1 : (gives[name] ?? 1)) - (needed.get(name) ?? 0);
    }
    program.push(instruction);
  }
  for (; marks.length > 0; values = marks.pop() + 1) program.push({ ...named('TUPLE'), operand: Buffer.alloc(0) });
  return join(p.proto(2 + random.below(4)), putTogether(program), putTogether(after), p.stop);
}
