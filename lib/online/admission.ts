// What a learner takes: mistakes of the caller throw; samples that are wrong themselves are told, and go to quarantine.
import { invalid } from '../options';
import { sizeOf, type Values, valueArrays } from '../values';
import type { SampleId } from './ids';
import type { Settings } from './learner-options';
import type { Score } from './prequential';
import type { Setting } from './setting';

/** Labelled samples. */
export interface Samples {
  /** [sample, …] row by row, of the type and shape that the learner takes. Copied. */
  inputs: Values;
  /** One a sample, from 0. */
  labels: Int32Array | readonly number[];
  /** One a sample. Of several with equal ids, one is learned; ids that print alike are equal. */
  ids?: readonly SampleId[];
}

export interface Sample {
  /** null: it has none, and may be learned any number of times. */
  id: string | null;
  label: number;
  input: Values;
  /** Of a prediction that was made before; null: the version that serves when it is learned makes one. */
  score?: Score | null;
}

/** A copy of values of the type that the learner takes. Throws ERR_INVALID_OPTION where they are of another. */
export function copyOf(inputs: Values, { inputs: type }: Pick<Settings, 'inputs'>): Values {
  const array = valueArrays[type];
  if (!(inputs instanceof array)) throw invalid(`a ${array.name}`, 'inputs', inputs);
  // slice() of a Buffer would be a view.
  return new array(inputs);
}

/** The samples one by one, copied. Throws ERR_INVALID_OPTION where they are none. */
export function samplesIn({ inputs, labels, ids }: Samples, { settings }: Setting): Sample[] {
  const copy = copyOf(inputs, settings);
  if (!(labels instanceof Int32Array || Array.isArray(labels)) || labels.length === 0) {
    throw invalid('an Int32Array or an array, of at least one label', 'labels', labels);
  }
  if (ids !== undefined && !(Array.isArray(ids) && ids.length === labels.length)) {
    throw invalid(`an array of ${labels.length} ids, one for each label`, 'ids', ids);
  }
  const cut = (i: number) => Math.floor((i * copy.length) / labels.length);
  return Array.from(labels as ArrayLike<number>, (label, i) => ({
    id: ids === undefined ? null : String(ids[i]),
    label,
    input: copy.subarray(cut(i), cut(i + 1)),
  }));
}

/** Why a sample cannot be learned; empty: it can. */
export function objection({ input, label }: Sample, { classes, shape, gate }: Setting): string {
  const size = sizeOf(shape);
  if (input.length !== size) {
    return `expected ${size} values a sample, of shape [${shape.join(', ')}], but there are ${input.length}`;
  }
  if (!(Number.isInteger(label) && label >= 0 && label < classes)) return `expected a label from 0 to ${classes - 1}`;
  if (input instanceof Float32Array && !input.every(Number.isFinite)) return 'a value is not finite';
  return gate?.holds(input) ? 'it is one of the held-out samples' : '';
}
