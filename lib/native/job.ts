// One way to wait for the addon's long work: aborts, callbacks that throw, and errors all end here.

import { plain } from '../core/checks';
import { fromNative } from '../core/errors';
import type { Job } from './native';

interface RunOptions<Event> {
  signal?: AbortSignal | undefined;
  /** Not called any more once the job was told to stop. A promise that it returns is awaited before the job is over. */
  onEvents?: (events: Event[]) => Promise<unknown> | undefined;
  /** Called first, and for every event there is. Must not throw. */
  onEveryEvent?: (events: Event[]) => void;
}

/**
 * Starts a job and waits for it. An abort ends it after the batch in hand and rejects with `signal.reason`; a callback
 * that throws, or returns a promise that rejects, ends it the same way and rejects with that, whatever it is.
 */
export async function runJob<Result, Event = never>(
  start: (onEvents: (events: Event[]) => void) => Job<Result>,
  options: RunOptions<Event>,
): Promise<Result> {
  const { signal, onEvents, onEveryEvent } = plain(options);
  signal?.throwIfAborted();
  let thrown: { what: unknown } | undefined;
  const fail = (what: unknown) => {
    thrown ??= { what };
    job.cancel();
  };
  const pending = new Set<Promise<void>>();
  const guarded = (events: Event[]) => {
    onEveryEvent?.(events);
    if (thrown || signal?.aborted) return;
    try {
      const handled = onEvents?.(events);
      if (!handled) return;
      const settled = handled.then(() => {}, fail).finally(() => pending.delete(settled));
      pending.add(settled);
    } catch (what) {
      fail(what);
    }
  };
  const stop = () => job.cancel();
  let job: Job<Result>;
  try {
    const result = await fromNative(() => {
      job = start(guarded);
      signal?.addEventListener('abort', stop, { once: true });
      return job.done;
    }).catch((cause: unknown) => {
      // Whatever else it says, a job that was told to stop stopped because of that.
      if (!thrown) signal?.throwIfAborted();
      if (!thrown) throw cause;
    });
    if (!signal?.aborted) await Promise.all(pending);
    if (thrown) throw thrown.what;
    signal?.throwIfAborted();
    return result as Result;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
