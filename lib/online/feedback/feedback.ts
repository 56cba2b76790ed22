// Feedback: predictions are remembered until their labels arrive, and then learned with the score of the prediction at that time.
import { types } from 'node:util';
import { invalid } from '../../core/checks';
import { copyOfInputs, type NamedValues, type TargetForm, type Values } from '../../core/sample-values';
import { TimeSlice } from '../../core/time-slice';
import type { Prediction } from '../../training/predict';
import type { Engine } from '../engine';
import type { Intake } from '../intake/intake';
import { type Claim, LearnCall, type LearnResult, type Offered } from '../intake/queue';
import {
  copied,
  guarded,
  isTarget,
  labelNumbers,
  listIn,
  noInputs,
  type Target,
  type TargetArray,
  targetRows,
} from '../intake/samples';
import type { FeedbackOptions } from '../options';
import { scoreOfClass } from '../outcome';
import { isId } from '../seen-ids';
import { recordFormOf } from './form';
import type { Remembered } from './format';
import { type FeedbackMetrics, PendingStore, type Taken } from './store';

interface LateTarget {
  id: string;
  target: Target;
}

interface Found {
  /** undefined: the target is invalid, and the prediction waits for another. */
  taken: Taken | undefined;
  remembered: Remembered | undefined;
}

export class Feedback {
  readonly #engine: Engine;
  readonly #intake: Intake;
  /** undefined: predictions are not remembered. */
  readonly #store: PendingStore | undefined;
  /** Predictions to be remembered, and labels whose samples are still being read. */
  readonly #handingOn = new Set<Promise<unknown>>();
  /** Labels whose samples are not learned yet. */
  readonly #joining = new Set<Promise<unknown>>();
  /** Keeps samples in the order of their labels, however long reading them takes. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(engine: Engine, intake: Intake, store: PendingStore | undefined) {
    this.#engine = engine;
    this.#intake = intake;
    this.#store = store;
  }

  /** Resumes with the predictions in the learner's folder. `limits`: false, predictions are not remembered. */
  static async open(engine: Engine, intake: Intake, limits: Required<FeedbackOptions> | false): Promise<Feedback> {
    if (limits === false) return new Feedback(engine, intake, undefined);
    const form = recordFormOf(engine.context.sample);
    const { path: folder, lock } = engine.folder;
    const store = await PendingStore.open(folder, form, limits, (id) => engine.knows(id), lock);
    return new Feedback(engine, intake, store);
  }

  get metrics(): FeedbackMetrics {
    return this.#store?.counts ?? { pending: 0, joined: 0, expired: 0, lost: 0 };
  }

  /** Answers a copy of `inputs`; both are remembered. */
  predict<Answer extends Prediction>(
    inputs: Values | NamedValues,
    answer: (copy: Values[]) => Promise<Answer>,
  ): Promise<Answer & { ids: string[] }> {
    const copy = guarded('inputs', () => copyOfInputs(inputs, this.#engine.context.sample.inputs));
    return track(this.#handingOn, async () => {
      const prediction = await answer(copy);
      return { ids: (await this.#store?.remember(copy, prediction.logits)) ?? [], ...prediction };
    });
  }

  /** Learns the samples of these ids. */
  join(ids: string | readonly string[], targets: number | ArrayLike<number> | TargetArray): Promise<LearnResult> {
    const late = guarded('ids and labels', () => lateTargets(ids, targets, this.#engine.context.sample.target));
    const reads = this.#beginReads(late);
    const turn = this.#turn;
    const handedOn = track(this.#handingOn, async () => {
      const found = await settled(reads);
      await turn;
      return this.#handOn(late, found);
    });
    this.#turn = handedOn.then(
      () => {},
      () => {},
    );
    return track(this.#joining, async () => {
      const { learning, positions } = await handedOn;
      const unknown = late.length - positions.length;
      const { reasons, ...result } = await learning;
      const own = reasons.map((reason) => ({ ...reason, index: positions[reason.index]! }));
      return { ...result, reasons: own, unknown };
    });
  }

  /** Starts to read the sample of each target. The first valid target takes its sample; an invalid one leaves it waiting. */
  #beginReads(late: readonly LateTarget[]): (() => Promise<Found | undefined>)[] {
    const { context } = this.#engine;
    const taken = late.map(({ id, target }) => (isTarget(target, context) ? this.#store?.take(id) : undefined));
    return late.map(({ id, target }, i) => {
      const one = taken[i];
      if (one) return () => this.#read(one);
      const seen = isTarget(target, context) ? undefined : this.#store?.look(id);
      return async () => seen && { taken: undefined, remembered: await seen() };
    });
  }

  async #read(taken: Taken): Promise<Found | undefined> {
    const remembered = await this.#store!.read(taken);
    return remembered && { taken, remembered };
  }

  /**
   * Hands samples to the intake, also repeated ones, which it knows by their ids. `positions`: of these samples among the labels; the
   * others are unknown.
   */
  #handOn(
    late: readonly LateTarget[],
    found: readonly (Found | undefined)[],
  ): { learning: Promise<LearnResult>; positions: number[] } {
    const here = new Map(found.flatMap((one, i) => (one?.taken ? [[late[i]!.id, one.remembered]] : [])));
    const positions: number[] = [];
    const samples = late.flatMap(({ id, target }, i): Offered[] => {
      const one = found[i];
      if (!one && !here.has(id) && !(isId(id) && this.#intake.knows(id))) return [];
      positions.push(i);
      const claim = one?.taken && this.#claimOn(one.taken, one.remembered!);
      const remembered = one?.remembered ?? here.get(id);
      const score = claim?.scoreOf(target) ?? null;
      return [{ id, target, inputs: remembered?.inputs ?? noInputs, score, awaitsTarget: true, claim }];
    });
    this.#intake.offer(samples.length);
    if (samples.length > 0) return { learning: this.#intake.accept(samples), positions };
    const nothing = { ...new LearnCall().result, version: this.#engine.counts.serving };
    return { learning: Promise.resolve(nothing), positions };
  }

  #claimOn(taken: Taken, { inputs, logits }: Remembered): Claim {
    const store = this.#store!;
    const { sums, loss } = this.#engine.context;
    return {
      inputs,
      // By other losses, and for targets of other kinds, the prediction of the time when the sample is learned is scored.
      scoreOf: (target) =>
        typeof target === 'number' && loss.isLogLikelihood ? scoreOfClass(logits, target, logits.length, sums) : null,
      settle: () => store.settle(taken),
      release: () => store.release(taken),
    };
  }

  /** Ends. `learnRest` learns the samples that wait. */
  async close(learnRest: () => Promise<void>): Promise<void> {
    await Promise.allSettled(this.#handingOn);
    await learnRest();
    await Promise.allSettled(this.#joining);
    await this.#store?.close();
  }
}

/** Starts work, and keeps it in the set until it ends. */
function track<Result>(set: Set<Promise<unknown>>, work: () => Promise<Result>): Promise<Result> {
  const result = work();
  set.add(result);
  const end = () => set.delete(result);
  result.then(end, end);
  return result;
}

/** Starts all reads in time slices, since those from memory take no time. */
async function settled<Result>(reads: readonly (() => Promise<Result>)[]): Promise<Result[]> {
  const slice = new TimeSlice();
  const results: Promise<Result>[] = [];
  for (const read of reads) {
    results.push(read());
    if (slice.isOver) await slice.rest();
  }
  return Promise.all(results);
}

/** Copies ids and targets one by one. Throws ERR_INVALID_OPTION or ERR_SHAPE if they are invalid. */
function lateTargets(ids: unknown, targets: unknown, form: TargetForm): LateTarget[] {
  const given = form.kind === 'class' ? lateLabels : lateRows;
  if (typeof ids === 'string') return [{ id: ids, target: given.ofOne(targets, form) }];
  const expected = 'an id that predict() gave, or an array of at least one';
  const ownIds = copied(listIn(ids, expected, 'ids'), (id) => {
    if (typeof id !== 'string') throw invalid(expected, 'ids', ids);
    return id;
  });
  const own = given.ofMany(targets, ownIds.length, form);
  return ownIds.map((id, i) => ({ id, target: own[i]! }));
}

const lateLabels = {
  ofOne(label: unknown): number {
    if (typeof label !== 'number') throw invalid('a number, since there is one id', 'labels', label);
    return label;
  },
  ofMany(labels: unknown, count: number): number[] {
    const oneEach = `an array of ${count} labels, one for each id`;
    const given = listIn(labels, oneEach, 'labels', types.isInt32Array);
    if (given.length !== count) throw invalid(oneEach, 'labels', labels);
    return labelNumbers(given);
  },
};

/** Targets of several numbers each, flat. */
const lateRows = {
  ofOne(target: unknown, form: TargetForm): Float64Array {
    // The caller need not make an array of a single number.
    if (typeof target === 'number' && form.shape.length === 0) return Float64Array.of(target);
    return targetRows(target, form, 1)[0]!;
  },
  ofMany: (targets: unknown, count: number, form: TargetForm): Float64Array[] => targetRows(targets, form, count),
};
