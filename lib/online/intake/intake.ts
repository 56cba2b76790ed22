// Intake of a learner: samples whose ids are known are counted, invalid ones go to quarantine, the others wait for a full batch or
// their time. accounts.ts has the rules of the counts; two more are kept here:
//
// 1. A sample whose id is already on its way waits for the fate of that one. Otherwise it would be called a duplicate of a sample
//    that is never learned.
// 2. When a sample was not learned and its id is free again, the next sample of that id takes its place.
import type { Values } from '../../core/sample-values';
import type { Engine } from '../engine';
import { failingSamples } from '../failing-samples';
import type { Refusal } from '../reasons';
import type { BatchRecord } from '../storage/records';
import { Accounts, type SampleCounts } from './accounts';
import {
  batchRecord,
  distribute,
  LearnCall,
  type LearnResult,
  type Offered,
  type Pending,
  Queue,
  quarantineRecords,
} from './queue';
import { noInputs, refusalOf } from './samples';

/** Refused samples of one call, by the message of their refusal. */
type Refused = Map<string, { refusal: Refusal; pending: Pending[] }>;

export class Intake {
  readonly #engine: Engine;
  readonly #accounts: Accounts;
  readonly #batchSize: number;
  readonly #maxDelayMs: number;
  readonly #queue = new Queue();
  /** By the ids of samples that wait or are being learned: later samples of the same id. */
  readonly #waiting = new Map<string, Pending[]>();
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  /** Operations that are not finished. */
  readonly #running = new Set<Promise<void>>();
  #closing = false;

  constructor(engine: Engine, maxDelayMs: number) {
    this.#engine = engine;
    this.#accounts = new Accounts(engine);
    this.#batchSize = engine.context.settings.batchSize;
    this.#maxDelayMs = maxDelayMs;
  }

  get counts(): SampleCounts {
    return this.#accounts.counts;
  }

  /** Counts samples that arrived, which are to be accepted or dropped. */
  offer(samples: number): void {
    this.#accounts.offer(samples);
  }

  /** Counts offered samples that are dropped. */
  drop(samples: number): void {
    this.#accounts.drop(samples);
  }

  /** Records the counts. Only inside exclusively(). */
  recordCounts(): Promise<void> {
    return this.#accounts.record();
  }

  /** Accepts samples that were offered. Resolves when all of them are settled. */
  accept(samples: readonly Offered[]): Promise<LearnResult> {
    const call = new LearnCall();
    call.waiting = samples.length;
    const since = performance.now();
    const refused: Refused = new Map();
    const known: Pending[] = [];
    for (const [index, sample] of samples.entries()) {
      const pending: Pending = { score: null, ...sample, call, index, since };
      const others = sample.id === null ? undefined : this.#waiting.get(sample.id);
      if (others) others.push(pending);
      else if (sample.id !== null && this.#engine.knows(sample.id)) known.push(pending);
      else this.#admit(pending, refused);
    }
    this.#settleDuplicates(known);
    for (const { refusal, pending } of refused.values()) this.#quarantine(refusal, pending);
    this.#pump();
    return call.done;
  }

  /** Whether a sample of this id was learned or is about to be. */
  knows(id: string): boolean {
    return this.#waiting.has(id) || this.#engine.knows(id);
  }

  /** Queues a sample, or adds it to the refused ones. `others` arrived later with its id. */
  #admit(pending: Pending, refused: Refused, others: Pending[] = []): void {
    const refusal = refusalOf(pending, this.#engine.context);
    if (pending.id !== null && !refusal?.isFree) this.#waiting.set(pending.id, others);
    if (!refusal) {
      this.#queue.push(pending);
      return;
    }
    const alike = refused.get(refusal.message);
    if (alike) alike.pending.push(pending);
    else refused.set(refusal.message, { refusal, pending: [pending] });
  }

  /** The first sample of their id is durable, or in quarantine. */
  #settleDuplicates(pending: readonly Pending[]): void {
    this.#accounts.addDuplicates(pending.length);
    for (const { call, claim } of pending) {
      call.result.duplicates++;
      claim?.settle();
      this.#settleOne(call);
    }
  }

  #settleOne(call: LearnCall): void {
    this.#accounts.settle();
    call.settle(this.#engine.counts.serving);
  }

  #quarantine(refusal: Refusal, pending: readonly Pending[]): void {
    const { inputs: forms } = this.#engine.context.sample;
    for (const { record, samples, some } of quarantineRecords(refusal, pending, forms)) {
      this.#run(some, async () => {
        await this.#engine.commit(record, samples);
        return new Map(some.map((sample) => [sample, refusal]));
      });
    }
  }

  /** Runs `work` exclusively, then settles these samples. It resolves with the refusals of those that were not learned. */
  #run(pending: readonly Pending[], work: () => Promise<Map<Pending, Refusal>>): Promise<void> {
    const run = this.#engine.exclusively(work).then(
      (refusals) => this.#settle(pending, refusals),
      (cause) => this.#fail(pending, cause),
    );
    this.#running.add(run);
    run.then(() => this.#running.delete(run));
    return run;
  }

  #settle(pending: readonly Pending[], refusals: ReadonlyMap<Pending, Refusal>): void {
    for (const sample of pending) {
      const { id, call, index, claim } = sample;
      const refusal = refusals.get(sample);
      if (refusal) {
        call.result.quarantined++;
        call.result.reasons.push({ index, id, code: refusal.code, message: refusal.message });
      }
      if (!refusal?.isFree) claim?.settle();
      this.#settleOne(call);
      const others = id === null ? undefined : this.#waiting.get(id);
      // A sample with an invalid late target never held its id.
      if (id === null || !others || (refusal?.code === 'label' && refusal.isFree)) continue;
      this.#waiting.delete(id);
      if (refusal?.isFree) this.#promote(others, sample);
      else this.#settleDuplicates(others);
    }
    this.#pump();
  }

  /**
   * By rule 2: the first of `others` that may take the id of `before` takes it, and the claim. Those before it are refused, and those
   * after it wait.
   */
  #promote(others: readonly Pending[], before: Pending): void {
    const { context } = this.#engine;
    const refused: Refused = new Map();
    const found = others.findIndex((other) => !refusalOf(other, context)?.isFree);
    const first = found < 0 ? others.length : found;
    for (const other of others.slice(0, first)) this.#admit({ ...other, inputs: inputsOf(other, before) }, refused);
    const heir = others[first];
    if (heir) this.#admit(heirOf(heir, before), refused, others.slice(first + 1));
    else before.claim?.release();
    for (const { refusal, pending } of refused.values()) this.#quarantine(refusal, pending);
  }

  #fail(pending: readonly Pending[], cause: unknown): void {
    for (const { id, call, claim } of pending) {
      const others = (id !== null && this.#waiting.get(id)) || [];
      if (id !== null) this.#waiting.delete(id);
      for (const one of [{ call, claim }, ...others]) {
        this.#accounts.settle();
        one.claim?.release();
        one.call.reject(cause);
      }
    }
    this.#accounts.forgetFailed();
    this.#pump();
  }

  /** Starts the next update if it is due: there is a full batch, or the oldest sample has waited long enough. */
  #pump(): void {
    const { oldest } = this.#queue;
    if (this.#pumping || !oldest) return;
    const wait = oldest.since + this.#maxDelayMs - performance.now();
    if (this.#queue.length < this.#batchSize && wait > 0 && !this.#closing) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#pump();
      }, wait);
      return;
    }
    this.#pumping = this.#learn(this.#queue.take(this.#batchSize)).then(() => {
      this.#pumping = undefined;
      this.#pump();
    });
  }

  /** One update. Never rejects. */
  #learn(pending: Pending[]): Promise<void> {
    let record: BatchRecord;
    try {
      record = batchRecord(pending, this.#engine.context.sample.target);
    } catch (cause) {
      // A shortage of memory for these samples does no harm to others.
      return Promise.resolve().then(() => this.#fail(pending, cause));
    }
    return this.#run(pending, async () => {
      await this.recordCounts();
      const failing = await failingSamples(this.#engine, record);
      if (failing.size === 0) return this.#commit(pending, record);
      const refusals = new Map<Pending, Refusal>();
      for (const [index, error] of failing) {
        const message = `the model fails on it: ${error}`;
        refusals.set(pending[index]!, { code: 'value', message, isFree: false });
      }
      const { inputs: forms, target } = this.#engine.context.sample;
      for (const [sample, refusal] of refusals) {
        for (const one of quarantineRecords(refusal, [sample], forms))
          await this.#engine.commit(one.record, one.samples);
      }
      const others = pending.filter((sample) => !refusals.has(sample));
      if (others.length === 0) return refusals;
      return new Map([...refusals, ...(await this.#commit(others, batchRecord(others, target)))]);
    });
  }

  /** Commits a batch. Resolves with the refusals of the samples that were not learned. Only inside exclusively(). */
  async #commit(pending: readonly Pending[], record: BatchRecord): Promise<Map<Pending, Refusal>> {
    const outcome = (await this.#engine.commit(record))!;
    distribute(pending, outcome);
    return new Map(outcome.refused.map((refused) => [pending[refused.index]!, refused]));
  }

  /** Learns the samples that wait, without waiting for more, and records the last counts. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing = true;
    do {
      this.#pump();
      await Promise.all(this.#running);
    } while (this.#running.size > 0 || this.#queue.length > 0);
    await this.#run([], async () => {
      await this.recordCounts();
      return new Map();
    });
  }
}

/** The inputs of a repeated sample, which does not have its own. */
function inputsOf({ inputs }: Pending, before: Pending): readonly Values[] {
  return inputs === noInputs ? before.inputs : inputs;
}

/** The sample that takes the place of `before`. A late target belongs to the claimed prediction, whichever call found it. */
function heirOf(next: Pending, before: Pending): Pending {
  const claim = next.claim ?? before.claim;
  if (!next.awaitsTarget) return { ...next, claim };
  const score = claim?.scoreOf(next.target) ?? null;
  return { ...next, claim, inputs: claim?.inputs ?? inputsOf(next, before), score };
}
