// Splits the options of OnlineLearner.open() at the door: settings decide what a learner computes and are recorded in its folder;
// wiring belongs to this process and is recorded nowhere.
import { plain } from '../core/checks';
import type { Dataset } from '../datasets';
import type { State } from '../state/state';
import type { DriftEvent } from './events';
import type { FeedbackOptions, GateOptions, LearnerOptions, Sync } from './options';
import type { DriftSettings, SettingsOptions } from './settings';
import type { FolderLock } from './storage/lock';
import type { VersionFiles } from './versions/files';

export interface Wiring {
  dir: string;
  checkpoint: string | State | undefined;
  /** Milliseconds. */
  waitForLock: number;
  /** Read once, when the learner is opened. */
  heldOut: Dataset | undefined;
  allowOperators: readonly string[];
  niceness: number;
  maxDelayMs: number;
  sync: Sync;
  /** Of journal and snapshots; undefined: the default, which follows from their sizes. */
  maxBytes: number | undefined;
  /** false: predictions are not remembered. */
  feedback: Required<FeedbackOptions> | false;
  signal: AbortSignal | undefined;
  onDrift: ((event: DriftEvent) => void) | undefined;
}

/** A learner's folder, locked by this process. */
export interface LearnerFolder {
  path: string;
  lock: FolderLock;
  files: VersionFiles;
  sync: Sync;
  /** Of journal and snapshots; undefined: the default. */
  maxBytes: number | undefined;
}

/** `options`: as checkLearnerOptions() returns them. */
export function splitOptions(options: LearnerOptions): { settings: SettingsOptions; wiring: Wiring } {
  const { dir, checkpoint, waitForLock, allowOperators, niceness, maxDelayMs, ...given } = options;
  const { journal, feedback, signal, gate, drift, ...others } = plain(given);
  const { heldOut, ...ownGate } = gate ?? plain<GateOptions>({});
  const onDrift = typeof drift?.onDrift === 'function' ? drift.onDrift : undefined;
  const settings: SettingsOptions = plain({
    ...others,
    ...(gate && { gate: plain(ownGate) }),
    ...(drift && { drift: plain({ ...drift, ...(onDrift && { onDrift: 'report' }) }) as DriftSettings }),
  });
  const wiring: Wiring = {
    ...{ dir, checkpoint, heldOut, signal, waitForLock: waitForLock ?? 0, onDrift },
    ...{ allowOperators: allowOperators ?? [], niceness: niceness ?? 0, maxDelayMs: maxDelayMs ?? 50 },
    ...{ sync: journal?.sync ?? { everyMs: 100 }, maxBytes: journal?.maxBytes },
    feedback: feedback === false ? false : feedbackLimits(feedback),
  };
  return { settings, wiring };
}

function feedbackLimits(options: FeedbackOptions = {}): Required<FeedbackOptions> {
  const { ttlMs, maxBytes, memoryBytes } = plain(options);
  return { ttlMs: ttlMs ?? 3_600_000, maxBytes: maxBytes ?? 2 ** 30, memoryBytes: memoryBytes ?? 64 * 2 ** 20 };
}
