// Numbers in arrays of arrays, as JSON has them: row by row, as Python's tolist() writes them.
import { LearnError } from './errors';

/**
 * The numbers of a sample one after the other, where `values` are these already, or are nested exactly as `shape` says: a picture
 * as rows of pixels is not one as channels, though it has as many numbers. Throws ERR_SHAPE; what the items are is not checked.
 */
export function flattened(values: readonly unknown[], shape: readonly number[], name: string): readonly unknown[] {
  if (!values.some(Array.isArray)) return values;
  const flat: unknown[] = [];
  const path: number[] = [];
  const place = () => name + path.map((index) => `[${index}]`).join('');
  const add = (value: unknown): void => {
    const side = shape[path.length];
    const isArray = Array.isArray(value);
    if (side === undefined && !isArray) {
      flat.push(value);
      return;
    }
    if (!isArray || value.length !== side) throw otherShape(value, side, place(), shape);
    for (let i = 0; i < side; i++) {
      path.push(i);
      add(value[i]);
      path.pop();
    }
  };
  add(values);
  return flat;
}

function otherShape(value: unknown, side: number | undefined, place: string, shape: readonly number[]): LearnError {
  const expected = side === undefined ? 'a number' : `an array of ${side}`;
  const received = Array.isArray(value) ? `an array of ${value.length}` : `a ${typeof value}`;
  return new LearnError(
    'ERR_SHAPE',
    `Expected ${expected} for "${place}" but received ${received}: a sample is [${shape.join(', ')}], as nested arrays of that ` +
      'shape or as one array of all numbers',
  );
}
