// Feedback: predictions are remembered until their labels arrive, and then learned with the score of the prediction at that time.
import { types } from 'node:util';
import { invalid } from '../../core/checks';
import { copyOfValues, sizeOf, type Values } from '../../core/sample-values';
import { TimeSlice } from '../../core/time-slice';
import { scoresOf } from '../../metrics/prequential';
import type { Prediction } from '../../training/evaluate';
import type { Engine } from '../engine';
import type { Intake } from '../intake/intake';
import { type Claim, LearnCall, type LearnResult, type Offered } from '../intake/queue';
import { copied, guarded, isClass, labelNumbers, listIn, noInput } from '../intake/samples';
import type { FeedbackOptions } from '../options';
import { isId } from '../seen-ids';
import type { Remembered } from './format';
import { type FeedbackMetrics, PendingStore, type Taken } from './store';

interface LateLabel {
  id: string;
  label: number;
}

interface Found {
  /** undefined: the label is out of range, and the prediction waits for another. */
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
    const { settings, shape, classes } = engine.context;
    const form = { type: settings.inputs, values: sizeOf(shape), classes };
    const { path: folder, lock } = engine.folder;
    const store = await PendingStore.open(folder, form, limits, (id) => engine.knows(id), lock);
    return new Feedback(engine, intake, store);
  }

  get metrics(): FeedbackMetrics {
    return this.#store?.counts ?? { pending: 0, joined: 0, expired: 0, lost: 0 };
  }

  /** Answers a copy of `inputs`; both are remembered. */
  predict<Answer extends Prediction>(
    inputs: Values,
    answer: (copy: Values) => Promise<Answer>,
  ): Promise<Answer & { ids: string[] }> {
    const copy = copyOfValues(inputs, [this.#engine.context.settings.inputs]);
    return track(this.#handingOn, async () => {
      const prediction = await answer(copy);
      return { ids: (await this.#store?.remember(copy, prediction.logits)) ?? [], ...prediction };
    });
  }

  /** Learns the samples of these ids. */
  join(ids: string | readonly string[], labels: number | ArrayLike<number>): Promise<LearnResult> {
    const late = guarded('ids and labels', () => lateLabels(ids, labels));
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

  /** Starts to read the sample of each label. The first valid label takes its sample; an invalid one leaves it waiting. */
  #beginReads(late: readonly LateLabel[]): (() => Promise<Found | undefined>)[] {
    const { context } = this.#engine;
    const taken = late.map(({ id, label }) => (isClass(label, context) ? this.#store?.take(id) : undefined));
    return late.map(({ id, label }, i) => {
      const one = taken[i];
      if (one) return () => this.#read(one);
      const seen = isClass(label, context) ? undefined : this.#store?.look(id);
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
    late: readonly LateLabel[],
    found: readonly (Found | undefined)[],
  ): { learning: Promise<LearnResult>; positions: number[] } {
    const here = new Map(found.flatMap((one, i) => (one?.taken ? [[late[i]!.id, one.remembered]] : [])));
    const positions: number[] = [];
    const samples = late.flatMap(({ id, label }, i): Offered[] => {
      const one = found[i];
      if (!one && !here.has(id) && !(isId(id) && this.#intake.knows(id))) return [];
      positions.push(i);
      const claim = one?.taken && this.#claimOn(one.taken, one.remembered!);
      const remembered = one?.remembered ?? here.get(id);
      const score = claim?.scoreOf(label) ?? null;
      return [{ id, label, input: remembered?.input ?? noInput, score, awaitsLabel: true, claim }];
    });
    this.#intake.offer(samples.length);
    if (samples.length > 0) return { learning: this.#intake.accept(samples), positions };
    const nothing = { ...new LearnCall().result, version: this.#engine.counts.serving };
    return { learning: Promise.resolve(nothing), positions };
  }

  #claimOn(taken: Taken, { input, logits }: Remembered): Claim {
    const store = this.#store!;
    return {
      input,
      scoreOf: (label) => scoresOf(logits, Int32Array.of(label))[0]!,
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

/** Copies ids and labels one by one. Throws ERR_INVALID_OPTION if they are invalid. */
function lateLabels(ids: unknown, labels: unknown): LateLabel[] {
  if (typeof ids === 'string') {
    if (typeof labels !== 'number') throw invalid('a number, since there is one id', 'labels', labels);
    return [{ id: ids, label: labels }];
  }
  const expected = 'an id that predict() gave, or an array of at least one';
  const ownIds = copied(listIn(ids, expected, 'ids'), (id) => {
    if (typeof id !== 'string') throw invalid(expected, 'ids', ids);
    return id;
  });
  const oneEach = `an array of ${ownIds.length} labels, one for each id`;
  const given = listIn(labels, oneEach, 'labels', types.isInt32Array);
  if (given.length !== ownIds.length) throw invalid(oneEach, 'labels', labels);
  const ownLabels = labelNumbers(given);
  return ownIds.map((id, i) => ({ id, label: ownLabels[i]! }));
}
