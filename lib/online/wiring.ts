// Splits the options of OnlineLearner.open() at the door: settings decide what a learner computes and are recorded in its folder;
// wiring belongs to this process and is recorded nowhere.
import { plain } from '../core/checks';
import type { Dataset } from '../datasets';
import type { State } from '../state/state';
import type { FeedbackOptions, GateOptions, LearnerOptions, Sync } from './options';
import type { SettingsOptions } from './settings';

export interface Wiring {
  dir: string;
  checkpoint: string | State | undefined;
  /** Read once, when the learner is opened. */
  heldOut: Dataset | undefined;
  allowOperators: readonly string[];
  niceness: number;
  maxDelayMs: number;
  sync: Sync;
  /** Of journal and snapshots. */
  maxBytes: number;
  /** false: predictions are not remembered. */
  feedback: Required<FeedbackOptions> | false;
  signal: AbortSignal | undefined;
}

/** `options`: as checkLearnerOptions() returns them. */
export function splitOptions(options: LearnerOptions): { settings: SettingsOptions; wiring: Wiring } {
  const { dir, checkpoint, allowOperators, niceness, maxDelayMs, journal, feedback, signal, gate, ...others } = options;
  const { heldOut, ...ownGate } = gate ?? plain<GateOptions>({});
  const settings: SettingsOptions = plain({ ...others, ...(gate && { gate: plain(ownGate) }) });
  const wiring: Wiring = {
    ...{ dir, checkpoint, heldOut, signal },
    ...{ allowOperators: allowOperators ?? [], niceness: niceness ?? 0, maxDelayMs: maxDelayMs ?? 50 },
    ...{ sync: journal?.sync ?? { everyMs: 100 }, maxBytes: journal?.maxBytes ?? 256 * 2 ** 20 },
    feedback: feedback === false ? false : feedbackLimits(feedback),
  };
  return { settings, wiring };
}

function feedbackLimits(options: FeedbackOptions = {}): Required<FeedbackOptions> {
  const { ttlMs, maxBytes, memoryBytes } = plain(options);
  return { ttlMs: ttlMs ?? 3_600_000, maxBytes: maxBytes ?? 2 ** 30, memoryBytes: memoryBytes ?? 64 * 2 ** 20 };
}
