// A source of samples that a learner follows: at the source's speed or at its own, in bounded memory.
import { setImmediate } from 'node:timers/promises';
import { checkOptions, invalid, isNumber, isOneOf } from '../options';
import type { Samples } from './admission';
import type { LearnResult } from './queue';

export interface StreamOptions {
  /** Samples that may wait to be learned. Default: four times `batchSize`. */
  highWaterMark?: number;
  /**
   * What happens where the source is faster. `'block'`: it waits. `'dropOldest'`: those that waited longest are dropped.
   * `'sample'`: which ones are dropped is left to chance, each with the same probability. Default: 'block'.
   */
  overflow?: 'block' | 'dropOldest' | 'sample';
}

/** Anything to be iterated: Node's Readable in object mode, Web streams, async generators, arrays. */
export type Source = AsyncIterable<Samples> | Iterable<Samples>;

/** What a stream does to its learner. */
export interface Target {
  batchSize: number;
  /** Counts samples that came. */
  offer(samples: number): void;
  /** Counts samples, offered before, that will not be learned. */
  drop(samples: number): void;
  /** Learns samples, offered before. */
  learn(samples: Samples): Promise<LearnResult>;
}

export function followed(target: Target, source: Source, options: StreamOptions): AsyncGenerator<LearnResult> {
  checkOptions('stream', options, {
    highWaterMark: isNumber({ integer: true, min: 1 }),
    overflow: isOneOf(['block', 'dropOldest', 'sample']),
  });
  const { highWaterMark = 4 * target.batchSize, overflow = 'block' } = options;
  const iterable = source as Partial<AsyncIterable<Samples> & Iterable<Samples>> | null | undefined;
  if (!iterable?.[Symbol.asyncIterator] && !iterable?.[Symbol.iterator]) {
    throw invalid('a stream, or something else to be iterated', 'source', source);
  }
  if (overflow === 'block') return learned(target, counted(target, source), highWaterMark);
  // Two batches are in hand, one being learned and one to come next; the others can still be dropped.
  const inHand = Math.min(2 * target.batchSize, Math.ceil(highWaterMark / 2));
  return learned(target, buffered(target, source, highWaterMark - inHand, overflow), inHand);
}

async function* counted(target: Target, source: Source): AsyncGenerator<Samples> {
  for await (const samples of source) {
    target.offer(sizeOf(samples));
    yield samples;
  }
}

/** Learns what comes, with `highWaterMark` samples in hand at most, and tells the results in order. */
async function* learned(
  target: Target,
  source: AsyncGenerator<Samples>,
  highWaterMark: number,
): AsyncGenerator<LearnResult> {
  const results: Promise<LearnResult>[] = [];
  let inHand = 0;
  let coming: Promise<IteratorResult<Samples>> | undefined;
  let ended = false;
  try {
    while (!ended || results.length > 0) {
      if (!ended && inHand < highWaterMark) coming ??= source.next();
      // Whichever is first: the source brings more, or the oldest is done.
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
      const samples = event.next.value;
      const size = sizeOf(samples);
      inHand += size;
      const result = target.learn(samples).finally(() => {
        inHand -= size;
      });
      // It is awaited in its turn.
      result.catch(() => {});
      results.push(result);
    }
  } finally {
    // A source that has nothing to bring would keep the loop from being left.
    const returned = source.return(undefined).catch(() => {});
    if (!coming) await returned;
  }
}

/** Reads the source as fast as it comes, and keeps `room` samples of it at most. */
async function* buffered(
  target: Target,
  source: Source,
  room: number,
  overflow: 'dropOldest' | 'sample',
): AsyncGenerator<Samples> {
  const waiting: Samples[] = [];
  let held = 0;
  /** Since there was room for all. */
  let arrived = 0;
  let left = false;
  let wake = () => {};
  const drop = (index: number) => {
    const [dropped] = waiting.splice(index, 1);
    held -= sizeOf(dropped!);
    target.drop(sizeOf(dropped!));
  };
  const reading = (async () => {
    for await (const samples of source) {
      if (left) return;
      target.offer(sizeOf(samples));
      waiting.push(samples);
      held += sizeOf(samples);
      arrived = held > room ? arrived + 1 : waiting.length;
      while (held > room && waiting.length > 1) {
        const chosen = Math.floor(Math.random() * arrived);
        if (overflow === 'dropOldest') drop(0);
        // Algorithm R: the newest takes the place of one of the others, or is itself the one that goes.
        else drop(chosen < waiting.length - 1 ? chosen : waiting.length - 1);
      }
      wake();
      // A source that always has more would otherwise keep everything else from happening.
      if (arrived > waiting.length) await setImmediate();
    }
  })().finally(() => {
    left = true;
    wake();
  });
  reading.catch(() => {});
  try {
    while (waiting.length > 0 || !left) {
      const next = waiting.shift();
      if (next) {
        held -= sizeOf(next);
        yield next;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    await reading;
  } finally {
    left = true;
    while (waiting.length > 0) drop(0);
  }
}

/** What is no list of samples is refused when it is to be learned. */
function sizeOf(samples: Samples | null | undefined): number {
  return samples?.labels?.length ?? 0;
}
