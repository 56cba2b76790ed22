// The builder for models of one's own.

import { type Check, checkOptions, invalid, isNumber, isOneOf, isRecord, isText } from '../core/checks';
import { LearnError } from '../core/errors';
import { onlyInput } from '../core/sample-values';
import { chain, type Layers } from '../layers/containers';
import { buildModel, imageInput } from '../program/build-model';
import type { Model } from '../program/module';
import type { ProgramInput } from '../program/program';

/** An input of a model: what one sample of it is. */
export interface InputForm {
  /** Data types that can be cast to it without loss are accepted too. Defaults to 'float32'. */
  dtype?: ProgramInput['dtype'];
  /** Shape of one sample, such as [3, 32, 32]. Default: any. */
  shape?: readonly number[];
}

/** Options of {@link sequential}. */
export interface SequentialOptions {
  /** Shape of one sample, such as [3, 32, 32]; `predict` and the checks before a run use it. Default: any. */
  input?: readonly number[];
  /**
   * Instead of `input`: the inputs by name, in order, such as `{ ids: { dtype: 'int64', shape: [64] }, mask: { dtype: 'int64' } }`. The first
   * layer takes the first one; layers that take another name it, as in `meanOverTime({ mask: 'mask' })`.
   */
  inputs?: Readonly<Record<string, InputForm>>;
  /** For messages. Defaults to 'Sequential'. */
  name?: string;
}

const isShape: Check = (value, name) => {
  if (!Array.isArray(value)) throw invalid('the shape of a sample, such as [3, 32, 32],', name, value);
  for (const size of value) isNumber({ integer: true, min: 0 })(size, name);
};

const isInputs: Check = (value, name) => {
  const expected = "inputs by name, such as { ids: { dtype: 'int64', shape: [64] } },";
  if (!isRecord(value) || Object.keys(value).length === 0) throw invalid(expected, name, value);
};

/**
 * A model that runs its layers one after the other; the keys become the names in the state dict. A model that sequential() made is a layer of
 * another one, too.
 *
 * @example
 * ```ts
 * const model = sequential({ fc1: linear(8, 16), relu: relu(), fc2: linear(16, 2) }, { input: [8] });
 * const state = await createState(model, { seed: 0 });
 * ```
 */
export function sequential(layers: Layers, options: SequentialOptions = {}): Model {
  const checks = { input: isShape, inputs: isInputs, name: isText };
  const { input, inputs, name = 'Sequential' } = checkOptions('sequential', options, checks);
  if (input !== undefined && inputs !== undefined)
    throw new LearnError('ERR_INVALID_OPTION', 'Expected either "input" or "inputs" of sequential() but received both');
  return buildModel(name, chain(layers, firstOf(inputs)), inputs ? programInputs(inputs) : [imageInput(input)]);
}

function firstOf(inputs: SequentialOptions['inputs']): string {
  return inputs === undefined ? onlyInput : Object.keys(inputs)[0]!;
}

function programInputs(inputs: Readonly<Record<string, InputForm>>): ProgramInput[] {
  return Object.entries(inputs).map(([name, form]) => {
    const checks = { dtype: isOneOf(['float32', 'int64', 'int32', 'uint8']), shape: isShape };
    const { dtype = 'float32', shape } = checkOptions(`the input "${name}" of sequential`, form, checks);
    return { name, dtype, ...(shape && { shape: [...shape] }) };
  });
}
