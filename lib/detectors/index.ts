// The drift detectors there are. A new one is a file here and a line in each of the two lists.
import { type Check, invalid } from '../core/checks';
import { type Adwin, adwinKind } from './adwin';
import { type Ddm, ddmKind } from './ddm';
import type { DetectorKind, RunningDetector } from './detector';
import { type Eddm, eddmKind } from './eddm';
import { type Kswin, kswinKind } from './kswin';
import { type PageHinkley, pageHinkleyKind } from './page-hinkley';

/** Looks for changes in a stream of numbers. Made by adwin(), ddm(), eddm(), kswin() and pageHinkley(). */
export type Detector = Adwin | Ddm | Eddm | Kswin | PageHinkley;

const kinds: { readonly [Kind in Detector['kind']]: DetectorKind<Extract<Detector, { kind: Kind }>> } = {
  adwin: adwinKind,
  ddm: ddmKind,
  eddm: eddmKind,
  kswin: kswinKind,
  pageHinkley: pageHinkleyKind,
};

export const isDetector: Check = (value, name) => {
  const isObject = typeof value === 'object' && value !== null;
  const kind = isObject && Object.hasOwn(value, 'kind') ? (value as Detector).kind : undefined;
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) {
    throw invalid('a detector made by adwin(), ddm(), eddm(), kswin() or pageHinkley()', name, value);
  }
};

export function startDetector(detector: Detector, saved?: unknown): RunningDetector {
  return (kinds[detector.kind] as DetectorKind<Detector>).start(detector, saved);
}
