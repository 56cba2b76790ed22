// Runs a long operation of the addon: handles aborts, callbacks that throw, and errors in one place.
import { AsyncResource } from 'node:async_hooks';
import { plain } from '../core/checks';
import { fromNative } from '../core/errors';
import type { Job } from './native';

interface RunOptions<Event> {
  signal?: AbortSignal | undefined;
  /** Not called after the job was cancelled. The job ends only after a promise that it returns has settled. */
  onEvents?: (events: Event[]) => Promise<unknown> | undefined;
  /** Called before onEvents, and for every event. Must not throw. */
  onEveryEvent?: (events: Event[]) => void;
}

/**
 * Starts a job and waits for it. An abort ends it after the current batch and rejects with `signal.reason`. A callback that
 * throws, or whose promise rejects, ends it the same way, and the result rejects with that value.
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
      // The addon reports all jobs in one context, but a callback belongs to the call that was given it.
      job = start(onEvents ? AsyncResource.bind(guarded) : guarded);
      signal?.addEventListener('abort', stop, { once: true });
      return job.done;
    }).catch((cause: unknown) => {
      // A job that was cancelled rejects with the cause of the cancellation, whatever its own error is.
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
