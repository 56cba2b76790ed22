// Samples on their way into a learner: known ones are counted, wrong ones go to quarantine, the others wait for a full batch or
// their time. Whatever came is somewhere: learned, dropped, quarantined, known, or waiting.

import { joined } from '../values';
import { objection, type Sample } from './admission';
import type { Engine } from './engine';
import { Call, type LearnResult, type Pending, Queue } from './queue';
import { currentRules } from './records';
import type { Outcome } from './setting';

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

export class Intake {
  readonly #engine: Engine;
  readonly #batchSize: number;
  readonly #maxDelayMs: number;
  readonly #queue = new Queue();
  /** By the ids of samples that wait or are being learned: those that came again meanwhile. */
  readonly #waiting = new Map<string, Pending[]>();
  /** Since the learner began. */
  #offered: number;
  readonly #counted: { duplicates: number; dropped: number };
  /** Of those, what the journal was told. */
  readonly #told: { duplicates: number; dropped: number };
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  #closing = false;

  constructor(engine: Engine, maxDelayMs: number) {
    this.#engine = engine;
    this.#batchSize = engine.core.setting.settings.batchSize;
    this.#maxDelayMs = maxDelayMs;
    const { learned, quarantined, duplicates, dropped } = engine.core.counts;
    this.#offered = learned + quarantined + duplicates + dropped;
    this.#counted = { duplicates, dropped };
    this.#told = { duplicates, dropped };
  }

  get counts(): Counts {
    const { learned, quarantined } = this.#engine.core.counts;
    const { duplicates, dropped } = this.#counted;
    const offered = this.#offered;
    const queued = offered - learned - duplicates - dropped - quarantined;
    return { offered, learned, duplicates, dropped, quarantined, queued };
  }

  /** Counts samples that came; a negative number takes some back. */
  offer(samples: number): void {
    this.#offered += samples;
  }

  /** Counts offered samples that are left out. */
  drop(samples: number): void {
    this.#counted.dropped += samples;
  }

  /** Takes samples that were offered. Resolves when all of them are settled. */
  accept(samples: readonly Sample[]): Promise<LearnResult> {
    const call = new Call();
    const refused = new Map<string, Pending[]>();
    for (const sample of samples) {
      const pending: Pending = { score: null, ...sample, call, since: performance.now() };
      call.waiting++;
      if (sample.id !== null && this.knows(sample.id)) this.#countDuplicate(sample.id, pending);
      else this.#admit(pending, refused);
    }
    for (const [reason, pending] of refused) this.#quarantine(reason, pending);
    this.#pump();
    return call.done;
  }

  /** Whether a sample of this id was learned or is about to be. */
  knows(id: string): boolean {
    return this.#waiting.has(id) || this.#engine.core.knows(id);
  }

  /** Into the queue, or to those that were refused for the same reason. */
  #admit(pending: Pending, refused: Map<string, Pending[]>): void {
    if (pending.id !== null) this.#waiting.set(pending.id, []);
    const reason = objection(pending, this.#engine.core.setting);
    if (reason === '') this.#queue.push(pending);
    else append(refused, reason, pending);
  }

  #countDuplicate(id: string, pending: Pending): void {
    this.#counted.duplicates++;
    pending.call.result.duplicates++;
    const others = this.#waiting.get(id);
    // The first of them is not durable yet: it waits with that.
    if (others) others.push(pending);
    else this.#run([pending], () => this.#tellAccount());
  }

  async #tellAccount(): Promise<void> {
    const duplicates = this.#counted.duplicates - this.#told.duplicates;
    const dropped = this.#counted.dropped - this.#told.dropped;
    if (duplicates + dropped === 0) return;
    this.#told.duplicates += duplicates;
    this.#told.dropped += dropped;
    await this.#engine.commit({ kind: 'account', duplicates, dropped });
  }

  #quarantine(reason: string, pending: Pending[]): void {
    const record = { kind: 'quarantine', ids: pending.map(({ id }) => id), reason } as const;
    for (const { call } of pending) call.result.quarantined++;
    this.#run(pending, async () => void (await this.#engine.commit(record, pending)));
  }

  /** Does `work` in turn; then these samples are settled. */
  #run(pending: readonly Pending[], work: () => Promise<void>): Promise<void> {
    return this.#engine.exclusively(work).then(
      () => this.#settle(pending),
      (cause) => this.#fail(pending, cause),
    );
  }

  #settle(pending: readonly Pending[]): void {
    for (const { id, call } of pending) {
      if (id !== null) {
        const again = this.#waiting.get(id) ?? [];
        this.#waiting.delete(id);
        if (again.length > 0) this.#run(again, () => this.#tellAccount());
      }
      if (--call.waiting > 0) continue;
      const { result } = call;
      result.version = this.#engine.core.counts.serving;
      result.loss = call.lossSum / result.updates;
      result.prequential.loss /= result.prequential.samples;
      call.resolve(result);
    }
  }

  #fail(pending: readonly Pending[], cause: unknown): void {
    for (const { id, call } of pending) {
      for (const again of this.#waiting.get(id ?? '') ?? []) again.call.reject(cause);
      if (id !== null) this.#waiting.delete(id);
      call.reject(cause);
    }
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
    const inputs = joined(pending.map(({ input }) => input));
    const labels = Int32Array.from(pending, ({ label }) => label);
    const [ids, scores] = [pending.map(({ id }) => id), pending.map(({ score }) => score)];
    const batch = { rules: currentRules, inputs, labels, ids, scores };
    return this.#run(pending, async () => {
      await this.#tellAccount();
      const outcome = await this.#engine.commit({ kind: 'batch', ...batch, fresh: true }, pending);
      tell(pending, outcome!);
    });
  }

  /** Learns what waits, without waiting for more. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing = true;
    this.#pump();
    while (this.#pumping) await this.#pumping;
  }
}

function append<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** Tells the calls that had samples in an update what it came to. */
function tell(pending: readonly Pending[], { refused, loss, scores, drift }: Outcome): void {
  for (const call of new Set(pending.map((sample) => sample.call))) {
    if (refused) continue;
    call.result.updates++;
    call.lossSum += loss;
    call.result.drift ||= drift;
  }
  for (const [i, { call }] of pending.entries()) {
    const { prequential } = call.result;
    if (refused) call.result.quarantined++;
    const score = scores[i];
    if (!score) continue;
    prequential.loss = prequential.samples === 0 ? score.loss : prequential.loss + score.loss;
    prequential.samples++;
    prequential.correct += Number(score.predicted === score.label);
  }
}
