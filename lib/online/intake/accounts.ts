// Accounts of samples. Rules; each prevents a failure that was seen:
//
// 1. A sample that was offered is always exactly one of: learned, quarantined, a duplicate, dropped, queued. Otherwise samples
//    get lost between the counts.
// 2. Learned and quarantined samples are counted by the state machine, when their record is applied. Duplicates and dropped ones
//    are counted here, and recorded before the next batch, the fingerprint and the last snapshot: one record for each would make
//    the journal endless under a flood of duplicates. After a kill, samples that were not recorded count as never offered.
// 3. When the learner fails, samples that were not settled count as never offered: their callers get a rejection.
import type { Engine } from '../engine';

/** Counts of the samples that a learner was offered: `offered` is the sum of all others. */
export interface SampleCounts {
  /** Samples that arrived. */
  offered: number;
  learned: number;
  /** Samples whose ids were known. */
  duplicates: number;
  /** Samples that a stream dropped. */
  dropped: number;
  quarantined: number;
  /** Samples that wait: the rest of those that arrived. */
  queued: number;
}

export class Accounts {
  readonly #engine: Engine;
  /** Since the learner began. */
  #offered: number;
  /** Offered samples that are not settled. */
  #open = 0;
  readonly #counted: { duplicates: number; dropped: number };
  /** The part of those that is in the journal. */
  readonly #recorded: { duplicates: number; dropped: number };

  constructor(engine: Engine) {
    this.#engine = engine;
    const { duplicates, dropped } = engine.counts;
    this.#counted = { duplicates, dropped };
    this.#recorded = { duplicates, dropped };
    this.#offered = this.#settled;
  }

  get #settled(): number {
    const { learned, quarantined } = this.#engine.counts;
    return learned + quarantined + this.#counted.duplicates + this.#counted.dropped;
  }

  get counts(): SampleCounts {
    const { learned, quarantined } = this.#engine.counts;
    const offered = this.#offered;
    return { offered, learned, ...this.#counted, quarantined, queued: offered - this.#settled };
  }

  offer(samples: number): void {
    this.#offered += samples;
    this.#open += samples;
  }

  drop(samples: number): void {
    this.#counted.dropped += samples;
    this.#open -= samples;
  }

  /** Counts duplicates, which are settled one by one. */
  addDuplicates(samples: number): void {
    this.#counted.duplicates += samples;
  }

  /** One offered sample is settled. */
  settle(): void {
    this.#open--;
  }

  /** By rule 3: only samples that are settled, or still open, were offered. */
  forgetFailed(): void {
    this.#offered = this.#settled + this.#open;
  }

  /** Records duplicates and dropped samples since the last time. Only inside exclusively(). */
  async record(): Promise<void> {
    const duplicates = this.#counted.duplicates - this.#recorded.duplicates;
    const dropped = this.#counted.dropped - this.#recorded.dropped;
    if (duplicates + dropped === 0) return;
    this.#recorded.duplicates += duplicates;
    this.#recorded.dropped += dropped;
    await this.#engine.commit({ kind: 'account', duplicates, dropped });
  }
}
