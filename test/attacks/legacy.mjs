// Makes files in the format before PyTorch 1.6: consecutive pickles, then the storages. With wrong marks, views outside their root, missing,
// repeated or unknown storages, other byte order, trailing bytes.
import { call, join, p, pickle, tensor, tupleOf, u64 } from '../unit/checkpoint-support.mjs';
import { dict, four, legacy, legacyStorage, legacyTensor, list, magic, pickled, view } from './build.mjs';

const one = (changes) => legacy({ object: pickle(legacyTensor(changes)) });
const from = (reference) => legacy({ object: pickle(tensor({ from: reference })) });
const info = (...items) => legacy({ system: pickled(dict(...items)) });
const touch = call('os', 'system', p.text('touch canary'));
const unsafe = (content) => [content, /os\.system/, 'ERR_STATE_UNSAFE'];
const good = legacy();
const plainStorage = [
  tupleOf([p.text('storage'), p.global('torch', 'FloatStorage'), p.text('7'), p.text('cpu'), p.int(4)]),
  p.persid,
];

export const hostile = {
  'another magic number': [
    legacy({ start: pickled([0x8a, 10], Buffer.from('6cfc9c46f9206aa85018', 'hex')) }),
    /magic number/,
  ],
  'a magic number of another width': [
    legacy({ start: pickled([0x8a, 11], magic.subarray(4, 14), [0]) }),
    /plain pickle/,
  ],
  'a magic number alone': [magic, /cut/],
  'protocol 1000': [legacy({ version: pickled(p.int(1000)) }), /1000/],
  'a protocol that is a text': [legacy({ version: pickled(p.text('1001')) }), /protocol/],
  'facts of the system that are a list': [legacy({ system: pickled(p.emptyList) }), /a list of 0/],
  'code beside the magic number': unsafe(legacy({ start: join(magic.subarray(0, -1), touch, p.tuple2, p.stop) })),
  'code in place of the protocol': unsafe(legacy({ version: pickled(touch) })),
  'code beside the facts of the system': unsafe(info(p.text('little_endian'), p.true, p.text('x'), touch)),
  'code in place of the facts of the system': unsafe(legacy({ system: pickled(touch) })),
  'code in place of a tensor': unsafe(legacy({ object: pickle(touch) })),
  'code in place of a storage': unsafe(from(touch)),
  'code in the list of storages': unsafe(legacy({ keyList: pickled(list(touch)) })),
  'code in place of the list of storages': unsafe(legacy({ keyList: pickled(touch) })),
  'code beside the weights': unsafe(
    legacy({ object: pickle(null, [p.text('model'), dict(p.text('weight'), legacyTensor()), p.text('extra'), touch]) }),
  ),
  'a whole pickled model': [
    from([tupleOf([p.text('module'), p.global('__main__', 'Net'), p.text('net.py'), p.text('pass')]), p.persid]),
    /Expected a storage|module|__main__\.Net/,
    null,
  ],

  'a stream that ends after the object': [good.subarray(0, good.length - 60), /cut/],
  'a stream that is cut in a storage': [good.subarray(0, -1), /cut|bytes/],
  'a stream that is cut in a count': [good.subarray(0, -20), /cut|bytes/],
  'bytes after the last storage': [legacy({ tail: 'junk' }), /follow/],
  'a storage after the last': [
    legacy({
      storages: [
        [4, four],
        [4, four],
      ],
    }),
    /follow/,
  ],
  'a storage that is missing in the list': [legacy({ keys: [], storages: [] }), /7/],
  'a storage that the list names twice': [legacy({ keys: ['7', '7'] }), /twice/],
  'a storage that no tensor uses': [legacy({ keys: ['7', '8'] }), /8/],
  'a storage of another key': [legacy({ keys: ['8'] }), /7|8/],
  'a list of storages that is a tuple': [legacy({ keyList: pickled(tupleOf([p.text('7')])) }), /list/],
  'a list of storages that holds numbers': [legacy({ keyList: pickled(list(p.int(7))) }), /the number 7/],
  'a storage with fewer elements than the object says': [legacy({ storages: [[3, four.subarray(0, 12)]] }), /cut/],
  'a storage with more elements than the object says': [legacy({ storages: [[5, join(four, [0, 0, 0, 0])]] }), /5/],
  'a storage of -1 elements': [legacy({ storages: [[-1, four]] }), /-1/],
  'a storage of 2**62 elements': [
    legacy({ object: pickle(legacyTensor({ numel: 2n ** 62n })), storages: [[2n ** 62n, four]] }),
    /number of elements/,
  ],
  'a storage of 2**61 elements, which wraps to none': [
    legacy({ object: pickle(legacyTensor({ numel: 2n ** 62n })), storages: [[2n ** 62n, '']] }),
    /number of elements/,
  ],
  'a storage of a negative size': [one({ numel: -4 }), /-4/],
  'a storage of an unknown type': [one({ type: 'torch UnknownStorage' }), /UnknownStorage/],
  'a storage of two types': [
    legacy({
      object: pickle(null, [p.text('a'), legacyTensor(), p.text('b'), legacyTensor({ type: 'torch IntStorage' })]),
    }),
    /IntStorage/,
  ],
  'a storage of five facts, as in a zip': [from(plainStorage), /storage/],
  'a storage of seven facts': [from(legacyStorage({ rest: [p.none] })), /storage/],
  'a shape larger than the storage': [one({ shape: [2, 3], stride: [3, 1] }), /needs 6/],
  'an offset past the storage': [one({ offset: 1 }), /needs 5/],
  'a view that ends outside its root': [one({ view: view('9', 2, 4) }), /view/],
  'a view that starts outside its root': [one({ view: view('9', 5, 0), shape: [0], stride: [1] }), /view/],
  'a view with a negative offset': [one({ view: view('9', -2, 2) }), /view/],
  'a view whose end wraps around 64 bits': [one({ view: view('9', 2n ** 63n - 1n, 2n ** 63n - 1n) }), /view/],
  'a view that is a list': [one({ view: list(p.text('9'), p.int(0), p.int(4)) }), /view/],
  'a view of two facts': [one({ view: tupleOf([p.text('9'), p.int(0)]) }), /view/],
  'a view smaller than the tensor in it': [one({ view: view('9', 2, 2) }), /needs 4/],
  'a number for a state dict': [legacy({ object: pickled(p.int(1)), keys: [] }), /the number 1/],
  'an object of megabytes of nothing': [
    legacy({ object: pickled(p.none, Buffer.alloc(2 ** 21, 'q\0')) }),
    /no tensor lies in it/,
  ],
  'a legacy stream that is named as if it were a zip': [join(good.subarray(0, 40), 'PK\x03\x04'), /cut/],
};

const halves = (name, offset) => [p.text(name), legacyTensor({ view: view(name, offset, 2), shape: [2], stride: [1] })];

export const benign = {
  'one tensor': [good],
  'a machine that says it is big-endian': [info(p.text('little_endian'), p.false)],
  'a machine that says nothing': [legacy({ system: pickled(p.emptyDict) })],
  'two storages in the order of their list': [
    legacy({
      object: pickle(null, [
        [p.text('weight'), legacyTensor()],
        [p.text('count'), legacyTensor({ key: '12', type: 'torch LongStorage', numel: 1, shape: [], stride: [] })],
      ]),
      keys: ['12', '7'],
      storages: [
        [1, u64(5)],
        [4, four],
      ],
    }),
    { weight: ['float32', [2, 2], [1, 2, 3, 4]], count: ['int64', [], [5n]] },
  ],
  'two views of one storage': [
    legacy({ object: pickle(null, [halves('a', 0), halves('b', 2)]) }),
    { a: ['float32', [2], [1, 2]], b: ['float32', [2], [3, 4]] },
  ],
  'tensors that share a storage': [
    legacy({
      object: pickle(null, [
        p.text('a'),
        legacyTensor(),
        p.text('b'),
        legacyTensor({ offset: 3, shape: [], stride: [] }),
      ]),
    }),
    { a: ['float32', [2, 2], [1, 2, 3, 4]], b: ['float32', [], [4]] },
  ],
  'a state dict of nothing': [legacy({ object: pickled(p.emptyDict), keys: [] }), {}],
  'a storage of no elements': [
    legacy({ object: pickle(legacyTensor({ numel: 0, shape: [0], stride: [1] })), storages: [[0, '']] }),
    { weight: ['float32', [0], []] },
  ],
  'a training checkpoint': [
    legacy({
      object: pickle(null, [p.text('epoch'), p.int(3), p.text('model'), dict(p.text('weight'), legacyTensor())]),
    }),
  ],
};

const keys = Array.from({ length: 20_000 }, (_, i) => String(i));
const empty = (key) => [p.text(`t${key}`), legacyTensor({ key, numel: 0, shape: [0], stride: [1] })];

export const bounded = {
  'twenty thousand storages of no elements': [
    () => legacy({ object: pickle(null, keys.map(empty)), keys, storages: keys.map(() => [0, '']) }),
  ],
  'twenty thousand parts of one storage': [
    () => {
      const part = (key) => [p.text(key), legacyTensor({ view: view(key, 1, 1), shape: [1], stride: [1] })];
      return legacy({
        object: pickle(
          null,
          keys.map((key) => part(`v${key}`)),
        ),
      });
    },
  ],
};
