// The family of drift detectors. A new one is a file here and a line in the list.
import { family, type MemberOf } from '../core/family';
import { adwin, adwinKind } from './adwin';
import { ddm, ddmKind } from './ddm';
import type { DetectorKind, RunningDetector } from './detector';
import { eddm, eddmKind } from './eddm';
import { kswin, kswinKind } from './kswin';
import { pageHinkley, pageHinkleyKind } from './page-hinkley';

export const detectors = family('a detector', {
  adwin: { make: adwin, ...adwinKind },
  ddm: { make: ddm, ...ddmKind },
  eddm: { make: eddm, ...eddmKind },
  kswin: { make: kswin, ...kswinKind },
  pageHinkley: { make: pageHinkley, ...pageHinkleyKind },
});

/** Looks for changes in a stream of numbers. */
export type Detector = MemberOf<typeof detectors.makers>;

/** From the beginning, or from what toJSON() of a running one gave. */
export function startDetector(detector: Detector, saved?: unknown): RunningDetector {
  const { start } = detectors.entryOf(detector) as unknown as DetectorKind<Detector>;
  return start(detector, saved);
}
