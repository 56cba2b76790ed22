// Makes pickle programs that underflow, overflow, recurse, alias, cycle, have wrong lengths, use instructions that checkpoints
// never hold, or end wrongly. Those that name code are in code.mjs.
import { call, checkpoint, join, p, pickle, tensor, tupleOf, u8, u16, u32, u64 } from '../unit/checkpoint-support.mjs';
import { dict, list, training } from './build.mjs';

const program = (...parts) => checkpoint(join(p.proto(), ...parts));
const stopped = (...parts) => program(...parts, p.stop);
const many = (count, instruction) => Buffer.alloc(count * Buffer.byteLength(instruction), instruction, 'latin1');

/** Instructions that protocols from 2 on do not need, or that use data outside the file: name, code, operands. */
const instructions = [
  ['EXT1', 0x82, u8(1)],
  ['EXT2', 0x83, u16(1)],
  ['EXT4', 0x84, u32(1)],
  ['INST', 0x69, '__main__\nNet\n'],
  ['OBJ', 0x6f, ''],
  ['PERSID', 0x50, 'storage\n'],
  ['GET', 0x67, '0\n'],
  ['PUT', 0x70, '0\n'],
  ['INT', 0x49, '1\n'],
  ['LONG', 0x4c, '1L\n'],
  ['FLOAT', 0x46, '1.0\n'],
  ['STRING', 0x53, "'x'\n"],
  ['UNICODE', 0x56, 'x\n'],
  ['DUP', 0x32, ''],
  ['DICT', 0x64, ''],
  ['LIST', 0x6c, ''],
  ['NEXT_BUFFER', 0x97, ''],
  ['READONLY_BUFFER', 0x98, ''],
  ['an unknown code', 0x99, ''],
  ['code 0', 0x00, ''],
  ['code 255', 0xff, ''],
];

/** Those that call or name something. */
const calling = new Set(['EXT1', 'EXT2', 'EXT4', 'INST', 'OBJ']);

const nested = (depth, open, close) => [Array(depth).fill(open), Array(depth).fill(close)];
const long = (width, value) => join(u8(0x8a), u8(width), Buffer.alloc(width, value));

const pairs = list(tupleOf([p.text('weight'), tensor()]));
const float = (value) => ['G', Buffer.from(value, 'hex')];
/** Keys that Python treats as equal, and values that cannot be keys. */
const keyed = (...keys) => checkpoint(training(dict(keys.map((key) => [key, p.none]))));
const frame = (length, ...parts) => program([0x95, u64(length)], ...parts);

export const hostile = {
  'an OrderedDict that NEWOBJ makes from pairs': [
    stopped(p.global('collections', 'OrderedDict'), tupleOf([pairs]), p.newobj),
    /made from something/,
  ],
  'a state dict that is given attributes twice': [
    stopped([
      call('collections', 'OrderedDict'),
      p.text('weight'),
      tensor(),
      p.setItem,
      p.emptyDict,
      p.build,
      p.emptyDict,
      p.build,
    ]),
    /given a state twice/,
  ],
  'arguments that are a list': [
    checkpoint(training([p.global('argparse', 'Namespace'), p.emptyList, p.reduce])),
    /as its arguments/,
  ],
  'the keys 1 and 1.0': [keyed(p.int(1), float('3ff0000000000000')), /the key .* twice/],
  'the keys 1 and True': [keyed(p.int(1), p.true), /the key .* twice/],
  'the keys 0 and -0.0': [keyed(p.int(0), float('8000000000000000')), /the key .* twice/],
  'the keys 1.0 and 1.0': [keyed(float('3ff0000000000000'), float('3ff0000000000000')), /the key .* twice/],
  'the keys 2**70 and 2.0**70': [keyed([0x8a, 9, Buffer.alloc(8), 64], float('4450000000000000')), /the key .* twice/],
  'equal tuples as keys': [keyed(tupleOf([p.int(1)]), tupleOf([p.true])), /the key .* twice/],
  'equal bytes as keys': [keyed('C\x01x', 'C\x01x'), /the key .* twice/],
  'equal keys beside the weights in one dict': [
    checkpoint(pickle(null, [p.text('weight'), tensor(), p.int(1), p.none, p.true, p.none])),
    /the key .* twice/,
  ],
  'a list as a key': [keyed(p.emptyList), /a key that can change/],
  'a dict in a tuple as a key': [keyed(tupleOf([p.emptyDict])), /a key that can change/],
  'a bytearray as a key': [keyed([0x96, u64(1), 'x']), /a key that can change/],
  'a set of lists': [
    checkpoint(training(call('builtins', 'set', list(p.emptyList)))),
    /a set of something that can change/,
  ],
  'an instruction that reaches over the end of a frame': [
    frame(3, p.text('weight'), p.stop),
    /over the end of a frame/,
  ],
  'a frame in a frame': [frame(20, [0x95, u64(4)], p.emptyDict, p.stop, Buffer.alloc(20)), /begins in another/],
  'an empty pickle': [checkpoint(''), /cut|protocol/],
  'a pickle of protocol 0': [checkpoint('(dp0\n.'), /protocol 2 to 5/],
  'a pickle of protocol 1': [checkpoint('}q\0.'), /protocol 2 to 5/],
  'a pickle of protocol 6': [checkpoint(join(p.proto(6), p.none, p.stop)), /protocol 6/],
  'a pickle of two protocols': [program(p.proto(), pickle().subarray(2)), /protocol 2/],
  'a pickle without an end': [checkpoint(pickle().subarray(0, -1)), /cut/],
  'bytes after the end': [checkpoint(join(pickle(), 'N.')), /2 bytes follow its end/],
  'a second pickle after the end': [checkpoint(join(pickle(), pickle())), /follow its end/],
  'two values': [stopped(p.none, p.none), /ends with 2 values/],
  'no value': [stopped(), /ends with 0 values/],
  'an open mark at the end': [stopped(p.emptyDict, p.mark), /ends with 1 values/],
  'an instruction that takes too much': [stopped(p.reduce), /more values than there are/],
  'an instruction that takes what is below a mark': [
    stopped(p.emptyList, p.mark, p.append),
    /more values than there are/,
  ],
  'a tuple of more than there is': [stopped(p.none, p.tuple3), /more values than there are/],
  'a memo of nothing': [stopped(p.put(0)), /more values than there are/],
  'a memo of nothing, by MEMOIZE': [checkpoint(join(p.proto(4), p.memoize, p.stop)), /more values than there are/],
  'a group that was not begun': [stopped(p.tuple), /never began/],
  'items that were not begun': [stopped(p.emptyDict, p.setItems), /never began/],
  'a key without a value': [checkpoint(pickle(null, [p.text('weight')])), /a key has no value/],
  ...Object.fromEntries(
    instructions.map(([name, code, operands]) => [
      `the instruction ${name}`,
      [
        stopped(p.mark, p.none, u8(code), operands),
        /instruction 0x[0-9a-f]{2}/,
        calling.has(name) ? 'ERR_STATE_UNSAFE' : 'ERR_STATE_FORMAT',
      ],
    ]),
  ),

  'a memo that does not exist': [stopped(p.get(7)), /value 7/],
  'a memo at the largest number': [stopped(p.none, p.put(0xffffffff), p.get(0xfffffffe)), /429496729/],
  'a text longer than the pickle': [stopped('X', u32(500_000)), /cut/],
  'a text of gigabytes': [stopped('X', u32(0xfffffff0)), /too long/],
  'bytes of gigabytes': [checkpoint(join(p.proto(3), 'B', u32(0xfffffff0), p.stop)), /too long|cut/],
  'a text that is not UTF-8': [stopped('X', u32(1), [0xff]), /UTF-8/],
  'a surrogate pair of two characters': [
    stopped('X', u32(6), [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]),
    /surrogate pair as two/,
  ],
  'a text of half a surrogate pair': [stopped('X', u32(3), [0xed, 0xa0, 0x80]), /the string "\\ud800"/],
  'a text in overlong UTF-8': [stopped('X', u32(2), [0xc0, 0x80]), /UTF-8/],
  'a key that is cut': [program(p.emptyDict, 'X', u32(5), 'ab'), /cut/],
  'a number that is cut': [program('J', [1, 2]), /cut/],
  'a long number that is cut': [program([0x8a, 200], Buffer.alloc(10)), /cut/],
  'a long number of 2 GB': [stopped([0x8b], u32(0x7fffffff)), /2147483647 bytes is too long/],
  'an offset of 255 bytes': [
    checkpoint(
      pickle([
        p.global('torch._utils', '_rebuild_tensor_v2'),
        tupleOf([p.none, long(255, 0x7f), p.emptyTuple, p.emptyTuple, p.false, p.none]),
        p.reduce,
      ]),
    ),
    /255 bytes is too long/,
  ],
  'a frame longer than the pickle': [checkpoint(join(p.proto(4), [0x95], u64(2n ** 60n), p.stop)), /frame/],
  'a frame that is cut': [checkpoint(join(p.proto(4), [0x95], [1, 2])), /cut/],
  'a name without an end': [program('cos\nsystem'), /name of a global does not end|cut/],
  'a name of a megabyte': [stopped('c', many(2 ** 20, 'a'), '\nb\n'), /name of a global/],
  'a name that is not UTF-8': [stopped('c', [0xff], '\nb\n'), /UTF-8/],
  'a name of numbers': [checkpoint(join(p.proto(4), p.int(1), p.int(2), p.stackGlobal, p.stop)), /global/],

  'items put into a number': [stopped(p.int(1), p.int(0), p.int(0), p.setItem), /cannot take items/],
  'items put into a tuple': [stopped(p.emptyTuple, p.int(0), p.int(0), p.setItem), /cannot take items/],
  'items put into a list': [stopped(p.emptyList, p.int(0), p.int(0), p.setItem), /cannot take items/],
  'items appended to a dict': [stopped(p.emptyDict, p.int(0), p.append), /cannot be appended/],
  'items appended to a text': [stopped(p.text('a'), p.text('b'), p.append), /cannot be appended/],
  'a state given to a list': [stopped(p.emptyList, p.none, p.build), /cannot take the state/],
  'a state that is not a dict': [stopped(p.emptyDict, p.int(1), p.build), /state|_metadata/],
  'a call of a number': [checkpoint(pickle([p.int(1), p.emptyTuple, p.reduce])), /is a call/],
  'the same key twice': [
    checkpoint(pickle(null, [p.text('__proto__'), tensor(), p.text('__proto__'), tensor()])),
    /"__proto__" twice/,
  ],
  'a list that holds itself': [stopped(p.emptyList, p.put(0), p.get(0), p.append), /a list of 1/],
  'a dict that is its own key': [stopped(p.emptyDict, p.put(0), p.get(0), tensor(), p.setItem), /a dict of 1/],
  'a tensor made of itself': [
    checkpoint(pickle([tensor(), p.put(0), dict(p.text('x'), p.get(0)), p.build])),
    /not a valid tensor/,
  ],
  'a list that holds itself beside the weights': [
    checkpoint(training([p.emptyList, p.put(77), p.get(77), p.append])),
    /\["extra"\].* contains itself/,
  ],
  'lists 50,000 deep beside the weights': [
    checkpoint(training([many(50_000, ']'), many(49_999, 'a')])),
    /nested deeper than 256/,
  ],
  'a number of 255 bytes beside the weights': [checkpoint(training(long(255, 0x11))), /255 bytes is too long/],
  'tuples 200,000 deep': [stopped(p.emptyTuple, Buffer.alloc(200_000, 0x85)), /a tuple of 1/],
  'tuples 200,000 deep for a tensor': [checkpoint(pickle([p.emptyTuple, Buffer.alloc(200_000, 0x85)])), /a tuple/],
  'lists 200,000 deep': [stopped(many(200_000, ']'), many(199_999, 'a')), /a list of 1/],
  'dicts 100,000 deep': [
    stopped(...nested(100_000, [p.emptyDict, p.text('a')], p.setItem).toSpliced(1, 0, p.none)),
    /a dict of 1/,
  ],
  'calls 100,000 deep': [
    checkpoint(
      pickle(nested(100_000, p.global('torch', 'Size'), [p.tuple1, p.reduce]).toSpliced(1, 0, [p.emptyTuple])),
    ),
    /torch\.Size/,
  ],
  'storages 100,000 deep': [checkpoint(pickle([p.none, many(100_000, 'Q')])), /is a storage/],
  'attributes 100,000 deep': [stopped(many(100_000, '}'), many(99_999, 'b')), /cannot take the state/],
};

const withProtocol = (version) => checkpoint(join(p.proto(version), pickle().subarray(2)));

export const benign = {
  ...Object.fromEntries([2, 3, 4, 5].map((version) => [`protocol ${version}`, [withProtocol(version)]])),
  'a frame': [checkpoint(join(p.proto(4), [0x95], u64(pickle().length - 2), pickle().subarray(2)))],
  'names by STACK_GLOBAL': [
    checkpoint(
      join(
        p.proto(4),
        [p.emptyDict, p.text('weight'), p.text('torch._utils'), p.text('_rebuild_tensor_v2'), p.stackGlobal],
        tensor().slice(1),
        [p.setItem, p.stop],
      ),
    ),
  ],
  'names from the memo': [
    checkpoint(
      pickle(null, [
        [p.text('a'), p.global('torch._utils', '_rebuild_tensor_v2'), p.put(9), tensor().slice(1)],
        [p.text('b'), p.get(9), tensor().slice(1)],
      ]),
    ),
    { a: ['float32', [2, 2], [1, 2, 3, 4]], b: ['float32', [2, 2], [1, 2, 3, 4]] },
  ],
  'memo numbers that are used again': [
    checkpoint(pickle(null, [p.text('a'), p.put(0), tensor(), p.put(0), p.text('b'), p.get(0)])),
    { a: ['float32', [2, 2], [1, 2, 3, 4]], b: ['float32', [2, 2], [1, 2, 3, 4]] },
  ],
  "Python 2's short texts": [checkpoint(pickle(null, ['U', u8(6), 'weight', tensor()]))],
  'names that JavaScript has uses for': [
    checkpoint(
      pickle(
        null,
        ['__proto__', 'constructor', 'toString'].flatMap((name) => [p.text(name), tensor()]),
      ),
    ),
    Object.fromEntries(
      [['__proto__'], ['constructor'], ['toString']].map(([name]) => [name, ['float32', [2, 2], [1, 2, 3, 4]]]),
    ),
  ],
  'a training checkpoint': [
    checkpoint(training(dict(p.text('epoch'), p.int(3)))),
    undefined,
    { options: { key: 'model' } },
  ],
  'a training checkpoint with one place for weights': [checkpoint(training(p.int(3)))],
  '200,000 numbers beside the weights': [checkpoint(training(list(many(200_000, 'K\x07'))))],
};
