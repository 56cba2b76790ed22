// Data sets on their way into native memory.

import { fromNative } from '../core/errors';
import type { Entry } from '../core/family';
import type { DatasetHandle } from '../native/handles';
import { native } from '../native/native';
import type { DatasetPlan } from '../native/plans';

/** One that was begun. */
export interface Opening {
  finish(): Promise<DatasetHandle>;
  /** Frees what finish() was not asked for. */
  abandon(): void;
}

/** What the family knows of a data set beside its maker. */
export interface DatasetEntry<Value> extends Entry {
  /** What is in memory is copied before this returns; files are read when finish() is called. */
  readonly begin: (dataset: Value, signal: AbortSignal | undefined) => Opening;
  /** Names of the classes, by label. Missing: it has none. */
  readonly classNames?: (dataset: Value) => Promise<readonly string[] | undefined>;
}

/** The first sample of a data set, as one of its own, which the caller disposes. */
export function firstOf(of: DatasetHandle): Promise<DatasetHandle> {
  return makeDataset({ kind: 'subset', of, start: 0, end: 1 });
}

export function makeDataset(plan: DatasetPlan): Promise<DatasetHandle> {
  return fromNative(() => native().makeDataset(plan));
}
