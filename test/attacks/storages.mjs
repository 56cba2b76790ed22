// Makes storages whose size, type, key or place does not fit the bytes in the file.
import { call, checkpoint, p, pickle, storage, tensor, tupleOf } from '../unit/checkpoint-support.mjs';

const one = (changes) => checkpoint(pickle(tensor(changes)));
const from = (changes) => one({ from: storage(changes) });
const pair = (a, b) => checkpoint(pickle(null, [p.text('a'), tensor(a), p.text('b'), tensor(b)]));
const persid = (...items) => one({ from: [tupleOf(items), p.persid] });
const float = p.global('torch', 'FloatStorage');

/** name: [bytes, pattern of the message, code (ERR_STATE_FORMAT), { extension, options }] */
export const hostile = {
  'a reference to something else in an object that is not created': [
    checkpoint(
      pickle(null, [
        p.text('a'),
        tensor(),
        p.text('b'),
        call('torch', 'QInt8Storage', [tupleOf([p.text('cuda:0'), float, p.text('1')]), p.persid]),
      ]),
    ),
    /Expected a storage but found a reference to "cuda:0"/,
  ],
  'a storage that is missing': [from({ key: '1' }), /the key "1"/],
  'a storage named with a path': [from({ key: '../data.pkl' }), /does not have/],
  'a storage named with a NUL': [from({ key: '0\0x' }), /does not have/],
  'a storage without a name': [from({ key: '' }), /does not have/],
  'a storage that is a note of the file': [from({ key: '../byteorder', numel: 1 }), /does not have/],
  'a storage smaller than it says': [from({ numel: 1000 }), /1000/],
  'a storage larger than it says': [from({ numel: 3 }), /3 of elements/],
  'a storage of a negative size': [from({ numel: -4 }), /-4/],
  'a storage of 2**62 elements': [from({ numel: 2n ** 62n }), /4611686018427387904/],
  'a storage whose bytes wrap around 64 bits': [from({ numel: 2n ** 62n + 4n }), /4611686018427387908/],
  'a storage of half an element': [
    persid(p.text('storage'), float, p.text('0'), p.text('cpu'), ['G', Buffer.from('4010000000000000', 'hex')]),
    /elements|storage/,
  ],
  'a storage whose size is a text': [persid(p.text('storage'), float, p.text('0'), p.text('cpu'), p.text('4')), /"4"/],
  'a storage whose size is True': [persid(p.text('storage'), float, p.text('0'), p.text('cpu'), p.true), /True/],
  'a storage whose key is a number': [
    persid(p.text('storage'), float, p.int(0), p.text('cpu'), p.int(4)),
    /Expected a storage/,
  ],
  'a storage whose location is a number': [
    persid(p.text('storage'), float, p.text('0'), p.int(0), p.int(4)),
    /Expected a storage/,
  ],
  'a storage whose type is a text': [
    persid(p.text('storage'), p.text('FloatStorage'), p.text('0'), p.text('cpu'), p.int(4)),
    /Expected a storage/,
  ],
  'a storage of four facts': [persid(p.text('storage'), float, p.text('0'), p.text('cpu')), /Expected a storage/],
  'a storage of six facts': [
    persid(p.text('storage'), float, p.text('0'), p.text('cpu'), p.int(4), p.none),
    /Expected a storage/,
  ],
  'a storage of no facts': [persid(), /Expected a storage/],
  'a storage named by a list': [one({ from: [p.emptyList, p.persid] }), /Expected a storage/],
  'a storage of two types': [
    pair({}, { from: storage({ type: 'torch IntStorage' }) }),
    /IntStorage, another tensor for something else/,
  ],
  'a storage of two sizes': [pair({}, { from: storage({ numel: 2 }), shape: [2], stride: [1] }), /2 of elements/],
  'a storage of an unknown type': [from({ type: 'torch UnknownStorage' }), /UnknownStorage/],
  'a storage of the typed kind': [from({ type: 'torch.storage TypedStorage' }), /TypedStorage/],
};
