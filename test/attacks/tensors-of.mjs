// Copies and measures all tensors of a state, to check that a loaded state is what it claims to be.
import { createHash } from 'node:crypto';
import { dtypes } from '../../dist/checkpoint/dtypes.js';

/** Larger tensors are not copied: a view can be far larger than its file. */
const maxCopied = 2 ** 26;

/** Copies every tensor completely. */
export function tensorsOf(state) {
  return state.names.map((name, i) => {
    const { dtype, shape } = state.tensors[i];
    const elements = shape.reduce((product, size) => product * size, 1);
    if (elements * dtypes[dtype].bytes > maxCopied) return { name, dtype, shape, elements };
    const { data } = state.tensor(name);
    if (data.byteLength !== elements * dtypes[dtype].bytes) {
      throw new Error(`${name} of ${dtype} [${shape}] has ${data.byteLength} bytes`);
    }
    const sha256 = createHash('sha256').update(data).digest('hex');
    return { name, dtype, shape: [...shape], data: [...data], sha256 };
  });
}
