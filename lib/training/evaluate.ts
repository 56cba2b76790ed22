// Evaluating: a forward pass over a data set, which changes nothing.

import { checkOptions } from '../core/checks';
import { type Dataset, datasetClasses, datasets } from '../datasets';
import { cifar10 } from '../datasets/cifar10/cifar10';
import { isLoss, type LossOption, lossFrom } from '../losses';
import { lossPlan, usualMetricsOf } from '../losses/plan';
import { checkMetrics, isMetrics, type Metric, type MetricResults, metricResults, sumsOf } from '../metrics';
import { predictionForm } from '../metrics/metric';
import { runJob } from '../native/job';
import { native } from '../native/native';
import { classNamesOf } from '../state/class-names';
import type { State } from '../state/state';
import { isTransforms, scoringTransforms, type Transforms, transformsOf } from '../transforms/by-input';
import { checkEvaluates, checkLargestBatch } from './batch-sizes';
import { inputOrder } from './inputs';
import { type RunOptions, runOptionChecks, withRun } from './run';

/** Options of {@link evaluate}. */
export interface EvaluateOptions extends RunOptions {
  /** Default: `cifar10({ root: './data', train: false, download: true })`. */
  data?: Dataset;
  /** Default: for images of uint8 the reference script's without the random ones, `[toTensor(), normalize(0.5, 0.5)]`; otherwise none. */
  transforms?: Transforms;
  /**
   * Default: `accuracy()`; for targets of the kind `classes` also `f1Score()`; for `values` `meanAbsoluteError()`,
   * `rootMeanSquaredError()` and `r2Score()` instead.
   */
  metrics?: readonly Metric[];
  /** As for training; `'model'`: the model's own. Default: `crossEntropyLoss()`. */
  loss?: LossOption;
}

/** The result of one class. */
export interface ClassResult {
  /** The class's name in the data set, else in the state where that names all classes, else its number. */
  name: string;
  samples: number;
  correct: number;
  /** Correct among this class's samples, 0 to 1; NaN where there are none. */
  accuracy: number;
}

/** Result of {@link evaluate}. */
export interface Evaluation {
  /**
   * The loss of all samples as one batch, such as the mean over all tokens but ignored ones; with `reduction: 'sum'` that sum divided by the
   * samples. NaN if an output is NaN or nothing counts.
   */
  loss: number;
  /** Correct among all samples, or all tokens but ignored ones, 0 to 1; NaN for targets that are not indices of classes. */
  accuracy: number;
  /** Empty for targets that are not classes, as is `confusion`. */
  perClass: ClassResult[];
  /** `confusion[actual][predicted]`: how many samples, without those of `notFinite`. */
  confusion: number[][];
  samples: number;
  /**
   * Samples whose largest output is infinite or NaN, so that no class can be predicted. None of them counts as correct. A
   * number above 0 means that the weights or the samples are useless. 0 for targets that are not classes.
   */
  notFinite: number;
  /** Results by the names of the metrics. */
  metrics: MetricResults;
}

/**
 * Scores a state on labelled data.
 *
 * @example
 * ```ts
 * const { accuracy, loss, perClass } = await evaluate('model.pth', { data: cifar10({ train: false }) });
 * const { metrics } = await evaluate('model.pth', { metrics: [f1Score(), topKAccuracy({ k: 3 })] });
 * metrics['topKAccuracy:k=3'];
 * ```
 */
export async function evaluate(source: string | State, given: EvaluateOptions = {}): Promise<Evaluation> {
  const options = checkOptions('evaluate', given, {
    ...runOptionChecks,
    data: datasets.check,
    transforms: isTransforms,
    metrics: isMetrics,
    loss: isLoss,
  });
  const { data = cifar10({ root: './data', train: false, download: true }), signal } = options;
  const result = await withRun(source, data, options, async ({ state, model, plan }, dataset) => {
    checkEvaluates(model, 'evaluate()');
    checkLargestBatch(model, plan.batchSize);
    const { inputs, ...form } = native().datasetInfo(dataset);
    const loss = lossPlan(lossFrom(options.loss), model);
    const asked = options.metrics ?? usualMetricsOf(loss, form.target.kind);
    checkMetrics(asked, predictionForm(form));
    const transforms = transformsOf(options.transforms, inputs, scoringTransforms);
    const order = inputOrder(model, inputs, transforms);
    const sums = sumsOf(asked);
    const result = await runJob(() => native().evaluate({ ...plan, dataset, transforms, order, loss, sums }), {
      signal,
    });
    return { ...result, metrics: metricResults(asked, result.sums, form.target.kind), named: classNamesOf(state) };
  });
  const { loss, samples, correct, predicted, confusion: cells, notFinite, metrics, named } = result;

  const classes = notFinite.length;
  const confusion = Array.from({ length: classes }, (_, row) => [
    ...cells.subarray(row * classes, (row + 1) * classes),
  ]);
  const ofData = await datasetClasses(data);
  const own = named?.length === classes ? named : undefined;
  const perClass = confusion.map((row, label): ClassResult => {
    const count = row.reduce((sum, cell) => sum + cell, notFinite[label]!);
    const correct = row[label] ?? 0;
    return {
      name: ofData?.[label] ?? own?.[label] ?? String(label),
      samples: count,
      correct,
      accuracy: correct / count,
    };
  });
  const none = notFinite.reduce((sum, count) => sum + count, 0);
  return { loss, accuracy: correct / predicted, perClass, confusion, samples, notFinite: none, metrics };
}
