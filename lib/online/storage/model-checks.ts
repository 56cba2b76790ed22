// Checks that what a text describes has the form of a model. Which operators it may use, and what they take, is checked when the program
// is made.
import { valueArrays } from '../../core/sample-values';
import type { Model } from '../../program/module';
import type { ProgramTensor } from '../../program/program';

type Unchecked = Record<string, unknown>;

export const isObject = (value: unknown): value is Unchecked =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export function isList<Item>(value: unknown, isItem: (item: unknown) => item is Item): value is Item[];
export function isList(value: unknown, isItem: (item: unknown) => boolean): boolean;
export function isList(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}
export const isText = (value: unknown): value is string => typeof value === 'string';
const isOnly = (wanted: unknown) => (value: unknown) => value === wanted;
const isNamed = (value: unknown) => value === null || isText(value);
/** Whether a field is missing, or what it should be. */
const isOptional = (value: Unchecked, field: string, is: (found: unknown) => boolean) =>
  !Object.hasOwn(value, field) || is(value[field]);
const isTensor = (value: unknown) =>
  isObject(value) &&
  isText(value.name) &&
  isText(value.dtype) &&
  isList(value.shape, Number.isSafeInteger) &&
  isOptional(value, 'stride', (stride) => isList(stride, Number.isSafeInteger)) &&
  isOptional(value, 'ties', (ties) => isList(ties, isText)) &&
  isOptional(value, 'frozen', isOnly(true));
const isConstant = (value: unknown) => isTensor(value) && isElements(value as Unchecked);
/** In base64, or the SHA-256 of the file that has them. */
const isElements = ({ data, sha256 }: Unchecked) =>
  data === undefined
    ? isText(sha256) && /^[0-9a-f]{64}$/.test(sha256)
    : isText(data) && data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(data);
const isInput = (value: unknown) =>
  isObject(value) &&
  isText(value.name) &&
  Object.hasOwn(valueArrays, String(value.dtype)) &&
  isOptional(value, 'shape', (shape) => isList(shape, (size) => Number.isSafeInteger(size) || isText(size)));
const isRange = (value: unknown) =>
  isObject(value) && Number.isSafeInteger(value.min) && isOptional(value, 'max', Number.isSafeInteger);
const isRanges = (value: unknown) => isObject(value) && Object.values(value).every(isRange);
const isBranch = (value: unknown): boolean =>
  isObject(value) && isList(value.inputs, isText) && isList(value.nodes, isNode) && isList(value.outputs, isText);
const isBranches = (value: unknown) => isObject(value) && isBranch(value.whenTrue) && isBranch(value.whenFalse);
const isAutocast = (value: unknown) =>
  isObject(value) && (value.dtype === false || isText(value.dtype)) && Number.isSafeInteger(value.region);
const isNode = (value: unknown): boolean =>
  isObject(value) &&
  isText(value.op) &&
  isText(value.overload) &&
  isObject(value.args) &&
  isList(value.outputs, (output) => isNamed(output) || isList(output, isNamed)) &&
  isOptional(value, 'only', (only) => only === 'training' || only === 'evaluation') &&
  isOptional(value, 'gradient', isOnly(false)) &&
  isOptional(value, 'autocast', isAutocast) &&
  isOptional(value, 'branches', isBranches) &&
  isOptional(value, 'place', isText);
const isModule = (value: unknown) => Array.isArray(value) && isText(value[0]) && Number.isSafeInteger(value[1]);

/** How it is initialised is checked when a state is made. */
const isDraw = (value: unknown) => isObject(value) && isText(value.tensor) && isObject(value.init);

/** Whether a value has the form of a model, and its program works on the model's own tensors. */
export function isModel(value: unknown): value is Model {
  if (!isObject(value) || !isObject(value.program)) return false;
  const { name, tensors, modules, program } = value;
  const { inputs, outputs, parameters, buffers, nodes } = program;
  const isWhole =
    isText(name) &&
    isList(tensors, isTensor) &&
    isList(modules, isModule) &&
    isOptional(value, 'draws', (draws) => isList(draws, isDraw));
  const runs = isList(inputs, isInput) && isList(outputs, isText) && isList(nodes, isNode);
  const isExported =
    isOptional(program, 'constants', (constants) => isList(constants, isConstant)) &&
    isOptional(program, 'batch', isRange) &&
    isOptional(program, 'sizes', isRanges) &&
    isOptional(program, 'exported', isOnly(true)) &&
    isOptional(program, 'trainsOnly', isText);
  if (!isWhole || !runs || !isExported || !isList(parameters, isTensor) || !isList(buffers, isTensor)) return false;
  const held = new Map((tensors as ProgramTensor[]).map((tensor) => [tensor.name, String(tensor.shape)]));
  const used = [...(parameters as ProgramTensor[]), ...(buffers as ProgramTensor[])];
  return used.every(({ name: first, ties = [], shape }) =>
    [first, ...ties].every((each) => held.get(each) === String(shape)),
  );
}
