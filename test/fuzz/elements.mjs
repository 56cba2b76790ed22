// Makes the bytes of tensors, by dtype: ordinary numbers, special ones, indices.
const writers = {
  float64: [8, (bytes, at, x) => bytes.writeDoubleLE(x, at)],
  float32: [4, (bytes, at, x) => bytes.writeFloatLE(x, at)],
  float16: [2, (bytes, at, x) => bytes.writeUInt16LE(halfOf(x), at)],
  bfloat16: [2, (bytes, at, x) => bytes.writeUInt16LE(upperOf(x), at)],
  int64: [8, (bytes, at, x) => bytes.writeBigInt64LE(BigInt.asIntN(64, integerOf(x)), at)],
  int32: [4, (bytes, at, x) => bytes.writeInt32LE(Number(BigInt.asIntN(32, integerOf(x))), at)],
  int16: [2, (bytes, at, x) => bytes.writeInt16LE(Number(BigInt.asIntN(16, integerOf(x))), at)],
  int8: [1, (bytes, at, x) => bytes.writeInt8(Number(BigInt.asIntN(8, integerOf(x))), at)],
  uint8: [1, (bytes, at, x) => bytes.writeUInt8(Number(BigInt.asUintN(8, integerOf(x))), at)],
  bool: [1, (bytes, at, x) => bytes.writeUInt8(x > 0 ? 1 : 0, at)],
  complex64: [8, (bytes, at, x) => bytes.writeFloatLE(-x, bytes.writeFloatLE(x, at))],
  complex128: [16, (bytes, at, x) => bytes.writeDoubleLE(-x, bytes.writeDoubleLE(x, at))],
};

const integerOf = (x) => (typeof x === 'bigint' ? x : BigInt(Number.isFinite(x) ? Math.round(x) : 0));
const view = Buffer.alloc(4);

function upperOf(x) {
  view.writeFloatLE(x);
  return view.readUInt16LE(2);
}

/** The half float of a small number; its last bits are cut off. */
function halfOf(x) {
  if (Number.isNaN(x)) return 0x7e00;
  view.writeFloatLE(x);
  const bits = view.readUInt32LE();
  const exponent = ((bits >>> 23) & 255) - 112;
  const sign = (bits >>> 16) & 0x8000;
  if (exponent <= 0) return sign;
  return exponent >= 31 ? sign | 0x7c00 : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

const special = [0, -0, 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -1e30, 1e-40];
const indices = [-1n, 5n, 100n, 2n ** 31n, -(2n ** 31n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 40n];

/** Bytes of a tensor. `kind`: 'index' for integers from 0 on, few of which are wrong. */
export function elements(random, dtype, shape, kind = 'number') {
  const count = shape.reduce((product, size) => product * size, 1);
  const isOdd = random.once(kind === 'index' ? 4 : 6);
  const most = 1 + random.below(4);
  return encoded(
    dtype,
    Array.from({ length: count }, () => {
      if (kind === 'index') return isOdd && random.once(3) ? random.pick(indices) : random.below(most);
      return isOdd && random.once(3) ? random.pick(special) : (random.below(61) - 20) / 10;
    }),
  );
}

/** Bytes of numbers. */
export function encoded(dtype, numbers) {
  const [width, write] = writers[dtype];
  const bytes = Buffer.alloc(width * numbers.length);
  for (const [i, number] of numbers.entries()) write(bytes, i * width, number);
  return bytes;
}
