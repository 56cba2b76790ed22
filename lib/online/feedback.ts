// Late labels: what was predicted is remembered until its label comes, and then learned with the score of the prediction that was
// made when it was asked for.
import path from 'node:path';
import type { Prediction } from '../evaluate';
import { invalid } from '../options';
import { sizeOf, type Values } from '../values';
import { copyOf, type Sample } from './admission';
import type { Engine } from './engine';
import type { Intake } from './intake';
import { feedbackLimits, type LearnerOptions } from './learner-options';
import { Pace } from './pace';
import type { Remembered } from './pending-format';
import { type FeedbackMetrics, PendingStore, type Taken } from './pending-store';
import { type Score, scoresOf } from './prequential';
import { Call, type LearnResult } from './queue';

interface LateLabel {
  id: string;
  label: number;
}

interface Found {
  taken: Taken;
  remembered: Remembered;
}

/** Of a sample that is known already. */
const noInput = new Uint8Array();

export class Feedback {
  readonly #engine: Engine;
  readonly #intake: Intake;
  /** undefined: nothing is remembered. */
  readonly #store: PendingStore | undefined;
  /** Predictions to be remembered, and labels whose samples are not handed on. */
  readonly #handingOn = new Set<Promise<unknown>>();
  /** Labels whose samples are not learned. */
  readonly #joining = new Set<Promise<unknown>>();
  /** Samples are handed on in the order of their labels, wherever they have to be read from. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(engine: Engine, intake: Intake, store: PendingStore | undefined) {
    this.#engine = engine;
    this.#intake = intake;
    this.#store = store;
  }

  /** Goes on with what was remembered in the learner's folder. */
  static async open(engine: Engine, intake: Intake, { dir, feedback }: LearnerOptions): Promise<Feedback> {
    if (feedback === false) return new Feedback(engine, intake, undefined);
    const { core } = engine;
    const { settings, shape, classes } = core.setting;
    const form = { type: settings.inputs, values: sizeOf(shape), classes };
    const store = await PendingStore.open(path.resolve(dir), form, feedbackLimits(feedback), (id) => core.knows(id));
    return new Feedback(engine, intake, store);
  }

  get metrics(): FeedbackMetrics {
    return this.#store?.counts ?? { pending: 0, joined: 0, expired: 0, lost: 0 };
  }

  /** What `answer` makes of a copy of `inputs`; both are remembered. */
  predict<Answer extends Prediction>(
    inputs: Values,
    answer: (copy: Values) => Promise<Answer>,
  ): Promise<Answer & { ids: string[] }> {
    const copy = copyOf(inputs, this.#engine.core.setting.settings);
    return track(this.#handingOn, async () => {
      const prediction = await answer(copy);
      return { ids: (await this.#store?.remember(copy, prediction.logits)) ?? [], ...prediction };
    });
  }

  /** Learns the samples of these ids. */
  join(ids: string | readonly string[], labels: number | ArrayLike<number>): Promise<LearnResult> {
    const late = lateLabels(ids, labels);
    const taken = late.map(({ id }) => this.#store?.take(id));
    const turn = this.#turn;
    const handedOn = track(this.#handingOn, async () => {
      const found = await this.#readAll(taken);
      await turn;
      return { found, ...this.#handOn(late, found) };
    });
    this.#turn = handedOn.then(
      () => {},
      () => {},
    );
    return track(this.#joining, async () => {
      const { found, learning, unknown } = await handedOn;
      const joined = found.flatMap((one) => one?.taken ?? []);
      try {
        const result = await learning;
        for (const one of joined) this.#store!.settle(one);
        return { ...result, unknown };
      } catch (cause) {
        for (const one of joined) this.#store!.release(one);
        throw cause;
      }
    });
  }

  async #readAll(taken: readonly (Taken | undefined)[]): Promise<(Found | undefined)[]> {
    const pace = new Pace();
    const reads: Promise<Found | undefined>[] = [];
    for (const one of taken) {
      reads.push(one ? this.#read(one) : Promise.resolve(undefined));
      if (pace.isOver) await pace.rest();
    }
    return Promise.all(reads);
  }

  async #read(taken: Taken): Promise<Found | undefined> {
    const remembered = await this.#store!.read(taken);
    return remembered && { taken, remembered };
  }

  /** Gives what was found to be learned. A label that came before is left to those who know its id. */
  #handOn(
    late: readonly LateLabel[],
    found: readonly (Found | undefined)[],
  ): { learning: Promise<LearnResult>; unknown: number } {
    const here = new Set<string>();
    const samples = late.flatMap(({ id, label }, i): Sample[] => {
      const remembered = found[i]?.remembered;
      if (remembered) {
        here.add(id);
        return [{ id, label, input: remembered.input, score: this.#scoreOf(remembered, label) }];
      }
      return here.has(id) || this.#intake.knows(id) ? [{ id, label, input: noInput }] : [];
    });
    const unknown = late.length - samples.length;
    this.#intake.offer(samples.length);
    if (samples.length > 0) return { learning: this.#intake.accept(samples), unknown };
    const nothing = { ...new Call().result, version: this.#engine.core.counts.serving };
    return { learning: Promise.resolve(nothing), unknown };
  }

  #scoreOf({ logits }: Remembered, label: number): Score | null {
    const isClass = Number.isInteger(label) && label >= 0 && label < logits.length;
    return isClass ? scoresOf(logits, Int32Array.of(label))[0]! : null;
  }

  /** Ends. `learnRest` learns what waits. */
  async close(learnRest: () => Promise<void>): Promise<void> {
    await Promise.allSettled(this.#handingOn);
    await learnRest();
    await Promise.allSettled(this.#joining);
    await this.#store?.close();
  }
}

/** Starts work that is in the set as long as it lasts. */
function track<Result>(set: Set<Promise<unknown>>, work: () => Promise<Result>): Promise<Result> {
  const result = work();
  set.add(result);
  const end = () => set.delete(result);
  result.then(end, end);
  return result;
}

/** One by one. Throws ERR_INVALID_OPTION where they are none. */
function lateLabels(ids: string | readonly string[], labels: number | ArrayLike<number>): LateLabel[] {
  if (typeof ids === 'string') {
    if (typeof labels !== 'number') throw invalid('a number, since there is one id', 'labels', labels);
    return [{ id: ids, label: labels }];
  }
  if (!(Array.isArray(ids) && ids.length > 0 && ids.every((id) => typeof id === 'string'))) {
    throw invalid('an id that predict() gave, or an array of at least one', 'ids', ids);
  }
  if (!((labels instanceof Int32Array || Array.isArray(labels)) && labels.length === ids.length)) {
    throw invalid(`an array of ${ids.length} labels, one for each id`, 'labels', labels);
  }
  return ids.map((id: string, i) => ({ id, label: labels[i] as number }));
}
