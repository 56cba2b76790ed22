// Transforms of samples with several inputs: a list for each, by name.
import { type Check, invalid, isListOf, isRecord } from '../core/checks';
import type { InputForm } from '../core/sample-values';
import { cifar10Transforms, type Transform, transforms } from './index';
import { normalize, toTensor } from './normalize';

/** A list where samples have one input; otherwise a list by the name of each input that has any. */
export type Transforms = readonly Transform[] | Readonly<Record<string, readonly Transform[]>>;

const isList = isListOf(transforms.check);

/** Returns a copy of the lists. */
export const isTransforms: Check = (value, name) => {
  if (Array.isArray(value)) return isList(value, name);
  if (!isRecord(value)) throw invalid('an array, or an object of arrays by the names of inputs,', name, value);
  return Object.fromEntries(Object.entries(value).map(([input, list]) => [input, isList(list, `${name}.${input}`)]));
};

const areForOneInput = (given: Transforms): given is readonly Transform[] => Array.isArray(given);

/**
 * A list for each of the inputs, in their order; `otherwise` for those that have none. Throws ERR_INVALID_OPTION if `given` names an
 * input that the samples do not have, or is one list for several inputs.
 */
export function transformsOf(
  given: Transforms | undefined,
  inputs: readonly InputForm[],
  otherwise: (input: InputForm) => readonly Transform[],
): (readonly Transform[])[] {
  if (given === undefined) return inputs.map(otherwise);
  const names = inputs.map(({ name }) => name);
  if (areForOneInput(given)) {
    if (inputs.length === 1) return [given];
    throw invalid(
      `an object with a list for each input that has transforms, among ${names.join(', ')},`,
      'transforms',
      given,
    );
  }
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw invalid(`only inputs of the samples, which are ${names.join(', ')},`, 'transforms', unknown);
  return inputs.map((input) => (Object.hasOwn(given, input.name) ? given[input.name]! : otherwise(input)));
}

/** The default for training: the reference script's for images of bytes; everything else is what the model takes already. */
export function trainingTransforms(input: InputForm): readonly Transform[] {
  return isImage(input) ? cifar10Transforms : [];
}

const pixelsAlone: readonly Transform[] = Object.freeze([toTensor(), normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])]);

/** The default for scoring: those of training that draw nothing. */
export function scoringTransforms(input: InputForm): readonly Transform[] {
  return isImage(input) ? pixelsAlone : [];
}

function isImage({ dtype, shape }: InputForm): boolean {
  return dtype === 'uint8' && shape.length === 3;
}
