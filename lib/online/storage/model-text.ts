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
import type { Model } from '../../program/module';
import { isList, isModel, isObject, isText } from './model-checks';

const unwritten = ['Infinity', '-Infinity', 'NaN', '-0'];
const isPlain = (number: number) => Number.isFinite(number) && !Object.is(number, -0);

/** Without the places of nodes that layers made: they are for messages, and models of earlier versions do not have them. */
export function modelText(model: Model): string {
  const isExported = model.program.exported === true;
  return JSON.stringify(model, (key, value: unknown) => {
    if (key === 'place' && !isExported) return undefined;
    return typeof value === 'number' && !isPlain(value)
      ? { $number: Object.is(value, -0) ? '-0' : String(value) }
      : value;
  });
}

/** Throws ERR_STATE_FORMAT unless the text is a model. Its operators are checked when the program is made. */
export function readModel(text: string): Model {
  let model: unknown;
  try {
    model = JSON.parse(text, (_, value: unknown) => {
      const named = typeof value === 'object' && value !== null ? (value as { $number?: unknown }).$number : undefined;
      if (typeof named !== 'string') return value;
      if (!unwritten.includes(named)) throw new Error(`no number is written as ${named}`);
      return Number(named);
    });
  } catch {
    // Reported below, like any text that is not a model.
  }
  const current = ofThisVersion(model);
  if (isModel(current)) return current;
  throw new LearnError('ERR_STATE_FORMAT', 'Expected a model in the folder of a learner');
}

/** The fields keep their order, on which the text of a model depends. */
function ofThisVersion(model: unknown): unknown {
  if (!isObject(model) || !isObject(model.program)) return model;
  const { inputs } = model.program;
  if (!isList(inputs, isText)) return model;
  const { input: shape, ...others } = plain(model);
  const named = inputs.map((name) => ({ name, dtype: 'float32', ...(shape !== undefined && { shape }) }));
  return { ...others, program: { ...model.program, inputs: named } };
}
