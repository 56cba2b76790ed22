// Running metrics of a stream of predictions: over all of them, and over the last ones.
import { LearnError } from '../core/errors';
import { checkMetrics, type Metric, type MetricResults, metricName, metricResults, sumsOf } from './index';
import { kindOf, type Sums } from './sums';
import { logSoftmax, type Numbers, type Prediction, type PredictionForm } from './sums/sums';

/** What counts of one prediction: for each of the sums its entry. */
export type Entries = readonly (readonly number[])[];

/** Predictions in a window, and the most numbers that a window keeps of the entries of one kind of sums. */
const longest = { predictions: 1000, numbers: 16_384 };
/** The most numbers of a running state, which every snapshot has. */
const mostNumbers = 65_536;

interface Running {
  state: number[];
  /** The last entries, oldest first. */
  window: (readonly number[])[];
}

/** Sums by their names, as a snapshot has them. */
export type RunningState = Readonly<Record<string, Running>>;

const nameOf = (sums: Sums) => JSON.stringify(sums);

/** The entries of one prediction. */
export function entriesOf(sums: readonly Sums[], outputs: Numbers, target: number | Numbers): Entries {
  let logs: Float64Array | undefined;
  const prediction: Prediction = {
    outputs,
    target,
    get logProbabilities() {
      logs ??= logSoftmax(outputs);
      return logs;
    },
  };
  return sums.map((one) => kindOf(one).entry(prediction, one));
}

/** Throws ERR_INVALID_OPTION, naming the metric, unless a learner of such predictions can compute all of them. */
export function checkRunning(metrics: readonly Metric[], form: PredictionForm): void {
  checkMetrics(metrics, form);
  if (form.kind === 'tokens' && metrics.length > 0) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      'Expected no "metrics" where the learner\'s targets are tokens; evaluate() computes them for a data set',
    );
  }
  for (const metric of metrics) {
    const [sums] = sumsOf([metric]) as [Sums];
    const { length } = kindOf(sums).start(form, sums);
    if (length <= mostNumbers) continue;
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `${metricName(metric)} keeps ${length} numbers for predictions of ${form.size}, and a learner at most ${mostNumbers} for a metric; ` +
        'evaluate() computes it for a data set',
    );
  }
}

export class RunningMetrics {
  readonly #metrics: readonly Metric[];
  readonly #form: PredictionForm;
  readonly #sums: readonly Sums[];
  readonly #running: readonly Running[];

  /** `saved`: a result of toJSON(), maybe with other metrics; those that it does not have begin. */
  constructor(metrics: readonly Metric[], form: PredictionForm, saved: RunningState = {}) {
    this.#metrics = metrics;
    this.#form = form;
    this.#sums = sumsOf(metrics);
    this.#running = this.#sums.map((sums) => {
      const name = nameOf(sums);
      return Object.hasOwn(saved, name)
        ? structuredClone(saved[name]!)
        : { state: kindOf(sums).start(form, sums), window: [] };
    });
  }

  add(entries: Entries): void {
    for (const [i, sums] of this.#sums.entries()) {
      const { state, window } = this.#running[i]!;
      const entry = entries[i]!;
      kindOf(sums).add(state, entry, this.#form);
      window.push(entry);
      // Trimmed only now and then, because removing the first items of a long array moves all others.
      if (window.length >= 2 * lengthOf(entry)) window.splice(0, window.length - lengthOf(entry));
    }
  }

  /** Over all predictions. */
  get results(): MetricResults {
    const states = this.#running.map(({ state }, i) => kindOf(this.#sums[i]!).finish?.(state, this.#form) ?? state);
    return metricResults(this.#metrics, states, this.#form.kind);
  }

  /** Over the last ones. */
  get windowed(): MetricResults {
    const states = this.#running.map(({ window }, i) => this.#stateOf(this.#sums[i]!, lastOf(window)));
    return metricResults(this.#metrics, states, this.#form.kind);
  }

  #stateOf(sums: Sums, window: Entries): Numbers {
    const { start, add, ofWindow } = kindOf(sums);
    if (ofWindow) return ofWindow(window, this.#form);
    const state = start(this.#form, sums);
    for (const entry of window) add(state, entry, this.#form);
    return state;
  }

  toJSON(): RunningState {
    return Object.fromEntries(
      this.#running.map(({ state, window }, i) => [
        nameOf(this.#sums[i]!),
        { state: [...state], window: lastOf(window) },
      ]),
    );
  }
}

/** The length of a window of such entries. */
function lengthOf(entry: readonly number[]): number {
  return Math.min(longest.predictions, Math.max(1, Math.floor(longest.numbers / entry.length)));
}

function lastOf(window: Entries): (readonly number[])[] {
  const [entry] = window;
  return entry ? window.slice(-lengthOf(entry)) : [];
}
