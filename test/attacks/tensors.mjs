// Makes tensors and storages whose size, stride, offset, number of elements, type or key do not fit the bytes in the file.
import { call, checkpoint, p, pickle, storage, tensor, tupleOf, u64, zip } from '../unit/checkpoint-support.mjs';
import { dict, four, list, pickled } from './build.mjs';

const one = (changes) => checkpoint(pickle(tensor(changes)));
const from = (changes) => one({ from: storage(changes) });
const pair = (a, b) => checkpoint(pickle(null, [p.text('a'), tensor(a), p.text('b'), tensor(b)]));
const v3 = 'torch._utils _rebuild_tensor_v3';
const untyped = (numel) => storage({ type: 'torch.storage UntypedStorage', numel });
const ofBytes = (dtype, numel = 16, changes = {}) =>
  one({ how: v3, from: untyped(numel), rest: [p.false, p.none, p.global('torch', dtype)], ...changes });
const raw = (...args) => checkpoint(pickle(call('torch._utils', '_rebuild_tensor_v2', ...args)));
const shaped = (shape, stride) => raw(storage(), p.int(0), shape, stride, p.false, p.none);
const none = call('collections', 'OrderedDict');
const ordered = (...items) => [none, p.mark, ...items, p.setItems];
const two = tupleOf([p.int(2), p.int(2)]);
const big = (value) => [0x8a, 9, u64(BigInt.asUintN(64, BigInt(value))), value < 0 ? 255 : 0];
const special = (name, ...args) => checkpoint(pickle(call('torch._utils', name, ...args)));

/** A tensor with attributes. */
const typed = (attributes) =>
  call(
    'torch._tensor',
    '_rebuild_from_type_v2',
    p.global('torch._utils', '_rebuild_tensor_v2'),
    p.global('torch.nn.parameter', 'Parameter'),
    tensor().slice(1, -1),
    attributes,
  );

/** name: [bytes, pattern of the message, code (ERR_STATE_FORMAT), { extension, options }] */
export const hostile = {
  'a quantised storage': [from({ type: 'torch QInt8Storage' }), /QInt8Storage/],
  'a number in place of a storage': [one({ from: p.int(1) }), /Expected a storage for \["weight"\]/],
  'a module in place of a storage': [from({ tag: 'module' }), /Expected a storage/],

  'a shape larger than the storage': [one({ shape: [2, 3], stride: [3, 1] }), /needs 6 elements/],
  'an offset past the storage': [one({ offset: 1 }), /needs 5 elements/],
  'an offset far past the storage': [one({ offset: 2n ** 40n }), /1099511627780 elements/],
  'an offset of 2**63': [one({ offset: 2n ** 63n }), /offset/],
  'an offset that wraps around 64 bits': [one({ offset: -(2n ** 62n) }), /offset/],
  'a negative offset': [one({ offset: -1 }), /-1/],
  'a stride that reaches too far': [one({ stride: [4, 1] }), /needs 6 elements/],
  'a negative stride': [one({ stride: [-2, 1] }), /stride/],
  'a negative stride from the middle': [one({ offset: 2, stride: [-2, 1] }), /stride/],
  'a negative size': [one({ shape: [-2, -2] }), /shape/],
  'a size of -1, as if to be inferred': [one({ shape: [-1], stride: [1] }), /shape/],
  'a size of 2**63': [shaped(tupleOf([big(2n ** 63n)]), tupleOf([p.int(1)])), /shape/],
  'sizes whose product overflows': [
    one({ shape: [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], stride: [0, 0, 0] }),
    /needs Infinity elements/,
  ],
  'sizes whose product wraps to 0': [one({ shape: [2n ** 32n, 2n ** 32n], stride: [0, 0] }), /needs Infinity/],
  'sizes whose product wraps to 4': [one({ shape: [2n ** 62n + 1n, 4], stride: [0, 0] }), /shape|Infinity/],
  'strides whose sum overflows': [one({ stride: [2 ** 53 - 1, 2 ** 53 - 1] }), /needs Infinity elements/],
  'strides whose sum wraps to 0': [one({ shape: [3, 3], stride: [2n ** 62n, 2n ** 62n] }), /stride|Infinity/],
  'more strides than sizes': [one({ stride: [2, 1, 1] }), /2 sizes, 3 strides/],
  'fewer strides than sizes': [one({ stride: [1] }), /2 sizes, 1 strides/],
  'a thousand dimensions': [one({ shape: Array(1000).fill(1), stride: Array(1000).fill(1) }), /at most 64/],
  'a shape that is a list': [shaped(list(p.int(2), p.int(2)), two), /shape/],
  'a stride that is a list': [shaped(two, list(p.int(2), p.int(1))), /stride/],
  'a shape that is a number': [shaped(p.int(4), p.int(1)), /shape/],
  'a shape of True': [shaped(tupleOf([p.true, p.true]), two), /shape/],
  'a shape of texts': [shaped(tupleOf([p.text('2'), p.text('2')]), two), /shape/],
  'a shape inside a shape': [shaped(tupleOf([two]), two), /shape/],
  'a shape of None': [shaped(p.none, two), /shape/],

  'a tensor of no arguments': [raw(), /unexpected arguments/],
  'a tensor of nine arguments': [
    raw(storage(), p.int(0), two, two, p.false, p.none, p.none, p.none, p.none),
    /unexpected arguments/,
  ],
  'a tensor whose arguments are a list': [
    checkpoint(pickle([p.global('torch._utils', '_rebuild_tensor_v2'), p.emptyList, p.reduce])),
    /as its arguments/,
  ],
  'requires_grad as a number': [one({ rest: [p.int(1), p.none] }), /unexpected arguments/],
  'a tensor with hooks': [one({ rest: [p.false, dict(p.int(1), p.int(2))] }), /unexpected arguments/],
  'a conjugated view': [one({ rest: [p.false, p.none, dict(p.text('conj'), p.true)] }), /conjugated/],
  // PyTorch sets a named bit, whatever its value.
  'a view that says it is not negated': [
    one({ rest: [p.false, p.none, dict(p.text('neg'), p.false)] }),
    /conjugated or negated/,
  ],
  'a view that says it is not conjugated': [
    one({ rest: [p.false, p.none, dict(p.text('conj'), p.false)] }),
    /conjugated or negated/,
  ],
  'a view whose facts are a list': [one({ rest: [p.false, p.none, p.emptyList] }), /conjugated|unexpected/],
  'a tensor of an unknown dtype': [ofBytes('float9_e9m9'), /float9_e9m9/],
  'a tensor whose dtype is not a dtype': [ofBytes('Size'), /dtype torch\.Size/],
  'bytes without a dtype': [one({ from: untyped(16) }), /type/],
  'a dtype for a typed storage': [
    one({ how: v3, rest: [p.false, p.none, p.global('torch', 'float64')] }),
    /storage has an unexpected type/,
  ],
  'a dtype too wide for its bytes': [ofBytes('uint64'), /needs 4 elements of .* has 2/],
  'bytes of two dtypes in a big-endian file': [
    zip([
      [
        'x/data.pkl',
        pickle(
          null,
          ['uint16', 'uint32'].flatMap((dtype) => [p.text(dtype), bytesOf(dtype)]),
        ),
      ],
      ['x/byteorder', 'big'],
      ['x/data/0', four],
      ['x/version', '3'],
    ]),
    /uint16 of a big-endian machine/,
  ],

  'a sparse tensor': [special('_rebuild_sparse_tensor', p.none), /sparse tensor; store \.to_dense\(\)/],
  'a quantised tensor': [special('_rebuild_qtensor', storage()), /quantised/],
  'a tensor without values': [special('_rebuild_meta_tensor_no_storage', p.none), /meta tensor/],
  'a nested tensor': [special('_rebuild_nested_tensor', p.none), /nested tensor/],
  'a parameter of a number': [special('_rebuild_parameter', p.int(1), p.true, p.none), /Expected a tensor/],
  'a parameter of nothing': [special('_rebuild_parameter'), /unexpected arguments/],
  'a parameter of five facts': [
    special('_rebuild_parameter', tensor(), p.true, p.none, p.none, p.none),
    /unexpected arguments/,
  ],
  'a parameter with hooks': [
    special('_rebuild_parameter', tensor(), p.true, dict(p.int(1), p.int(2))),
    /unexpected arguments/,
  ],
  // PyTorch sets the attributes, and `data` and `real` of a tensor are its values.
  ...Object.fromEntries(
    ['data', 'real', 'requires_grad', '__class__'].map((name) => [
      `a parameter whose attribute ${name} is another tensor`,
      [
        special('_rebuild_parameter_with_state', tensor(), p.true, p.none, dict(p.text(name), tensor({ offset: 0 }))),
        /attributes that would replace/,
      ],
    ]),
  ),
  'a tensor whose second attributes hold its values': [
    checkpoint(pickle(typed(tupleOf([p.none, dict(p.text('data'), tensor())])))),
    /attributes that would replace/,
  ],
  'a tensor whose attributes are a list': [checkpoint(pickle(typed(p.emptyList))), /attributes that would replace/],
  'an old parameter whose state holds other values': [
    checkpoint(
      pickle([
        [p.global('torch.nn.parameter', 'Parameter'), tupleOf([tensor()]), p.newobj],
        [tupleOf([tensor(), p.none, p.none, p.false, p.none]), p.build],
      ]),
    ),
    /an unexpected state/,
  ],
  'a tensor of integers with gradients': [
    one({ from: storage({ type: 'torch IntStorage' }), rest: [p.true, p.none] }),
    /int32 is to have gradients/,
  ],
  'a parameter of integers with gradients': [
    special('_rebuild_parameter', tensor({ from: storage({ type: 'torch IntStorage' }) }), p.true, p.none),
    /int32 is to have gradients/,
  ],
  'a function that is used as a class': [
    checkpoint(pickle([p.global('torch._utils', '_rebuild_tensor_v2'), tensor().slice(1, -1), p.newobj])),
    /_rebuild_tensor_v2, which is not a class/,
  ],
  'wide numbers in big-endian bytes without a dtype': [
    zip([
      [
        'x/data.pkl',
        pickle(tensor({ how: v3, from: untyped(16), rest: [p.false, p.none, p.global('torch', 'uint32')] })),
      ],
      ['x/byteorder', 'big'],
      ['x/data/0', four],
      ['x/version', '3'],
    ]),
    /uint32 of a big-endian machine/,
  ],
  'parameters 1,000 deep': [
    checkpoint(
      pickle([
        Array(1000).fill([p.global('torch._utils', '_rebuild_parameter'), p.mark]),
        tensor(),
        Array(1000).fill([p.false, p.none, p.tuple, p.reduce]),
      ]),
    ),
    /Expected a tensor/,
  ],
  'items put into a tensor': [checkpoint(pickle([tensor(), p.int(0), p.int(9), p.setItem])), /not a valid tensor/],
  'items appended to a tensor': [checkpoint(pickle([tensor(), p.int(0), p.append])), /not a valid tensor/],
  'a state given to a tensor': [checkpoint(pickle([tensor(), p.emptyDict, p.build])), /not a valid tensor/],

  'a number for a state dict': [checkpoint(pickled(p.int(4))), /the number 4/],
  'a tensor for a state dict': [checkpoint(pickled(tensor())), /state_dict\(\)/],
  'a list of tensors': [checkpoint(pickled(list(tensor()))), /a list of 1/],
  'a key that is a number': [checkpoint(pickle(null, [p.int(1), tensor()])), /the number 1|no tensor/i],
  'a key that is a tensor': [checkpoint(pickle(null, [tensor(), tensor()])), /rebuild_tensor|no tensor/i],
  'a value that is not a tensor': [checkpoint(pickle(p.text('words'))), /words|no tensor/],
  'a state dict that holds itself': [
    checkpoint(pickled(p.emptyDict, p.put(0), p.text('self'), p.get(0), p.setItem)),
    /self|no tensor/,
  ],
  '_metadata that is not a dict': [
    checkpoint(pickled(ordered(p.text('w'), tensor()), dict(p.text('_metadata'), p.int(1)), p.build)),
    /dict of dicts .* _metadata/,
  ],
  'a _metadata whose modules have numbers for names': [
    checkpoint(
      pickled(ordered(p.text('w'), tensor()), dict(p.text('_metadata'), dict(p.int(1), p.emptyDict)), p.build),
    ),
    /dict of dicts .* _metadata/,
  ],
  'attributes of a plain dict': [
    checkpoint(pickled(dict(p.text('w'), tensor()), dict(p.text('_metadata'), p.emptyDict), p.build)),
    /cannot take the state/,
  ],
};

function bytesOf(dtype) {
  return tensor({ how: v3, from: untyped(16), rest: [p.false, p.none, p.global('torch', dtype)] });
}

/** name: [bytes, { tensor: [dtype, shape, values] }, { extension, options }]; without tensors: weight, [[1, 2], [3, 4]] */
export const benign = {
  'one tensor': [checkpoint()],
  'two tensors in one storage': [
    pair({ shape: [3], stride: [1], offset: 1 }, { shape: [2, 2], stride: [1, 2] }),
    { a: ['float32', [3], [2, 3, 4]], b: ['float32', [2, 2], [1, 3, 2, 4]] },
  ],
  'one tensor under two names, from the memo': [
    checkpoint(pickle(null, [p.text('a'), tensor(), p.put(0), p.text('b'), p.get(0)])),
    { a: ['float32', [2, 2], [1, 2, 3, 4]], b: ['float32', [2, 2], [1, 2, 3, 4]] },
  ],
  'an expanded tensor': [one({ shape: [2, 3], stride: [1, 0] }), { weight: ['float32', [2, 3], [1, 1, 1, 2, 2, 2]] }],
  'a tensor of no elements': [one({ shape: [0, 3], stride: [3, 1] }), { weight: ['float32', [0, 3], []] }],
  'a tensor of no elements past its storage': [
    one({ shape: [3, 0], stride: [1, 1], offset: 100 }),
    { weight: ['float32', [3, 0], []] },
  ],
  'a tensor of no dimensions': [one({ shape: [], stride: [], offset: 3 }), { weight: ['float32', [], [4]] }],
  'a tensor of 64 dimensions': [
    one({ shape: Array(64).fill(1), stride: Array(64).fill(1) }),
    { weight: ['float32', Array(64).fill(1), [1]] },
  ],
  'a tensor that came from a GPU': [from({ location: 'cuda:7' })],
  'a tensor from an unknown device': [from({ location: '../npu:1' })],
  'a tensor of the old GPU type': [from({ type: 'torch.cuda FloatStorage' })],
  'a storage of another name': [
    zip([
      ['x/data.pkl', pickle(tensor({ from: storage({ key: 'größe 1' }) }))],
      ['x/data/größe 1', four],
      ['x/version', '3'],
    ]),
  ],
  'a tensor of uint16 in bytes': [
    ofBytes('uint16', 16, { offset: 4 }),
    { weight: ['uint16', [2, 2], [0, 0x4040, 0, 0x4080]] },
  ],
  'a parameter': [checkpoint(pickle(call('torch._utils', '_rebuild_parameter', tensor(), p.true, none)))],
  'a tensor with empty hooks': [one({ rest: [p.true, none] })],
  'a parameter with attributes of its own': [
    checkpoint(
      pickle(
        call('torch._utils', '_rebuild_parameter_with_state', tensor(), p.true, none, dict(p.text('note'), p.none)),
      ),
    ),
  ],
  'a tensor with attributes of its own': [checkpoint(pickle(typed(dict(p.text('note'), p.none))))],
  'a tensor with attributes of slots': [checkpoint(pickle(typed(tupleOf([p.none, dict(p.text('note'), p.none)]))))],
  'an old parameter': [
    checkpoint(
      pickle([
        [p.global('torch.nn.parameter', 'Parameter'), tupleOf([tensor()]), p.newobj],
        [tupleOf([p.true, p.false, p.none]), p.build],
      ]),
    ),
  ],
  'a view without facts': [one({ rest: [p.false, p.none, p.emptyDict] })],
  'a storage that no tensor uses': [
    zip([
      ['x/data.pkl', pickle()],
      ['x/data/0', four],
      ['x/data/1', four],
      ['x/version', '3'],
    ]),
  ],
  'a state dict of nothing': [checkpoint(pickled(none)), {}],
  'an OrderedDict made from pairs': [
    checkpoint(pickled(call('collections', 'OrderedDict', list(list(p.text('weight'), tensor()))))),
  ],
  'a state dict with its _metadata': [
    checkpoint(
      pickled(
        ordered(p.text('weight'), tensor()),
        dict(p.text('_metadata'), dict(p.text(''), dict(p.text('version'), p.int(1)))),
        p.build,
      ),
    ),
  ],
};
