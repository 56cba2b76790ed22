// A learner's state but for its tensors, as snapshots record it.
import type { Baseline, VersionInfo } from '../versions/version';

/** What the state is beside weights, optimizer, random numbers and replay buffer, as snapshots have it. */
export interface SavedCore {
  updates: number;
  learned: number;
  /** Samples that learnFrom() learned. Snapshots of all versions have it under this name. */
  rehearsed: number;
  quarantined: number;
  duplicates: number;
  dropped: number;
  drifts: number;
  /** Candidates that may not serve. */
  refused: number;
  boosted: number;
  /** The version that serves, and all that are kept, oldest first. */
  serving: number;
  versions: VersionInfo[];
  /** The newest version that was ever made, where a repair took it out of `versions`: no other gets its number. */
  newest?: number;
  /** Updates until the next candidate. */
  untilCandidate: number;
  best: Baseline;
  prequential: unknown;
  detector: unknown;
}
