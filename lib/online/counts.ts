// Counts of a learner's state: of updates, and how far the weights are from the version that serves or was made last.
import { defined } from '../core/checks';
import type { NativeUpdate } from '../native/native';
import { countAnswered } from './drift-answers';
import type { LearnerState } from './storage/learner-state';
import type { ServedVersion } from './versions/served';
import { findVersion } from './versions/version';

/** By rules 2, an update counts if it learned something; one that failed only brings the next candidate closer. */
export function countUpdate(
  state: LearnerState,
  { refused, needsCompany }: NativeUpdate,
  learned: number,
  rules: number,
): void {
  const isTried = learned > 0 || (refused !== '' && !needsCompany);
  if (learned > 0 || rules === 1) state.updates++;
  if (!isTried) return;
  state.untilCandidate--;
  countAnswered(state);
}

/** Updates since the weights were the version. `every`: updates between two candidates, from which earlier snapshots follow. */
export function unversionedIn({ unversioned, untilCandidate }: LearnerState, every: number): number {
  return unversioned ?? Math.max(0, every - untilCandidate);
}

export function versionOf({ versions }: LearnerState, version: number): ServedVersion {
  return { durable: version, updates: findVersion(versions, version).updates };
}

/** The name of the weights that learn. */
export function versionNow(state: LearnerState, every: number): ServedVersion {
  const { serving, updates } = state;
  return unversionedIn(state, every) > 0 ? { durable: serving, updates } : versionOf(state, serving);
}

/**
 * The text of a state, equal for equal ones: without the times of its versions, and its fields by their names, since what a snapshot
 * had and what was added later are in another order.
 */
export function textOf(state: LearnerState): string {
  const versions = state.versions.map(({ created, ...version }) => version);
  const fields = Object.entries(defined({ ...state, versions }));
  return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}
