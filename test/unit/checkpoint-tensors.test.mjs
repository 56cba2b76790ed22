// Tests state dicts and tensors that loadState must refuse because they do not fit the bytes in the file.
import { temporaryFolder } from '../support.mjs';
import { call, checkpoint, join, p, pickle, refused, storage, tensor } from './checkpoint-support.mjs';

/** By description: the file, and a pattern of the message. */
const cases = {
  'a number instead of a state dict': [checkpoint(join(p.proto(), p.int(4), p.stop)), /found the number 4/],
  'a tensor instead of a state dict': [checkpoint(join(p.proto(), tensor(), p.stop)), /save model\.state_dict\(\)/],
  'a key that is not a string': [checkpoint(pickle(null, [p.int(1), tensor()])), /\[the number 1\]/],
  'a value that is not a tensor': [checkpoint(pickle(p.text('words'))), /\["weight"\] is the string "words"/],
  'two state dicts, of which none is named': [
    checkpoint(
      pickle(null, [
        p.text('epoch'),
        p.int(3),
        ...['model', 'ema'].map((key) => [p.text(key), p.emptyDict, p.text('fc'), tensor(), p.setItem]),
      ]),
    ),
    /found 2: \["model"\] \(1 tensor\), \["ema"\] \(1 tensor\).*key: "model"/s,
  ],
  '_metadata that is not a dict': [
    checkpoint(
      join(
        p.proto(),
        call('collections', 'OrderedDict'),
        [p.emptyDict, p.text('_metadata'), p.int(1), p.setItem],
        p.build,
        p.stop,
      ),
    ),
    /dict of dicts.*_metadata/,
  ],

  'a storage that is missing': [
    checkpoint(pickle(tensor({ from: storage({ key: '1' }) }))),
    /the key "1", which the file does not have/,
  ],
  'a storage named with a path': [
    checkpoint(pickle(tensor({ from: storage({ key: '../data.pkl' }) }))),
    /does not have/,
  ],
  'a storage smaller than it says': [
    checkpoint(pickle(tensor({ from: storage({ numel: 1000 }) }))),
    /1000 of elements of 4 bytes/,
  ],
  'a storage of a negative size': [checkpoint(pickle(tensor({ from: storage({ numel: -4 }) }))), /-4 of elements/],
  'a storage of 2**62 elements': [
    checkpoint(pickle(tensor({ from: storage({ numel: 2n ** 62n }) }))),
    /4611686018427387904 of elements/,
  ],
  'a storage of two types': [
    checkpoint(
      pickle(null, [p.text('a'), tensor(), p.text('b'), tensor({ from: storage({ type: 'torch IntStorage' }) })]),
    ),
    /torch\.IntStorage, another tensor for something else/,
  ],
  'a quantised storage': [
    checkpoint(pickle(tensor({ from: storage({ type: 'torch QInt8Storage' }) }))),
    /QInt8Storage, which is not supported/,
  ],
  'a storage that is not a storage': [
    checkpoint(pickle(tensor({ from: p.int(1) }))),
    /Expected a storage for \["weight"\]/,
  ],
  'a module in place of a storage': [
    checkpoint(pickle(tensor({ from: storage({ tag: 'module' }) }))),
    /Expected a storage/,
  ],
  'a shape larger than the storage': [
    checkpoint(pickle(tensor({ shape: [2, 3], stride: [3, 1] }))),
    /needs 6 elements of x\/data\/0, which has 4/,
  ],
  'an offset past the storage': [checkpoint(pickle(tensor({ offset: 1 }))), /offset 1 needs 5 elements/],
  'a stride that reaches too far': [checkpoint(pickle(tensor({ stride: [4, 1] }))), /needs 6 elements/],
  'a negative offset': [checkpoint(pickle(tensor({ offset: -1 }))), /the offset the number -1/],
  'a negative stride': [checkpoint(pickle(tensor({ stride: [-2, 1] }))), /a stride of at most 64 sizes/],
  'a negative size': [checkpoint(pickle(tensor({ shape: [-2, -2] }))), /a shape of at most 64 sizes/],
  'sizes whose product overflows': [
    checkpoint(pickle(tensor({ shape: [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], stride: [0, 0, 0] }))),
    /needs Infinity elements/,
  ],
  'strides whose sum overflows': [
    checkpoint(pickle(tensor({ stride: [2 ** 53 - 1, 2 ** 53 - 1] }))),
    /needs Infinity elements/,
  ],
  'more strides than sizes': [checkpoint(pickle(tensor({ stride: [2, 1, 1] }))), /2 sizes, 3 strides/],
  'a thousand dimensions': [
    checkpoint(pickle(tensor({ shape: Array(1000).fill(1), stride: Array(1000).fill(1) }))),
    /at most 64 sizes/,
  ],
  'a tensor with too few arguments': [
    checkpoint(pickle(call('torch._utils', '_rebuild_tensor_v2'))),
    /unexpected arguments/,
  ],
  'a conjugated view': [
    checkpoint(pickle(tensor({ rest: [p.false, p.none, p.emptyDict, p.text('conj'), p.true, p.setItem] }))),
    /conjugated/,
  ],
  'a sparse tensor': [
    checkpoint(pickle(call('torch._utils', '_rebuild_sparse_tensor', p.none))),
    /sparse tensor; store \.to_dense\(\)/,
  ],
  'a dtype that is unknown': [
    checkpoint(
      pickle(
        tensor({
          how: 'torch._utils _rebuild_tensor_v3',
          from: storage({ type: 'torch.storage UntypedStorage', numel: 16 }),
          rest: [p.false, p.none, p.global('torch', 'Size')],
        }),
      ),
    ),
    /dtype torch\.Size/,
  ],
};

describe('a state dict that loadState refuses', () => {
  const temporary = temporaryFolder();

  for (const [what, [content, message]] of Object.entries(cases)) {
    it(`is or has ${what}`, () => refused(temporary('bad.pth'), content, 'ERR_STATE_FORMAT', message));
  }
});
