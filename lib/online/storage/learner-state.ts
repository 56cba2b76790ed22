// State of a learner, except its tensors and ids, as snapshots record it.
import type { Baseline, VersionInfo } from '../versions/version';

export interface LearnerState {
  updates: number;
  learned: number;
  /** Samples that learnFrom() learned. Snapshots of all versions have it under this name. */
  rehearsed: number;
  quarantined: number;
  duplicates: number;
  dropped: number;
  drifts: number;
  /** Candidates that were refused. */
  refused: number;
  /** Updates that still replay more samples after a drift. */
  boosted: number;
  /** Updates that still have higher learning rates. Missing: none. */
  raised?: number;
  /** New samples in which the detector's signals still belong to the last drift. Missing: none. */
  cooling?: number | undefined;
  /** Updates since the weights were the version `serving`. Missing in snapshots of earlier versions. */
  unversioned?: number;
  /** The version that serves, or was made last, and all that are kept, oldest first. */
  serving: number;
  versions: VersionInfo[];
  /** The newest version ever made, if a repair removed it from `versions`: its number is not used again. */
  newest?: number;
  /** Updates until the next candidate. */
  untilCandidate: number;
  best: Baseline;
  prequential: unknown;
  detector: unknown;
  /** Missing where the learner has no metrics of its own. */
  metrics?: unknown;
}
