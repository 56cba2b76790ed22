// The family of metrics: how good predictions are. A new one is a file here and a line in the list; if none of sums/ is enough for it,
// also a file and a line there, and in src/metrics/.
import { type Check, isListOf } from '../core/checks';
import { LearnError } from '../core/errors';
import { type Family, family, listed, type MemberOf } from '../core/family';
import type { TargetKind } from '../core/sample-values';
import { accuracy, shareOfRight } from './accuracy';
import { areaUnderCurve } from './auroc';
import { meanOfPrecisions } from './average-precision';
import { meanSquaredDistance } from './brier-score';
import { beyondChance } from './cohen-kappa';
import { cellsOfPairs } from './confusion-matrix';
import { calibrationGap } from './expected-calibration-error';
import { f1Score, harmonicMean } from './f1-score';
import { meanLogLoss } from './log-loss';
import { meanAbsoluteError, meanOfAbsolute } from './mean-absolute-error';
import { meanOfSquares } from './mean-squared-error';
import type { MetricKind, MetricResult } from './metric';
import { shareOfEachClass } from './per-class-accuracy';
import { shareOfPredicted } from './precision';
import { r2Score, shareOfVariance } from './r2-score';
import { shareOfActual } from './recall';
import { rootMeanSquaredError, rootOfSquares } from './root-mean-squared-error';
import type { Sums } from './sums';
import type { Numbers, PredictionForm } from './sums/sums';
import { shareOfTopHits } from './top-k-accuracy';

export const metrics = family('a metric', {
  accuracy: shareOfRight,
  topKAccuracy: shareOfTopHits,
  perClassAccuracy: shareOfEachClass,
  confusionMatrix: cellsOfPairs,
  precision: shareOfPredicted,
  recall: shareOfActual,
  f1Score: harmonicMean,
  cohenKappa: beyondChance,
  logLoss: meanLogLoss,
  brierScore: meanSquaredDistance,
  expectedCalibrationError: calibrationGap,
  auroc: areaUnderCurve,
  averagePrecision: meanOfPrecisions,
  meanAbsoluteError: meanOfAbsolute,
  meanSquaredError: meanOfSquares,
  rootMeanSquaredError: rootOfSquares,
  r2Score: shareOfVariance,
});

/** Measures predictions. Made by {@link accuracy}, {@link f1Score}, {@link meanAbsoluteError} or another function of its family. */
export type Metric = MemberOf<typeof metrics.makers>;

type Entries = typeof metrics extends Family<infer Entries> ? Entries : never;

type ResultOf<Kind> = Kind extends { result: (...given: never[]) => infer Result } ? Result : never;

/**
 * Results by the names of their metrics: the function's, followed by the options that are not their defaults, as in
 * `'f1Score:average=micro'` and `'topKAccuracy:k=3'`.
 */
export type MetricResults = { readonly [Kind in keyof Entries]?: ResultOf<Entries[Kind]> } & Readonly<
  Record<string, MetricResult>
>;

const kindOf = (metric: Metric) => metrics.entryOf(metric) as unknown as MetricKind<Metric, MetricResult>;

/** The name of a metric's result, which is also its word on the command line. */
export function metricName(metric: Metric): string {
  const defaults: object = metrics.makers[metric.kind]();
  const usual = new Map(Object.entries(defaults));
  const options = Object.entries(metric).filter(([name, value]) => usual.get(name) !== value);
  return [metric.kind, options.map(([name, value]) => `${name}=${value}`).join(',')].filter(Boolean).join(':');
}

/** Which results of a metric are better; undefined: they are lists. */
export function betterOf(metric: Metric): 'largest' | 'smallest' | undefined {
  return kindOf(metric).better;
}

/** A list of metrics, none of them twice. */
export const isMetrics: Check = (value, name) => {
  const list = isListOf(metrics.check)(value, name) as Metric[];
  const names = list.map(metricName);
  const again = names.find((one, i) => names.indexOf(one) !== i);
  if (again === undefined) return Object.freeze(list);
  throw new LearnError('ERR_INVALID_OPTION', `Expected each metric once in "${name}" but ${again} is there twice`);
};

/** The metrics of a record; earlier versions recorded none. */
export function recordedMetrics(record: readonly { readonly kind?: unknown }[] = []): readonly Metric[] {
  for (const { kind } of record) metrics.known(kind);
  return isMetrics(record, 'metrics') as readonly Metric[];
}

/** The metrics of a kind of targets where none are asked for. */
export function usualMetrics(kind: TargetKind): readonly Metric[] {
  if (kind === 'none') return [];
  if (kind === 'values') return [meanAbsoluteError(), rootMeanSquaredError(), r2Score()];
  return kind === 'classes' ? [accuracy(), f1Score()] : [accuracy()];
}

/** Throws ERR_INVALID_OPTION, naming the metric, unless all can be computed. */
export function checkMetrics(list: readonly Metric[], form: PredictionForm): void {
  for (const metric of list) {
    const { targets, missing } = kindOf(metric);
    const quoted = targets.map((kind) => `'${kind}'`);
    const problem = targets.includes(form.kind) ? missing?.(metric, form) : `targets of the kind ${listed(quoted)}`;
    if (problem === undefined) continue;
    const received = targets.includes(form.kind) ? `there are ${form.size}` : `these are of the kind '${form.kind}'`;
    throw new LearnError('ERR_INVALID_OPTION', `${metricName(metric)} needs ${problem}, but ${received}`);
  }
}

const same = (a: Sums, b: Sums) => JSON.stringify(a) === JSON.stringify(b);

/** The sums that the metrics are computed from, each once. */
export function sumsOf(list: readonly Metric[]): Sums[] {
  const all = list.map((metric) => kindOf(metric).sums(metric));
  return all.filter((sums, i) => all.findIndex((other) => same(other, sums)) === i);
}

/** The results, by name, from the states of `sumsOf(list)`, in their order. */
export function metricResults(list: readonly Metric[], states: readonly Numbers[], kind: TargetKind): MetricResults {
  const sums = sumsOf(list);
  const stateOf = (metric: Metric) => states[sums.findIndex((one) => same(one, kindOf(metric).sums(metric)))]!;
  const resultOf = (metric: Metric) => kindOf(metric).result(stateOf(metric), metric, kind);
  return Object.fromEntries(list.map((metric) => [metricName(metric), resultOf(metric)])) as MetricResults;
}
