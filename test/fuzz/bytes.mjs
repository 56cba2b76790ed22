// Changes arbitrary bytes, whatever they mean.
import { interesting } from './random.mjs';

const mutators = {
  flip(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] ^= 1 << random.below(8);
    return bytes;
  },
  set(bytes, random) {
    bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  number(bytes, random) {
    const width = random.pick([1, 2, 4, 8]);
    const at = random.below(bytes.length);
    const value = BigInt.asUintN(64, interesting(random));
    for (let i = 0; i < width && at + i < bytes.length; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 255n);
    return bytes;
  },
  remove(bytes, random) {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.small(64))]);
  },
  insert(bytes, random) {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.small(64)), bytes.subarray(at)]);
  },
  copy(bytes, random) {
    const [from, to] = [random.below(bytes.length), random.below(bytes.length)];
    const part = bytes.subarray(from, from + 1 + random.below(100));
    return Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(random.once(2) ? to : to + part.length)]);
  },
  cut(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
};

/** Returns a copy with one or a few changes. */
export function mutateBytes(original, random) {
  let bytes = Buffer.from(original);
  for (let left = 1 + random.small(6); left > 0 && bytes.length > 0; left--) {
    bytes = random.pick(Object.values(mutators))(bytes, random);
  }
  return bytes;
}
