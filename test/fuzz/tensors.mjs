// Writes tensors in pickles, in many ways over a few storages. For grammar.mjs.
import { u8 } from '../unit/checkpoint-support.mjs';
import { Random } from './random.mjs';

const content = new Random(1).bytes(128);

/** By key: the type, the bytes per element, and the number of elements. */
const kinds = {
  0: ['torch FloatStorage', 4, 16],
  1: ['torch LongStorage', 8, 4],
  2: ['torch ByteStorage', 1, 8],
  3: ['torch HalfStorage', 2, 6],
  4: ['torch DoubleStorage', 8, 1],
  5: ['torch BoolStorage', 1, 3],
  6: ['torch.storage UntypedStorage', 1, 16],
  7: ['torch FloatStorage', 4, 0],
  8: ['torch ComplexFloatStorage', 8, 2],
};

/** The storages that pickles may refer to: { key: [type, width, elements, bytes] }. */
export function someStorages(random) {
  const keys = Object.keys(kinds).slice(0, 1 + random.below(9));
  const prefix = random.once(6) ? random.pick(['k', 'K', ' ', 'ö', 'a.', 'x'.repeat(200)]) : '';
  return Object.fromEntries(
    keys.map((key) => {
      const [type, width, elements] = kinds[key];
      const bytes = Buffer.from(content.subarray(Number(key), Number(key) + width * elements));
      return [
        prefix + key,
        [type, width, elements, type === 'torch BoolStorage' ? bytes.map((byte) => byte & 1) : bytes],
      ];
    }),
  );
}

/** Sizes and strides of a view that fits in so many elements. */
function viewIn(random, elements) {
  const shape = Array.from({ length: random.below(4) }, () => (random.once(12) ? 0 : 1 + random.below(3)));
  if (elements === 0 && !shape.includes(0)) shape.push(0);
  let step = 1;
  const stride = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    stride[axis] = random.once(10) ? 0 : random.once(10) ? step + 1 : step;
    step *= Math.max(shape[axis], 1);
  }
  if (shape.length > 1 && random.once(4)) {
    shape.reverse();
    stride.reverse();
  }
  const reach = shape.includes(0) ? 0 : shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis], 1);
  if (reach > elements) return viewIn(random, elements);
  return { shape, stride, offset: random.once(2) ? 0 : random.below(elements - reach + 1) };
}

/** Returns a function for the instructions of one tensor. */
export function tensorWriter(writer, storages, hasViews) {
  const { random } = writer;
  const keys = Object.keys(storages);
  const isOld = random.once(10);
  const numbers = (values) => writer.tuple(values.map((value) => writer.int(value)));

  function storage(key) {
    const [type, , elements] = storages[key];
    const named = writer.strange(20) ? random.pick(Object.values(kinds))[0] : type;
    const old = isOld && !/Untyped/.test(named) ? named.replace('torch ', 'torch.cuda ') : named;
    const id = [
      writer.text(writer.strange(30) ? 'module' : 'storage'),
      writer.global(old),
      writer.strange(25) && /^\d+$/.test(key) ? writer.int(key) : writer.text(key),
      writer.text(random.pick(['cpu', 'cpu', 'cuda:0', 'meta', '', 'x'])),
      writer.int(writer.strange(15) ? random.below(20) : elements),
    ];
    const part = hasViews && random.once(4) ? view(elements) : undefined;
    if (hasViews) id.push(part ? part.written : 'N');
    if (writer.strange(40)) id.push('N');
    return { written: [writer.tuple(id), 'Q'], room: part?.size ?? elements };
  }

  let views = 0;

  function view(elements) {
    const offset = random.below(elements + 1);
    const size = random.below(elements - offset + (writer.strange() ? 3 : 1));
    const name = writer.strange() ? `view ${random.below(3)}` : `view ${views++}`;
    return { size, written: writer.tuple([writer.text(name), writer.int(offset), writer.int(size)]) };
  }

  const hooks = () => (random.once(3) ? 'N' : [writer.global('collections OrderedDict'), ')', 'R']);

  function plain() {
    const key = random.pick(keys);
    const [type] = storages[key];
    const ofBytes = /Untyped/.test(type);
    const dtype = random.pick(['uint16 2', 'uint32 4', 'uint64 8', 'float8_e5m2 1', 'float32 4', 'int64 8']).split(' ');
    const place = storage(key);
    const facts = viewIn(random, Math.floor(place.room / (ofBytes ? dtype[1] : 1)));
    if (writer.strange(8)) facts.offset += random.below(4);
    if (writer.strange(8) && facts.shape.length > 0) facts.shape[random.below(facts.shape.length)] += random.below(5);
    if (writer.strange(12)) facts.stride.push(1);
    const old = !ofBytes && random.once(12);
    const args = [place.written, writer.int(facts.offset), numbers(facts.shape), numbers(facts.stride)];
    if (!old) args.push(random.once(8) && /Float|Double|Half/.test(type) ? u8(0x88) : u8(0x89), hooks());
    if (ofBytes) args.push(writer.global(`torch ${dtype[0]}`));
    if (!old && random.once(12)) args.push(random.once(2) ? 'N' : flags());
    return writer.call(`torch._utils _rebuild_tensor${old ? '' : ofBytes ? '_v3' : '_v2'}`, args);
  }

  function flags() {
    const names = random.pick([[], ['neg'], ['conj'], ['neg', 'conj']]);
    return ['}', names.map((name) => [writer.text(name), u8(random.once(3) ? 0x88 : 0x89), 's'])];
  }

  /** Attributes of a tensor; PyTorch also sets its own ones. */
  function attributes() {
    const name = random.pick(['note', 'data', 'real', 'requires_grad', '__class__']);
    const dict = ['}', writer.text(name), random.once(2) ? plain() : 'N', 's'];
    const states = [['}'], ['N'], dict, writer.tuple([['}'], ['}']]), writer.tuple([['}'], dict]), [']']];
    return writer.strange(3) ? random.pick(states) : ['}'];
  }

  /** As written by PyTorch before 0.4. */
  function oldParameter(tensor) {
    const parts = [tensor, u8(0x89), 'N', 'N', 'N'];
    const count = writer.strange(2) ? 1 + random.below(5) : 3;
    const state = count === 3 ? [u8(0x89), u8(0x89), 'N'] : parts.slice(0, count);
    const type = writer.global('torch.nn.parameter Parameter');
    return [type, writer.tuple([plain()]), u8(0x81), random.once(3) ? '' : [writer.tuple(state), 'b']];
  }

  /** The arguments of a call, without the function. */
  const ofType = () => {
    const key = keys.find((name) => !/Untyped/.test(storages[name][0]));
    const { written } = storage(key);
    const args = [written, writer.int(0), numbers([0]), numbers([1]), u8(0x89), hooks()];
    const type = random.pick(['torch.nn.parameter Parameter', 'torch Tensor', 'torch.nn.parameter Buffer']);
    const callee = writer.global('torch._utils _rebuild_tensor_v2');
    return writer.call('torch._tensor _rebuild_from_type_v2', [
      callee,
      writer.global(type),
      writer.tuple(args),
      attributes(),
    ]);
  };

  return () => {
    const how = random.below(14);
    if (how === 3) return ofType();
    const tensor = plain();
    if (how === 4) return writer.call('torch.nn.parameter Parameter', [tensor, ...(random.once(2) ? [u8(0x89)] : [])]);
    if (how === 0) return writer.call('torch._utils _rebuild_parameter', [tensor, u8(0x89), hooks()]);
    if (how === 1)
      return writer.call('torch._utils _rebuild_parameter_with_state', [tensor, u8(0x89), hooks(), attributes()]);
    if (how === 5) return oldParameter(tensor);
    if (how === 2 && writer.strange(2)) return [tensor, ['}', writer.text('x'), 'N', 's'], 'b'];
    return writer.odd && random.once(12) ? [tensor, 'q', u8(200), '0', 'h', u8(200)] : tensor;
  };
}
