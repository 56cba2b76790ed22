// One way to wait for the addon's long work: aborts, callbacks that throw, and errors all end here.

import { plain } from '../core/checks';
import { fromNative } from '../core/errors';
import type { Job } from './native';

interface RunOptions<Event> {
  signal?: AbortSignal | undefined;
  /** Not called any more once the job was told to stop. */
  onEvents?: (events: Event[]) => void;
  /** Called first, and for every event there is. Must not throw. */
  onEveryEvent?: (events: Event[]) => void;
}

/**
 * Starts a job and waits for it. An abort ends it after the batch in hand and rejects with `signal.reason`; a callback
 * that throws ends it the same way and rejects with what it threw, whatever that is.
 */
export async function runJob<Result, Event = never>(
  start: (onEvents: (events: Event[]) => void) => Job<Result>,
  options: RunOptions<Event>,
): Promise<Result> {
  const { signal, onEvents, onEveryEvent } = plain(options);
  signal?.throwIfAborted();
  let thrown: { what: unknown } | undefined;
  const guarded = (events: Event[]) => {
    onEveryEvent?.(events);
    if (thrown || signal?.aborted) return;
    try {
      onEvents?.(events);
    } catch (what) {
      thrown = { what };
      job.cancel();
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
    if (thrown) throw thrown.what;
    signal?.throwIfAborted();
    return result as Result;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
