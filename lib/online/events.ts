// Events of a learner, for listeners. They follow records that are durable, and change nothing.
import type { DriftAnswer } from './drift-answers';
import type { Reason } from './reasons';
import type { VersionInfo } from './versions/version';

/** Of the event `drift`. */
export interface DriftEvent {
  /** Drifts that were found since the learner began, this one included. */
  drifts: number;
  /** Updates that the learner had made then. */
  updates: number;
  /** The answer to it, by `drift.onDrift`. */
  answer: DriftAnswer;
}

/** Of the event `refused`: weights that may not serve. */
export interface RefusedEvent {
  reason: string;
  /** Updates that led to them. */
  updates: number;
  /** On the held-out samples; null without them. */
  accuracy: number | null;
  perClass: (number | null)[];
}

/** Of the event `quarantine`: samples that were not learned. */
export interface QuarantineEvent {
  reasons: Omit<Reason, 'index'>[];
}

/** Events of a learner by their names. A process does not hear those of the time before it opened the learner. */
export interface LearnerEvents {
  /** A version was made, and serves; or an earlier one serves again. */
  version: [VersionInfo];
  drift: [DriftEvent];
  refused: [RefusedEvent];
  quarantine: [QuarantineEvent];
}

/** Calls the listeners of an event, after the operation that is running: what they throw is no failure of the learner. */
export type Notify = <Name extends keyof LearnerEvents>(name: Name, ...event: LearnerEvents[Name]) => void;
