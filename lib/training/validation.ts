// Validation within a training: other data are scored after an epoch, and the results decide whether to stop, and which weights are
// the best. The addon computes the scores; the verdict is given here.
import { type Check, checkOptions, invalid, isBoolean, isNumber, isText, plain } from '../core/checks';
import { LearnError } from '../core/errors';
import { listed } from '../core/family';
import type { TargetKind } from '../core/sample-values';
import { type Dataset, datasets } from '../datasets';
import { firstOf, type Opening } from '../datasets/opening';
import type { ValidationResult } from '../loggers/events';
import { type LossOption, lossFrom } from '../losses';
import { lossPlan, usualMetricsOf } from '../losses/plan';
import { betterOf, checkMetrics, isMetrics, type Metric, metricName, metricResults, sumsOf } from '../metrics';
import { predictionForm } from '../metrics/metric';
import type { VerdictsHandle } from '../native/handles';
import { runJob } from '../native/job';
import { type NativeEvaluation, native } from '../native/native';
import type { EvaluatePlan, ValidationPlan } from '../native/plans';
import { programHandle } from '../native/programs';
import type { Monitor } from '../schedulers/torch-form';
import { isTransforms, scoringTransforms, type Transforms, transformsOf } from '../transforms/by-input';
import { checkEvaluates } from './batch-sizes';
import { inputOrder } from './inputs';
import type { Subject } from './run';

/** Validation of a training: `validation: { data, patience: 3 }`. */
export interface ValidationOptions {
  /** Samples that are never trained on. */
  data: Dataset;
  /** Default: as for evaluate(). */
  transforms?: Transforms;
  /** Epochs between two validations. Default: 1. */
  every?: number;
  /** As for evaluate(). */
  metrics?: readonly Metric[];
  /**
   * The result that decides: `'loss'`, or the name of a metric, such as `'accuracy'` or `'f1Score:average=micro'`; whether it is to fall or to
   * grow follows from it. Default: 'loss'.
   */
  monitor?: string;
  /** Validations in a row without an improvement after which the training stops. Default: it runs to its end. */
  patience?: number;
  /** An improvement is larger than this. Default: 0. */
  minDelta?: number;
  /** The returned state is that of the best validation instead of the last step. Default: true where there is a `patience`. */
  restoreBest?: boolean;
}

/** What a checkpoint records of it. */
export interface ValidationRecord {
  /** The monitored result of the best validation; null: none was finite yet. */
  best: number | null;
  /** Validations since then. */
  bad: number;
}

const checks = {
  data: datasets.check,
  transforms: isTransforms,
  metrics: isMetrics,
  every: isNumber({ integer: true, min: 1 }),
  monitor: isText,
  patience: isNumber({ integer: true, min: 1 }),
  minDelta: isNumber({ min: 0 }),
  restoreBest: isBoolean,
} satisfies Record<keyof ValidationOptions, Check>;

export const isValidation: Check = (value, name) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('{ data, … }', name, value);
  const copy = checkOptions(name, value as ValidationOptions, checks);
  if (copy.data === undefined) throw invalid('a data set', `${name}.data`, undefined);
  return copy;
};

/** A validation whose data are open. */
export interface OpenValidation {
  readonly plan: ValidationPlan;
  readonly validator: Validator;
  dispose(): void;
}

/** `opening`: of its data. `record`: of the checkpoint that is resumed. Throws where the model does not take the samples. */
export async function openValidation(
  options: ValidationOptions,
  opening: Opening,
  { model, plan: subject }: Subject,
  { allowOperators, loss }: { allowOperators?: readonly string[]; loss?: LossOption },
  record: ValidationRecord | undefined,
): Promise<OpenValidation> {
  const dataset = await opening.finish();
  try {
    checkEvaluates(model, 'Validation');
    const { inputs, ...form } = native().datasetInfo(dataset);
    const transforms = transformsOf(options.transforms, inputs, scoringTransforms);
    const planned = lossPlan(lossFrom(loss), model);
    const metrics = options.metrics ?? usualMetricsOf(planned, form.target.kind);
    checkMetrics(metrics, predictionForm(form));
    const validator = new Validator(options, metrics, form.target.kind, record);
    const program = await programHandle(model.program, allowOperators);
    const { every, verdicts } = validator;
    const order = inputOrder(model, inputs, transforms);
    const plan = { program, dataset, transforms, order, sums: sumsOf(metrics), every, verdicts };
    await scoreOne({ ...subject, ...plan, loss: planned });
    return { plan, validator, dispose: () => native().disposeDataset(dataset) };
  } catch (cause) {
    native().disposeDataset(dataset);
    throw cause;
  }
}

/** Scores one sample, so that what does not fit fails before an epoch was trained. */
async function scoreOne(plan: EvaluatePlan): Promise<void> {
  const dataset = await firstOf(plan.dataset);
  try {
    await runJob(() => native().evaluate({ ...plan, dataset }), {});
  } finally {
    native().disposeDataset(dataset);
  }
}

/** Judges validations in turn. */
export class Validator {
  readonly every: number;
  readonly verdicts: VerdictsHandle = native().makeVerdicts();
  readonly #monitor: string;
  /** A larger result is a better one. */
  readonly #grows: boolean;
  readonly #options: ValidationOptions;
  readonly #metrics: readonly Metric[];
  readonly #kind: TargetKind;
  readonly #results = new Map<number, ValidationResult>();
  /** After each validation, by its epoch: a snapshot may be older than the newest. */
  readonly #records: [epoch: number, record: ValidationRecord][];

  /** Throws ERR_INVALID_OPTION for a result that there will not be. `kind`: of the targets. */
  constructor(
    options: ValidationOptions,
    metrics: readonly Metric[],
    kind: TargetKind,
    record: ValidationRecord = { best: null, bad: 0 },
  ) {
    const { every = 1, monitor = 'loss' } = options;
    this.every = every;
    this.#monitor = monitor;
    this.#options = options;
    this.#metrics = metrics;
    this.#kind = kind;
    this.#records = [[0, plain(record)]];
    const better = new Map<string, string | undefined>([['loss', 'smallest']]);
    for (const metric of metrics) better.set(metricName(metric), betterOf(metric));
    this.#grows = better.get(monitor) === 'largest';
    if (better.get(monitor) !== undefined) return;
    const names = [...better].filter(([, side]) => side !== undefined).map(([name]) => `'${name}'`);
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected the name of a result, ${listed(names)}, for "validation.monitor" but received '${monitor}'; "validation.metrics" adds ` +
        'others',
    );
  }

  get monitor(): Monitor {
    return { name: this.#monitor, grows: this.#grows };
  }

  get restoresBest(): boolean {
    return this.#options.restoreBest ?? this.#options.patience !== undefined;
  }

  /** Whether the patience is at its end. */
  get isOver(): boolean {
    return this.#last.bad >= (this.#options.patience ?? Infinity);
  }

  get #last(): ValidationRecord {
    return this.#records.at(-1)![1];
  }

  /** What a checkpoint after that many epochs records. */
  recordAfter(epochs: number): ValidationRecord {
    return this.#records.findLast(([epoch]) => epoch <= epochs)![1];
  }

  /** The result after this epoch, if there is one. */
  resultOf(epoch: number): ValidationResult | undefined {
    return this.#results.get(epoch);
  }

  /** Judges the validation after an epoch. The training waits for it. */
  judge(epoch: number, { loss, samples, correct, predicted, sums }: NativeEvaluation): void {
    const metrics = metricResults(this.#metrics, sums, this.#kind);
    this.#results.set(epoch, { loss, samples, accuracy: correct / predicted, metrics });
    const monitored = this.#monitor === 'loss' ? loss : Number(metrics[this.#monitor]);
    const isBetter = this.#isBetter(monitored);
    const { best, bad } = this.#last;
    this.#records.push([epoch, isBetter ? { best: monitored, bad: 0 } : { best, bad: bad + 1 }]);
    native().giveVerdict(this.verdicts, { stops: this.isOver, keeps: isBetter && this.restoresBest, monitored });
  }

  #isBetter(value: number): boolean {
    const { best } = this.#last;
    if (!Number.isFinite(value)) return false;
    if (best === null) return true;
    const gain = this.#grows ? value - best : best - value;
    return gain > (this.#options.minDelta ?? 0);
  }
}
