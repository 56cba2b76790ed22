// Streams: a learner follows a source of samples in bounded memory, at the source's speed or at its own. Samples are checked and
// copied when they arrive.
import { setImmediate } from 'node:timers/promises';
import { checkOptions, invalid, isNumber, isOneOf } from '../../core/checks';
import type { LearnResult } from './queue';
import type { Sample, Samples } from './samples';

/** Options of {@link OnlineLearner.stream}. */
export interface StreamOptions {
  /** Samples that may wait to be learned. Default: four times `batchSize`. */
  highWaterMark?: number;
  /**
   * Response to a source that is faster than the learner. `'block'`: it waits. `'dropOldest'`: the oldest samples are dropped.
   * `'sample'`: random ones are dropped, each with the same probability. Default: 'block'.
   */
  overflow?: 'block' | 'dropOldest' | 'sample';
}

/** Any iterable: Node's Readable in object mode, a Web stream, an async generator, an array. */
export type SampleSource = AsyncIterable<Samples> | Iterable<Samples>;

/** The operations of a learner that a stream needs. */
export interface StreamedLearner {
  batchSize: number;
  /** Checks and copies samples, and counts them as offered. Throws if they are invalid, or the learner was closed. */
  take(samples: Samples): Sample[];
  /** Counts taken samples that will not be learned. */
  drop(samples: number): void;
  /** Learns taken samples. */
  learn(samples: readonly Sample[]): Promise<LearnResult>;
  /** Throws if the learner was closed. */
  checkOpen(): void;
  /** Calls `leave` before the learner closes. Returns a function that cancels this. */
  beforeClose(leave: () => void): () => void;
}

/** Samples that are being learned. */
interface Learning {
  size: number;
  result: Promise<LearnResult>;
}

export function followed(
  target: StreamedLearner,
  source: SampleSource,
  options: StreamOptions,
): AsyncGenerator<LearnResult> {
  const { highWaterMark = 4 * target.batchSize, overflow = 'block' } = checkOptions('stream', options, {
    highWaterMark: isNumber({ integer: true, min: 1 }),
    overflow: isOneOf(['block', 'dropOldest', 'sample']),
  });
  const iterable = source as Partial<AsyncIterable<Samples> & Iterable<Samples>> | null | undefined;
  if (!iterable?.[Symbol.asyncIterator] && !iterable?.[Symbol.iterator]) {
    throw invalid('a stream, or another iterable', 'source', source);
  }
  if (overflow === 'block') return learned(accepted(target, source), highWaterMark);
  // One batch is being learned and one is next; all others can still be dropped.
  const begun = Math.min(2 * target.batchSize, Math.ceil(highWaterMark / 2));
  const buffer = new Buffered(target, source, highWaterMark - begun, overflow);
  return learned(buffer.learning(), begun, () => buffer.leave());
}

function begin(target: StreamedLearner, samples: readonly Sample[]): Learning {
  const result = target.learn(samples);
  // Awaited later, in order.
  result.catch(() => {});
  return { size: samples.length, result };
}

/** Learns samples as soon as they arrive, even if the loop over the results was left. */
async function* accepted(target: StreamedLearner, source: SampleSource): AsyncGenerator<Learning> {
  for await (const samples of source) {
    let learning: Learning;
    try {
      learning = begin(target, target.take(samples));
    } catch (cause) {
      // The results before it are yielded first.
      const result = Promise.reject(cause);
      result.catch(() => {});
      learning = { size: 0, result };
    }
    yield learning;
  }
}

/** Yields the results in order, while at most `highWaterMark` samples are being learned. `leave` is called when the loop ends. */
async function* learned(
  source: AsyncGenerator<Learning>,
  highWaterMark: number,
  leave = () => {},
): AsyncGenerator<LearnResult> {
  const results: Promise<LearnResult>[] = [];
  let begun = 0;
  let coming: Promise<IteratorResult<Learning>> | undefined;
  let ended = false;
  try {
    while (!ended || results.length > 0) {
      if (!ended && begun < highWaterMark) coming ??= source.next();
      // Whichever is first: more samples arrive, or the oldest are learned.
      const pulled = coming?.then((next) => ({ next }));
      const done = results[0]?.then((result) => ({ result }));
      const event = await Promise.race([pulled, done].filter((promise) => promise !== undefined));
      if ('result' in event) {
        results.shift();
        yield event.result;
        continue;
      }
      coming = undefined;
      ended = event.next.done === true;
      if (event.next.done) continue;
      const { size, result } = event.next.value;
      begun += size;
      const settled = () => {
        begun -= size;
      };
      result.then(settled, settled);
      results.push(result);
    }
  } finally {
    leave();
    // A source without further samples would keep the loop from ending.
    const returned = source.return(undefined).catch(() => {});
    if (!coming) await returned;
  }
}

/** Reads a source at its own speed, and keeps at most `room` of its samples. */
class Buffered {
  readonly #target: StreamedLearner;
  readonly #source: SampleSource;
  readonly #room: number;
  readonly #overflow: 'dropOldest' | 'sample';
  readonly #waiting: Sample[][] = [];
  #held = 0;
  /** Items that arrived since there was room for all. */
  #arrived = 0;
  #isLeft = false;
  #isRead = false;
  #wake = () => {};

  constructor(target: StreamedLearner, source: SampleSource, room: number, overflow: 'dropOldest' | 'sample') {
    this.#target = target;
    this.#source = source;
    this.#room = room;
    this.#overflow = overflow;
  }

  async *learning(): AsyncGenerator<Learning> {
    const forget = this.#target.beforeClose(() => this.leave());
    const reading = this.#read().finally(() => {
      this.#isRead = true;
      this.#wake();
    });
    reading.catch(() => {});
    try {
      while (this.#waiting.length > 0 || !(this.#isRead || this.#isLeft)) {
        const next = this.#waiting.shift();
        if (next) {
          this.#held -= next.length;
          yield begin(this.#target, next);
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
      if (this.#isRead) await reading;
      else this.#target.checkOpen();
    } finally {
      this.leave();
      forget();
    }
  }

  async #read(): Promise<void> {
    for await (const samples of this.#source) {
      const taken = this.#target.take(samples);
      if (this.#isLeft) {
        begin(this.#target, taken);
        return;
      }
      this.#waiting.push(taken);
      this.#held += taken.length;
      this.#arrived = this.#held > this.#room ? this.#arrived + 1 : this.#waiting.length;
      while (this.#held > this.#room && this.#waiting.length > 1) this.#drop();
      this.#wake();
      // A source that always has more would otherwise block the event loop.
      if (this.#arrived > this.#waiting.length) await setImmediate();
    }
  }

  #drop(): void {
    const last = this.#waiting.length - 1;
    // Algorithm R: the newest replaces one of the others, or is dropped itself.
    const chosen = Math.min(Math.floor(Math.random() * this.#arrived), last);
    const [dropped] = this.#waiting.splice(this.#overflow === 'dropOldest' ? 0 : chosen, 1);
    this.#held -= dropped!.length;
    this.#target.drop(dropped!.length);
  }

  /** Stops reading, and learns the samples that were read. */
  leave(): void {
    this.#isLeft = true;
    for (const samples of this.#waiting.splice(0)) begin(this.#target, samples);
    this.#held = 0;
    this.#wake();
  }
}
