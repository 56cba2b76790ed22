// Maps long lists in slices of time, so that nothing else on this thread waits for them.
import { TimeSlice } from '../core/time-slice';

export async function mapInTurns<Item, Result>(
  items: Iterable<Item>,
  map: (item: Item, index: number) => Result | Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result[]> {
  const slice = new TimeSlice();
  const results: Result[] = [];
  for (const item of items) {
    const result = map(item, results.length);
    // Most maps are synchronous: awaiting each result would take longer than making it.
    results.push(result instanceof Promise ? await result : result);
    if (!slice.isOver) continue;
    await slice.rest();
    signal?.throwIfAborted();
  }
  return results;
}
