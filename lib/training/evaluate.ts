// Evaluating and predicting: forward passes that change nothing.

import { checkOptions, isListOf, isNumber } from '../core/checks';
import { LearnError } from '../core/errors';
import { copyOfValues, sizeOf, type Values } from '../core/sample-values';
import { type Dataset, datasetClasses, datasets } from '../datasets';
import { cifar10 } from '../datasets/cifar10/cifar10';
import { runJob } from '../native/job';
import { native } from '../native/native';
import { sampleShape } from '../program/module';
import type { State } from '../state/state';
import { isTransforms, type Transform } from '../transforms';
import { normalize, toTensor } from '../transforms/normalize';
import { checkSamples, type RunOptions, runOptionChecks, withRun, withSubject } from './run';

/** Options of {@link evaluate}. */
export interface EvaluateOptions extends RunOptions {
  /** Default: `cifar10({ root: './data', train: false, download: true })`. */
  data?: Dataset;
  /** Default: the reference script's without the random ones, `[toTensor(), normalize(0.5, 0.5)]`; none for float32 data. */
  transforms?: readonly Transform[];
}

/** The result of one class. */
export interface ClassResult {
  /** The class's name, or its number where the data set has no names. */
  name: string;
  samples: number;
  correct: number;
  /** Correct among this class's samples, 0 to 1; NaN where there are none. */
  accuracy: number;
}

/** Result of {@link evaluate}. */
export interface Evaluation {
  /** Mean cross-entropy over the samples; NaN if an output is NaN. */
  loss: number;
  /** Correct among all samples, 0 to 1. */
  accuracy: number;
  perClass: ClassResult[];
  /** `confusion[actual][predicted]`: how many samples, without those of `notFinite`. */
  confusion: number[][];
  samples: number;
  /**
   * Samples whose largest output is infinite or NaN, so that no class can be predicted. None of them counts as correct. A
   * number above 0 means that the weights or the samples are useless.
   */
  notFinite: number;
}

/**
 * Scores a state on labelled data.
 *
 * @example
 * ```ts
 * const { accuracy, loss, perClass } = await evaluate('model.pth', { data: cifar10({ train: false }) });
 * ```
 */
export async function evaluate(source: string | State, given: EvaluateOptions = {}): Promise<Evaluation> {
  const options = checkOptions('evaluate', given, {
    ...runOptionChecks,
    data: datasets.check,
    transforms: isTransforms,
  });
  const { data = cifar10({ root: './data', train: false, download: true }), signal } = options;
  const result = await withRun(source, data, options, ({ model, plan }, dataset) => {
    const { shape, dtype } = native().datasetInfo(dataset);
    const transforms = options.transforms ?? defaultTransforms(dtype);
    checkSamples(model, shape, transforms);
    return runJob(() => native().evaluate({ ...plan, dataset, transforms }), { signal });
  });
  const { loss, samples, confusion: cells, notFinite } = result;

  const classes = notFinite.length;
  const confusion = Array.from({ length: classes }, (_, row) => [
    ...cells.subarray(row * classes, (row + 1) * classes),
  ]);
  const names = await datasetClasses(data);
  const perClass = confusion.map((row, label): ClassResult => {
    const count = row.reduce((sum, cell) => sum + cell, notFinite[label]!);
    const correct = row[label] ?? 0;
    return { name: names?.[label] ?? String(label), samples: count, correct, accuracy: correct / count };
  });
  const correct = perClass.reduce((sum, result) => sum + result.correct, 0);
  const none = notFinite.reduce((sum, count) => sum + count, 0);
  return { loss, accuracy: correct / samples, perClass, confusion, samples, notFinite: none };
}

/** Options of {@link predict}. */
export interface PredictOptions extends RunOptions {
  /** For uint8 inputs. Default: `[toTensor(), normalize(0.5, 0.5)]`. float32 inputs go into the model as they are. */
  transforms?: readonly Transform[];
  /** Shape of one sample. Default: the model's own, where it fixes one. */
  shape?: readonly number[];
}

/** Result of {@link predict}. */
export interface Prediction {
  /** [sample, class], row by row. */
  logits: Float32Array;
  /** The class of each sample's largest logit. */
  labels: Int32Array;
}

/**
 * Runs samples through the model: `inputs` is [n, …shape] row by row, as uint8 pixels or as float32 that are already what
 * the model takes. They are copied at the call.
 *
 * @example
 * ```ts
 * const state = await loadState('model.pth');
 * const { labels, logits } = await predict(state, new Uint8Array(2 * 3 * 32 * 32), { threads: 1 });
 * ```
 */
export async function predict(
  source: string | State,
  inputs: Uint8Array | Float32Array,
  options: PredictOptions = {},
): Promise<Prediction> {
  return predictOf(source, copyOfValues(inputs, ['uint8', 'float32']), options);
}

/** As predict(), for inputs that nothing else changes, which are not copied. */
export async function predictOf(source: string | State, inputs: Values, given: PredictOptions): Promise<Prediction> {
  const options = checkOptions('predict', given, {
    ...runOptionChecks,
    transforms: isTransforms,
    shape: isListOf(isNumber({ integer: true, min: 1 })),
  });
  return withSubject(source, options, ({ model, plan }) => {
    const shape = options.shape ?? sampleShape(model);
    if (!shape) {
      throw new LearnError(
        'ERR_INVALID_OPTION',
        `Expected the option "shape": ${model.name} does not fix the shape of a sample`,
      );
    }
    const size = sizeOf(shape);
    if (inputs.length === 0 || inputs.length % size !== 0) {
      throw new LearnError(
        'ERR_SHAPE',
        `Expected a multiple of ${size} values, one sample being [${shape.join(', ')}], but "inputs" has ${inputs.length}`,
      );
    }
    const transforms = options.transforms ?? defaultTransforms(inputs instanceof Uint8Array ? 'uint8' : 'float32');
    checkSamples(model, shape, transforms);
    return runJob(() => native().predict({ ...plan, inputs, shape, transforms }), { signal: options.signal });
  });
}

function defaultTransforms(dtype: 'uint8' | 'float32'): readonly Transform[] {
  return dtype === 'uint8' ? [toTensor(), normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])] : [];
}
