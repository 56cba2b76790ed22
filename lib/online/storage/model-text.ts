// Models as JSON: a learner's folder records the program that its records were computed with. Numbers that JSON does not have
// (infinities, NaN, -0) are kept, since they may be arguments of operators:
//
//     {"op": "aten::clamp", "args": {"max": {"$number": "Infinity"}}, …}
import { LearnError } from '../../core/errors';
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
  if (isModel(model)) return model;
  throw new LearnError('ERR_STATE_FORMAT', 'Expected a model in the folder of a learner');
}

type Unchecked = Record<string, unknown>;

const isObject = (value: unknown): value is Unchecked => typeof value === 'object' && value !== null;
const isList = (value: unknown, isItem: (item: unknown) => boolean) => Array.isArray(value) && value.every(isItem);
const isText = (value: unknown) => typeof value === 'string';
const isTensor = (value: unknown) =>
  isObject(value) && isText(value.name) && isText(value.dtype) && isList(value.shape, Number.isSafeInteger);
const isNode = (value: unknown) =>
  isObject(value) && isText(value.op) && isObject(value.args) && isList(value.outputs, isText);
const isModule = (value: unknown) => Array.isArray(value) && isText(value[0]) && Number.isSafeInteger(value[1]);

/** Whether a value has the form of a model, and its program works on the model's own tensors. */
function isModel(value: unknown): value is Model {
  if (!isObject(value) || !isObject(value.program)) return false;
  const { name, tensors, modules, program } = value;
  const input = Object.hasOwn(value, 'input') ? value.input : [];
  const { inputs, outputs, parameters, buffers, nodes } = program;
  const isWhole =
    isText(name) && isList(input, Number.isSafeInteger) && isList(tensors, isTensor) && isList(modules, isModule);
  const runs = isList(inputs, isText) && isList(outputs, isText) && isList(nodes, isNode);
  if (!isWhole || !runs || !isList(parameters, isTensor) || !isList(buffers, isTensor)) return false;
  const held = new Map((tensors as ProgramTensor[]).map((tensor) => [tensor.name, String(tensor.shape)]));
  const used = [...(parameters as ProgramTensor[]), ...(buffers as ProgramTensor[])];
  return used.every((tensor) => held.get(tensor.name) === String(tensor.shape));
}
