// CIFAR-10's Python version: finds the images in a batch file, which is a pickle, and reads its labels without running it.
// No pixels are read here: lib/datasets/cifar10/cifar10.ts passes their place to the addon.
import { LearnError } from '../../core/errors';
import type { OpenFile } from '../../files/open-file';
import { ByteCursor } from './byte-cursor';
import { isCall, isGlobal, isRun, type Run, readSmallPickle, textOf, type Value } from './small-pickle';

/** Images and labels of one batch file, as lib/native/plans.ts wants them. */
export interface PickledBatch {
  offset: number;
  count: number;
  labels: Int32Array;
  bytes: number;
}

/** Places of the images of `file`, and their labels. `imageBytes`: size of one image. */
export async function readPickledBatch(file: OpenFile, imageBytes: number): Promise<PickledBatch> {
  const batch = await readDictionary(file);
  const { offset, length, count } = imagesOf(batch.get('data'), file.path, imageBytes);
  const labels = batch.get('labels');
  if (!Array.isArray(labels) || labels.length !== count || !labels.every((label) => Number.isInteger(label))) {
    throw damaged(file.path, `its "labels" are not a list of ${count} integers`);
  }
  if (offset + length > file.size) throw damaged(file.path, 'its images reach past its end');
  return { offset, count, labels: Int32Array.from(labels as number[]), bytes: file.size };
}

/** A list of strings in the dictionary that `file` holds, such as label_names; undefined if it does not exist. */
export async function readPickledStrings(file: OpenFile, key: string): Promise<string[] | undefined> {
  const values = (await readDictionary(file)).get(key);
  if (!Array.isArray(values)) return undefined;
  const texts = values.map(textOf);
  return texts.includes(undefined) ? undefined : (texts as string[]);
}

function imagesOf(value: Value | undefined, file: string, imageBytes: number): Run & { count: number } {
  const { shape, dtype, content } = arrayOf(value) ?? {};
  const [count, width, ...more] = Array.isArray(shape) ? shape : [];
  if (typeof count !== 'number' || width !== imageBytes || more.length > 0 || dtype !== 'u1') {
    throw damaged(file, `its "data" is not a uint8 array of [images, ${imageBytes}] in row order`);
  }
  if (!isRun(content)) {
    throw damaged(file, 'its images are not stored as bytes; write it again with pickle.dump(..., protocol=4)');
  }
  if (count < 1 || content.length !== count * imageBytes) {
    throw damaged(file, `its "data" has ${content.length} bytes where ${count} images need ${count * imageBytes}`);
  }
  return { ...content, count };
}

/** The parts of a numpy array in row order, by either of numpy's ways to pickle one. */
function arrayOf(value: Value | undefined) {
  if (!isCall(value) || !Array.isArray(value.args)) return undefined;
  const name = isGlobal(value.callee) ? value.callee.global.split('.').at(-1) : undefined;
  if (name === '_reconstruct' && Array.isArray(value.state)) {
    const [, shape, dtype, columnOrder, content] = value.state;
    return columnOrder === false ? { shape, dtype: dtypeOf(dtype), content } : undefined;
  }
  if (name === '_frombuffer') {
    const [content, dtype, shape, order] = value.args;
    return textOf(order) === 'C' ? { shape, dtype: dtypeOf(dtype), content } : undefined;
  }
  return undefined;
}

function dtypeOf(value: Value | undefined): string | undefined {
  const isDtype = isCall(value) && isGlobal(value.callee) && value.callee.global === 'numpy.dtype';
  return isDtype && Array.isArray(value.args) ? textOf(value.args[0]) : undefined;
}

async function readDictionary(file: OpenFile): Promise<Map<string, Value>> {
  const value = await readSmallPickle(new ByteCursor(file));
  if (!(value instanceof Map)) throw damaged(file.path, 'it is not a pickled dictionary');
  return value;
}

function damaged(file: string, why: string): LearnError {
  return new LearnError('ERR_DATA_FORMAT', `${file} is not a batch file of CIFAR-10's Python version: ${why}`);
}
