// Queue of samples that wait to be learned, and the calls of learn() that they belong to.
import { type InputForm, joined, type TargetForm, type TargetValues, type Values } from '../../core/sample-values';
import { isCorrect, type Score } from '../../metrics/prequential';
import type { Outcome } from '../outcome';
import type { Reason, Refusal } from '../reasons';
import type { QuarantinedSample } from '../storage/quarantine';
import { type BatchRecord, currentRules, type QuarantineRecord } from '../storage/records';
import type { Sample, Target } from './samples';

/** The result of learn(). */
export interface LearnResult {
  /** Updates that its samples took part in. */
  updates: number;
  /** Mean loss of those updates, replayed samples included; NaN if there was none. */
  loss: number;
  /** How the samples were predicted before they were learned. `correct` is NaN if their targets are not classes. */
  prequential: { samples: number; correct: number; loss: number };
  /** The version that serves now, or was made last. */
  version: number;
  /** Samples whose ids were known. */
  duplicates: number;
  /** Samples that were not learned and are in the quarantine file. */
  quarantined: number;
  /** The reason for each of these, in the order of the call. */
  reasons: Reason[];
  /** Labels whose ids have no remembered prediction: they were never given, or it expired or got lost. */
  unknown: number;
  /** Whether the detector found a drift in these updates. */
  drift: boolean;
}

/** One call of learn(), which is settled with the last of its samples. */
export class LearnCall {
  readonly result: LearnResult = {
    updates: 0,
    loss: Number.NaN,
    prequential: { samples: 0, correct: 0, loss: Number.NaN },
    version: 0,
    duplicates: 0,
    quarantined: 0,
    reasons: [],
    unknown: 0,
    drift: false,
  };
  readonly done: Promise<LearnResult>;
  /** Samples that are not settled. */
  waiting = 0;
  lossSum = 0;
  resolve!: (result: LearnResult) => void;
  reject!: (cause: unknown) => void;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // The caller of learn() gets the rejection; it is not unhandled.
    this.done.catch(() => {});
  }

  /** One of its samples is settled; `version` serves. */
  settle(version: number): void {
    if (--this.waiting > 0) return;
    const { result } = this;
    result.version = version;
    result.loss = this.lossSum / result.updates;
    result.prequential.loss /= result.prequential.samples;
    result.reasons.sort((a, b) => a.index - b.index);
    this.resolve(result);
  }
}

/**
 * The claim of a late target on the prediction that waits for it. One sample holds it at a time, and it passes to the next sample of
 * the id if that one is not learned; the last holder settles or releases it.
 */
export interface Claim {
  readonly inputs: readonly Values[];
  /** The score of the prediction, given a target; null: it has none. */
  scoreOf(target: Target): Score | null;
  /** Its sample is known, and the prediction no longer waits. */
  settle(): void;
  /** The prediction waits for another target. */
  release(): void;
}

/** A sample that was offered. */
export interface Offered extends Sample {
  claim?: Claim | undefined;
}

export interface Pending extends Offered {
  score: Score | null;
  call: LearnCall;
  /** Position among the call's samples. */
  index: number;
  /** Time of arrival, by performance.now(). */
  since: number;
}

/** First in, first out, in constant time. */
export class Queue {
  #items: Pending[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  get oldest(): Pending | undefined {
    return this.#items[this.#first];
  }

  push(item: Pending): void {
    this.#items.push(item);
  }

  /** The first samples, `count` at most. */
  take(count: number): Pending[] {
    const taken = this.#items.slice(this.#first, this.#first + count);
    this.#first += taken.length;
    if (this.#first > 1024 && 2 * this.#first > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return taken;
  }
}

/** The record of an update. `form`: of the targets. Throws if there is not enough memory. */
export function batchRecord(pending: readonly Pending[], form: TargetForm): BatchRecord {
  const targets = joinedTargets(
    pending.map(({ target }) => target),
    form,
  );
  const [ids, scores] = [pending.map(({ id }) => id), pending.map(({ score }) => score)];
  const inputs = pending[0]!.inputs.map((_, i) => joined(pending.map(({ inputs }) => inputs[i]!)));
  return { kind: 'batch', rules: currentRules, ids, inputs, targets, scores, fresh: true };
}

function joinedTargets(targets: readonly Target[], { kind }: TargetForm): TargetValues {
  if (kind === 'class') return Int32Array.from(targets as readonly number[]);
  const rows = targets as readonly Float64Array[];
  const size = rows[0]!.length;
  const all = new (kind === 'tokens' ? Int32Array : Float32Array)(rows.length * size);
  for (const [i, row] of rows.entries()) all.set(row, i * size);
  return all;
}

/** Bounds of one quarantine record: a call may have any number of invalid samples. */
const most = { samples: 256, bytes: 4 * 2 ** 20 };

/** The records of samples that are refused, each with its samples. `forms`: of their inputs. */
export function* quarantineRecords(
  { code, message: reason, isFree }: Refusal,
  pending: readonly Pending[],
  forms: readonly InputForm[],
): Generator<{ record: QuarantineRecord; samples: QuarantinedSample[]; some: readonly Pending[] }> {
  const bytesIn = ({ inputs, target }: Pending) =>
    inputs.reduce((sum, { byteLength }) => sum + byteLength, typeof target === 'number' ? 8 : target.byteLength);
  const bytes = pending.reduce((largest, sample) => Math.max(largest, bytesIn(sample)), 1);
  const count = Math.min(most.samples, Math.max(1, Math.floor(most.bytes / bytes)));
  for (let first = 0; first < pending.length; first += count) {
    const some = pending.slice(first, first + count);
    const record: QuarantineRecord = { kind: 'quarantine', ids: some.map(({ id }) => id), reason, code, isFree };
    const samples = some.map(({ id, target, inputs }) => ({ id, target, inputs, forms, code, reason }));
    yield { record, samples, some };
  }
}

/** Adds the outcome of an update to the results of the calls that its samples belong to. */
export function distribute(pending: readonly Pending[], { refused, loss, scores, drift }: Outcome): void {
  const isRefused = new Set(refused.map(({ index }) => index));
  const calls = new Set(pending.filter((_, i) => !isRefused.has(i)).map(({ call }) => call));
  for (const call of calls) {
    call.result.updates++;
    call.lossSum += loss;
    call.result.drift ||= drift;
  }
  for (const [i, { call }] of pending.entries()) {
    const { prequential } = call.result;
    const score = scores[i];
    if (!score) continue;
    prequential.loss = prequential.samples === 0 ? score.loss : prequential.loss + score.loss;
    prequential.samples++;
    prequential.correct += Number(isCorrect(score) ?? Number.NaN);
  }
}
