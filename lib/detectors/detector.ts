// Interfaces of drift detectors: a plain value with the kind and its settings, and the arithmetic that is made from it. A detector
// gets one number for each sample; a learner gives it 1 for a wrong prediction and 0 for a right one.

export type Drift = 'none' | 'warning' | 'drift';

export interface RunningDetector {
  /** Takes the next number and returns the verdict on all so far. */
  update(value: number): Drift;
  /** The state to resume from: numbers, strings, arrays and plain objects; all numbers are finite. */
  toJSON(): unknown;
}

/** The arithmetic of the detectors of one kind. */
export interface DetectorKind<Settings> {
  /** Starts from the beginning, or from a result of toJSON(). */
  readonly start: (settings: Settings, saved?: unknown) => RunningDetector;
}
