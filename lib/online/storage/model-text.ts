// Models as JSON: a learner's folder records the program that its records were computed with. Numbers that JSON does not have
// (infinities, NaN, -0) are kept, since they may be arguments of operators:
//
//     {"op": "aten::clamp", "args": {"max": {"$number": "Infinity"}}, …}
//
// Models of earlier versions have names only as inputs of their program, and the shape of a sample, if they fix it, beside it. They
// are read as the same maker makes them now, so that opening with the same model is no change:
//
//     {"name": "Net", "input": [3, 32, 32], "program": {"inputs": ["input"], …}, …}
//     {"name": "Net", "program": {"inputs": [{"name": "input", "dtype": "float32", "shape": [3, 32, 32]}], …}, …}
import { plain } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { valueArrays } from '../../core/sample-values';
import type { Model } from '../../program/module';
import type { ProgramTensor } from '../../program/program';

const isPlain = (number: number) => Number.isFinite(number) && !Object.is(number, -0);

export function modelText(model: Model): string {
  return JSON.stringify(model, (_, value: unknown) =>
    typeof value === 'number' && !isPlain(value) ? { $number: Object.is(value, -0) ? '-0' : String(value) } : value,
  );
}

/** Throws ERR_STATE_FORMAT unless the text is a model. Its operators are checked when the program is made. */
export function readModel(text: string): Model {
  let model: unknown;
  try {
    model = JSON.parse(text, (_, value: unknown) => {
      const named = typeof value === 'object' && value !== null ? (value as { $number?: unknown }).$number : undefined;
      return typeof named === 'string' ? Number(named) : value;
    });
  } catch {
    // Reported below, like any text that is not a model.
  }
  const current = ofThisVersion(model);
  if (isModel(current)) return current;
  throw new LearnError('ERR_STATE_FORMAT', 'Expected a model in the folder of a learner');
}

type Unchecked = Record<string, unknown>;

const isObject = (value: unknown): value is Unchecked => typeof value === 'object' && value !== null;
const isList = (value: unknown, isItem: (item: unknown) => boolean) => Array.isArray(value) && value.every(isItem);
const isText = (value: unknown) => typeof value === 'string';
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
  isOptional(value, 'ties', (ties) => isList(ties, isText));
const isConstant = (value: unknown) => isTensor(value) && isText((value as Unchecked).data);
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
const isNode = (value: unknown): boolean =>
  isObject(value) &&
  isText(value.op) &&
  isObject(value.args) &&
  isList(value.outputs, (output) => isNamed(output) || isList(output, isNamed)) &&
  isOptional(value, 'branches', isBranches);
const isModule = (value: unknown) => Array.isArray(value) && isText(value[0]) && Number.isSafeInteger(value[1]);

/** The fields keep their order, on which the text of a model depends. */
function ofThisVersion(model: unknown): unknown {
  if (!isObject(model) || !isObject(model.program)) return model;
  const { inputs } = model.program;
  if (!Array.isArray(inputs) || !inputs.every(isText)) return model;
  const { input: shape, ...others } = plain(model);
  const named = inputs.map((name) => ({ name, dtype: 'float32', ...(shape !== undefined && { shape }) }));
  return { ...others, program: { ...model.program, inputs: named } };
}

/** Whether a value has the form of a model, and its program works on the model's own tensors. */
function isModel(value: unknown): value is Model {
  if (!isObject(value) || !isObject(value.program)) return false;
  const { name, tensors, modules, program } = value;
  const { inputs, outputs, parameters, buffers, nodes } = program;
  const isWhole = isText(name) && isList(tensors, isTensor) && isList(modules, isModule);
  const runs = isList(inputs, isInput) && isList(outputs, isText) && isList(nodes, isNode);
  const isExported =
    isOptional(program, 'constants', (constants) => isList(constants, isConstant)) &&
    isOptional(program, 'batch', isRange) &&
    isOptional(program, 'sizes', isRanges);
  if (!isWhole || !runs || !isExported || !isList(parameters, isTensor) || !isList(buffers, isTensor)) return false;
  const held = new Map((tensors as ProgramTensor[]).map((tensor) => [tensor.name, String(tensor.shape)]));
  const used = [...(parameters as ProgramTensor[]), ...(buffers as ProgramTensor[])];
  return used.every((tensor) => held.get(tensor.name) === String(tensor.shape));
}
