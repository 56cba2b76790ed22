// Makes the tensors of calls, and the sizes that fit together.
import { encoded } from './elements.mjs';

export const floats = (...shape) => ({ shape });
export const indices = (...shape) => ({ shape, dtype: 'int64', kind: 'index' });
export const known = (numbers, dtype = 'int64', shape = [numbers.length]) => ({
  shape,
  dtype,
  data: encoded(dtype, numbers),
});

/** Samples, channels (even), height, width, and one more. */
export const sizesOf = (random) => ({
  n: 1 + random.below(3),
  c: 2 * (1 + random.below(2)),
  h: 3 + random.below(4),
  w: 3 + random.below(4),
  k: 1 + random.below(3),
});
