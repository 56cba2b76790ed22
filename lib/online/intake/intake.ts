// Samples on their way into a learner: known ones are counted, wrong ones go to quarantine, the others wait for a full batch or
// their time.
//
// The law of the accounts. Each rule prevents a failure that was seen.
// 1. A sample that was offered is always exactly one of: learned, quarantined, a duplicate, dropped, queued. Otherwise samples
//    get lost between the counts.
// 2. Learned and quarantined samples are counted by the core, when their record is applied. Duplicates and dropped ones are
//    counted here, and told to the journal before the next batch, the fingerprint and the last snapshot: not one record for each,
//    which a flood of duplicates would make endless. After a kill, what the journal was not told was not offered.
// 3. A sample whose id is on its way waits for what becomes of that one. Otherwise it would be called a duplicate of a sample that
//    is never learned.
// 4. Where the learner fails, samples that were not settled were not offered: their callers are told by a rejection.
import type { Values } from '../../core/sample-values';
import type { Engine } from '../engine';
import type { Refusal } from '../reasons';
import type { BatchRecord } from '../storage/records';
import { Call, type LearnResult, type Offered, type Pending, Queue, recordOf, tell } from './queue';
import { noInput, objection } from './samples';

export interface Counts {
  /** Samples that came. */
  offered: number;
  learned: number;
  /** Samples whose ids were known. */
  duplicates: number;
  /** Samples that a stream left out. */
  dropped: number;
  quarantined: number;
  /** Samples that wait: the rest of those that came. */
  queued: number;
}

/** What one record of the quarantine holds at most: a call may have any number of bad samples. */
const most = { samples: 256, bytes: 4 * 2 ** 20 };

export class Intake {
  readonly #engine: Engine;
  readonly #batchSize: number;
  readonly #maxDelayMs: number;
  readonly #queue = new Queue();
  /** By the ids of samples that wait or are being learned: those that came again meanwhile. */
  readonly #waiting = new Map<string, Pending[]>();
  /** Since the learner began. */
  #offered: number;
  /** Offered samples that are not settled. */
  #open = 0;
  readonly #counted: { duplicates: number; dropped: number };
  /** Of those, what the journal was told. */
  readonly #told: { duplicates: number; dropped: number };
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  /** Work in turn that is not over. */
  readonly #running = new Set<Promise<void>>();
  #closing = false;

  constructor(engine: Engine, maxDelayMs: number) {
    this.#engine = engine;
    this.#batchSize = engine.core.setting.settings.batchSize;
    this.#maxDelayMs = maxDelayMs;
    const { duplicates, dropped } = engine.core.counts;
    this.#counted = { duplicates, dropped };
    this.#told = { duplicates, dropped };
    this.#offered = this.#settled;
  }

  get #settled(): number {
    const { learned, quarantined } = this.#engine.core.counts;
    return learned + quarantined + this.#counted.duplicates + this.#counted.dropped;
  }

  get counts(): Counts {
    const { learned, quarantined } = this.#engine.core.counts;
    const offered = this.#offered;
    return { offered, learned, ...this.#counted, quarantined, queued: offered - this.#settled };
  }

  /** Counts samples that came, which are to be accepted or dropped. */
  offer(samples: number): void {
    this.#offered += samples;
    this.#open += samples;
  }

  /** Counts offered samples that are left out. */
  drop(samples: number): void {
    this.#counted.dropped += samples;
    this.#open -= samples;
  }

  /** Takes samples that were offered. Resolves when all of them are settled. */
  accept(samples: readonly Offered[]): Promise<LearnResult> {
    const call = new Call();
    call.waiting = samples.length;
    const since = performance.now();
    const refused = new Map<string, { refusal: Refusal; pending: Pending[] }>();
    const known: Pending[] = [];
    for (const [index, sample] of samples.entries()) {
      const pending: Pending = { score: null, ...sample, call, index, since };
      const others = sample.id === null ? undefined : this.#waiting.get(sample.id);
      if (others) others.push(pending);
      else if (sample.id !== null && this.#engine.core.knows(sample.id)) known.push(pending);
      else this.#admit(pending, refused);
    }
    this.#countDuplicates(known);
    for (const { refusal, pending } of refused.values()) this.#quarantine(refusal, pending);
    this.#pump();
    return call.done;
  }

  /** Whether a sample of this id was learned or is about to be. */
  knows(id: string): boolean {
    return this.#waiting.has(id) || this.#engine.core.knows(id);
  }

  /** Into the queue, or to those that were refused for the same reason. `others` came with its id. */
  #admit(
    pending: Pending,
    refused: Map<string, { refusal: Refusal; pending: Pending[] }>,
    others: Pending[] = [],
  ): void {
    const refusal = objection(pending, this.#engine.core.setting);
    if (pending.id !== null && !refusal?.isFree) this.#waiting.set(pending.id, others);
    if (!refusal) {
      this.#queue.push(pending);
      return;
    }
    const alike = refused.get(refusal.message);
    if (alike) alike.pending.push(pending);
    else refused.set(refusal.message, { refusal, pending: [pending] });
  }

  /** The first of them is durable, or in quarantine. */
  #countDuplicates(pending: readonly Pending[]): void {
    this.#counted.duplicates += pending.length;
    for (const { call, claim } of pending) {
      call.result.duplicates++;
      claim?.settle();
      this.#close(call);
    }
  }

  #close(call: Call): void {
    this.#open--;
    call.settle(this.#engine.core.counts.serving);
  }

  /** Tells the journal what was counted since the last time. In turn. */
  async tellAccount(): Promise<void> {
    const duplicates = this.#counted.duplicates - this.#told.duplicates;
    const dropped = this.#counted.dropped - this.#told.dropped;
    if (duplicates + dropped === 0) return;
    this.#told.duplicates += duplicates;
    this.#told.dropped += dropped;
    await this.#engine.commit({ kind: 'account', duplicates, dropped });
  }

  #quarantine(refusal: Refusal, pending: readonly Pending[]): void {
    const { code, message: reason, isFree } = refusal;
    const bytes = pending.reduce((largest, { input }) => Math.max(largest, input.byteLength), 1);
    const count = Math.min(most.samples, Math.max(1, Math.floor(most.bytes / bytes)));
    for (let first = 0; first < pending.length; first += count) {
      const some = pending.slice(first, first + count);
      const record = { kind: 'quarantine', ids: some.map(({ id }) => id), reason, code, isFree } as const;
      const samples = some.map(({ id, label, input }) => ({ id, label, input, code, reason }));
      this.#run(some, async () => {
        await this.#engine.commit(record, samples);
        return new Map(some.map((sample) => [sample, refusal]));
      });
    }
  }

  /** Does `work` in turn; then these samples are settled. It resolves with why some of them were not learned. */
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
      this.#close(call);
      const others = id === null ? undefined : this.#waiting.get(id);
      // With a label that was none, this one never waited.
      if (id === null || !others || (refusal?.code === 'label' && refusal.isFree)) continue;
      this.#waiting.delete(id);
      if (refusal?.isFree) this.#promote(others, sample);
      else this.#countDuplicates(others);
    }
    this.#pump();
  }

  /**
   * The id of `before`, which was not learned, is free again. The first of `others` that may have the id takes it, and the
   * claim; those before it are refused, and those after it wait.
   */
  #promote(others: readonly Pending[], before: Pending): void {
    const { setting } = this.#engine.core;
    const refused = new Map<string, { refusal: Refusal; pending: Pending[] }>();
    const found = others.findIndex((other) => !objection(other, setting)?.isFree);
    const first = found < 0 ? others.length : found;
    for (const other of others.slice(0, first)) this.#admit({ ...other, input: inputOf(other, before) }, refused);
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
        this.#open--;
        one.claim?.release();
        one.call.reject(cause);
      }
    }
    this.#offered = this.#settled + this.#open;
    this.#pump();
  }

  /** Learns what is due: a full batch, or what has waited long enough. */
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
      record = recordOf(pending);
    } catch (cause) {
      // There is no memory for them, which harms nobody else.
      return Promise.resolve().then(() => this.#fail(pending, cause));
    }
    return this.#run(pending, async () => {
      await this.tellAccount();
      const outcome = (await this.#engine.commit(record))!;
      tell(pending, outcome);
      return new Map(outcome.refused.map((refused) => [pending[refused.index]!, refused]));
    });
  }

  /** Learns what waits, without waiting for more, and tells the journal the last of the account. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing = true;
    do {
      this.#pump();
      await Promise.all(this.#running);
    } while (this.#running.size > 0 || this.#queue.length > 0);
    await this.#run([], async () => {
      await this.tellAccount();
      return new Map();
    });
  }
}

/** A repeat has none of its own. */
function inputOf({ input }: Pending, before: Pending): Values {
  return input === noInput ? before.input : input;
}

/** What is learned in the place of `before`. A late label is one for the prediction that is claimed, whichever call found it. */
function heirOf(next: Pending, before: Pending): Pending {
  const claim = next.claim ?? before.claim;
  if (!next.awaitsLabel) return { ...next, claim };
  const score = claim?.scoreOf(next.label) ?? null;
  return { ...next, claim, input: claim?.input ?? inputOf(next, before), score };
}
