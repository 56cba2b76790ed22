// Makes pickle programs that are small and valid, but take a long time or much memory in a reader without limits.
import { call, checkpoint, join, p, pickle, tensor, tupleOf, u32 } from '../unit/checkpoint-support.mjs';
import { dict, list, pickled, training } from './build.mjs';

const stopped = (...parts) => checkpoint(pickled(...parts));
const many = (count, instruction) => Buffer.alloc(count * Buffer.byteLength(instruction), instruction, 'latin1');

/** The inverse of `value` ^ (`value` >>> `shift`). */
function unshift(value, shift) {
  let result = value;
  for (let known = shift; known < 32; known += shift) result = value ^ (result >>> shift);
  return result;
}

/** Integers whose hashes in V8 (ComputeUnseededHash) end in 16 zero bits, so a Map of them is one long chain. */
function colliding(count) {
  const found = [];
  for (let i = 0; found.length < count; i++) {
    let hash = Math.imul(unshift(i << 16, 16), 0xc8de0639); // * 2057 backwards
    hash = Math.imul(unshift(hash, 4), 0xcccccccd); // * 5
    hash = Math.imul(unshift(hash, 12) + 1, 0xbfff7fff); // * 32767 - 1
    if (hash >= 0) found.push(hash);
  }
  return found;
}

/** Lists that contain the previous list twice: 60 of them are 2**60 lists when they are walked as a tree. */
const laughs = list(
  [p.emptyList, p.put(0)],
  Array.from({ length: 60 }, (_, i) => [list(p.get(i), p.get(i)), p.put(i + 1)]),
);

/** An array of bytes as it is pickled. */
const numpyArray = (length) => [
  call('numpy.core.multiarray', '_reconstruct', p.global('numpy', 'ndarray'), tupleOf([p.int(0)]), p.text('b')),
  tupleOf([
    [p.int(1), tupleOf([p.int(length)])],
    [call('numpy', 'dtype', p.text('u1'), p.false, p.true), tupleOf([p.int(3), p.text('|')]), p.build],
    [p.false, 'B', u32(length), Buffer.alloc(length)],
  ]),
  p.build,
];

const keys = (count, value) => Array.from({ length: count }, (_, i) => [p.text(`k${i}`), value]);
const module = (parameters, modules, ...rest) => [
  [p.global('__main__', 'Net'), p.emptyTuple, p.newobj],
  dict(p.text('_parameters'), parameters, p.text('_modules'), modules, ...rest),
  p.build,
];

/** Programs that are small and valid, but take a long time or much memory in a reader without limits. */
export const bounded = {
  'a set of 30,000 numbers of one hash': [
    checkpoint(training(call('builtins', 'set', list(colliding(30_000).map(p.int))))),
  ],
  'a frozen set of 30,000 numbers of one hash': [
    checkpoint(training([p.mark, colliding(30_000).map(p.int), Buffer.from([0x91])])),
  ],
  'a Counter of 30,000 numbers of one hash': [
    checkpoint(
      training([
        call('collections', 'Counter'),
        p.mark,
        colliding(30_000).map((key) => [p.int(key), p.none]),
        p.setItems,
      ]),
    ),
  ],
  "30,000 keys of NumPy's numbers of one hash": [
    checkpoint(
      training([
        [p.emptyList, p.global('numpy.core.multiarray', 'scalar'), p.put(0), p.append],
        [
          call('numpy', 'dtype', p.text('i4'), p.false, p.true),
          tupleOf([p.int(3), p.text('<')]),
          p.build,
          p.put(1),
          p.append,
        ],
        [p.emptyDict, p.mark],
        colliding(30_000).map((key) => [p.get(0), p.get(1), 'C\x04', u32(key), p.tuple2, p.reduce, p.none]),
        [p.setItems, p.append],
      ]),
    ),
  ],
  'dicts in dicts in dicts, each held by 2,000 keys': [
    checkpoint(
      pickle(null, [
        [p.text('c'), dict(keys(2000, p.none)), p.put(1)],
        [p.text('b'), dict(keys(2000, p.get(1))), p.put(2)],
        keys(2000, p.get(2)),
      ]),
    ),
  ],
  'a module held by 1,000 keys, which holds 2**15 others': [
    checkpoint(
      pickle(null, [
        [p.text('m0'), module(p.emptyDict, p.emptyDict), p.put(0)],
        Array.from({ length: 15 }, (_, i) => [
          [p.text(`m${i + 1}`), module(p.emptyDict, dict(p.text('a'), p.get(i), p.text('b'), p.get(i))), p.put(i + 1)],
        ]),
        keys(1000, p.get(15)),
      ]),
    ),
  ],
  'a module of 30,000 buffers and as many names of hidden ones': [
    checkpoint(
      pickled(
        module(
          p.emptyDict,
          p.emptyDict,
          [p.text('_buffers'), dict(p.text('k'), [tensor(), p.put(0)], keys(30_000, p.get(0)))],
          [
            p.text('_non_persistent_buffers_set'),
            call('builtins', 'set', list(Array.from({ length: 30_000 }, (_, i) => p.text(`h${i}`)))),
          ],
        ),
      ),
    ),
  ],
  'a key that is a tree of 2**60 tuples': [
    checkpoint(
      pickle(null, [
        [p.text('weight'), tensor()],
        [tupleOf([]), p.put(0), Array.from({ length: 60 }, (_, i) => [p.get(i), p.tuple2, p.put(i + 1)])],
        p.none,
      ]),
    ),
  ],
  'an OrderedDict made 10,000 times from the same 10,000 pairs': [
    checkpoint(
      training([
        [p.emptyList, p.global('collections', 'OrderedDict'), p.put(0)],
        [list(Array.from({ length: 10_000 }, (_, i) => list(p.int(i), p.none))), p.tuple1, p.put(1), p.append],
        [p.mark, many(10_000, 'h\0h\x01R'), p.appends],
      ]),
    ),
  ],
  'a set made 100,000 times from a list of 10,000': [
    checkpoint(
      training([
        [p.emptyList, p.global('builtins', 'set'), p.put(0)],
        [list(Array.from({ length: 10_000 }, (_, i) => p.int(i))), p.tuple1, p.put(1), p.append],
        [p.mark, many(100_000, 'h\0h\x01R'), p.appends],
      ]),
    ),
  ],
  'bytes made 100,000 times from a text of a megabyte': [
    checkpoint(
      training([
        [p.emptyList, p.global('_codecs', 'encode'), p.put(0)],
        [p.text('t'.repeat(2 ** 20)), p.text('latin1'), p.tuple2, p.put(1), p.append],
        [p.mark, many(100_000, 'h\0h\x01R'), p.appends],
      ]),
    ),
  ],
  'numbers of NumPy made 100,000 times from bytes of a megabyte': [
    checkpoint(
      training([
        [p.emptyList, p.global('numpy.core.multiarray', 'scalar'), p.put(0)],
        [call('numpy', 'dtype', p.text('u1'), p.false, p.true), tupleOf([p.int(3), p.text('|')]), p.build],
        [call('_codecs', 'encode', p.text('t'.repeat(2 ** 20)), p.text('latin1')), p.tuple2, p.put(1), p.append],
        [p.mark, many(100_000, 'h\0h\x01R'), p.appends],
      ]),
    ),
  ],
  'an array of NumPy of 30 million numbers': [() => checkpoint(training(numpyArray(30_000_000)))],
  'modules that hold 10,000 hidden names each, made of one list': [
    checkpoint(
      pickled(
        [call('builtins', 'set', list(Array.from({ length: 10_000 }, (_, i) => p.text(`h${i}`)))), p.put(5000)],
        [p.emptyList, p.put(5001), p.append],
        [module(p.emptyDict, p.emptyDict, p.text('_non_persistent_buffers_set'), p.get(5000)), p.put(0), p.append],
        [p.emptyDict, p.mark],
        Array.from({ length: 1000 }, (_, i) => [
          p.text(`m${i}`),
          module(p.emptyDict, dict(p.text('a'), p.get(0)), p.text('_non_persistent_buffers_set'), p.get(5000)),
        ]),
        [p.setItems, p.append],
      ),
    ),
  ],
  '20,000 names of 250 dots': [
    checkpoint(
      training(
        list(Array.from({ length: 20_000 }, (_, i) => p.global(`${'a.'.repeat(120)}b${i}`, `${'a.'.repeat(120)}c`))),
      ),
    ),
  ],
  'a million tensors beside the weights, made of one': [
    checkpoint(
      training([
        [p.emptyList, p.mark, p.global('torch._utils', '_rebuild_tensor_v2'), p.put(0)],
        [tensor().slice(1, -1), p.put(1), p.reduce],
        many(1_000_000, 'h\0h\x01R'),
        p.appends,
      ]),
    ),
  ],
  'a million calls beside the weights': [
    checkpoint(
      training([[p.emptyList, p.mark, p.global('__main__', 'A'), p.put(0)], many(1_000_000, 'h\0)R'), p.appends]),
    ),
  ],
  'five million numbers beside the weights': [checkpoint(training(list(many(5_000_000, 'K\x07'))))],
  'a tree of 2**60 lists beside the weights': [checkpoint(training(laughs))],
};

export const hostile = {
  'a tree of 2**60 lists': [checkpoint(pickle(laughs)), /\["weight"\]/],

  'two million instructions that do nothing': [stopped(p.none, many(2_000_000, 'q\0'), p.none), /2 values/],
  'two million marks': [stopped(many(2_000_000, '(')), /values/],
  'two million values': [stopped(many(2_000_000, 'N')), /2000000 values/],
  '100,000 keys that are not tensors': [
    checkpoint(
      pickle(
        null,
        Array.from({ length: 100_000 }, (_, i) => [p.text(`key ${i}`), p.none]),
      ),
    ),
    /"key 0"/,
  ],
  '100,000 unknown names': [
    checkpoint(pickle(list(Array.from({ length: 100_000 }, (_, i) => p.global('__main__', `C${i}`))))),
    /__main__\.C0/,
    'ERR_STATE_UNSAFE',
  ],
  '30,000 memo numbers of one hash': [stopped(p.none, colliding(30_000).map(p.put), p.none), /cannot have that number/],
  '30,000 keys of one hash': [
    checkpoint(
      pickle(
        null,
        colliding(30_000).map((key) => [p.int(key), p.none]),
      ),
    ),
    /more than 10000 numbers/,
  ],
  'a key of a megabyte': [checkpoint(pickle(null, [p.text('k'.repeat(2 ** 20)), p.none])), /k{100}/],
  'a key with escape sequences': [checkpoint(pickle(null, [p.text('\x1b[2J\x9b31m\r\n'), p.none])), /\\u009b/],
  'a pickle of 65 MiB': [() => checkpoint(join(p.proto(), many(65 * 2 ** 20, 'N'), p.stop)), /larger than/],
};
