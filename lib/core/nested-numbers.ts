// Flattens numbers in nested arrays, as in JSON: row by row, as Python's tolist() writes them.
import { LearnError } from './errors';

/**
 * Returns the numbers of a sample's input or target in one array. `values` is flat already, or nested exactly as `shape` says: an image as rows of
 * pixels is not one as channels, though both have as many numbers. Throws ERR_SHAPE. The items themselves are not checked.
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
    if (!isArray || value.length !== side) throw otherShape(value, side, place(), name, shape);
    for (let i = 0; i < side; i++) {
      path.push(i);
      add(value[i]);
      path.pop();
    }
  };
  add(values);
  return flat;
}

function otherShape(
  value: unknown,
  side: number | undefined,
  place: string,
  name: string,
  shape: readonly number[],
): LearnError {
  const expected = side === undefined ? 'a number' : `an array of ${side}`;
  const received = Array.isArray(value) ? `an array of ${value.length}` : `a ${typeof value}`;
  return new LearnError(
    'ERR_SHAPE',
    `Expected ${expected} for "${place}" but received ${received}: the shape of "${name}" is [${shape.join(', ')}], as nested ` +
      'arrays of that shape or as one array of all numbers',
  );
}
