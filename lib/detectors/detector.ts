// What a drift detector is: a plain value that says which and with what settings, and the arithmetic made of it. It is fed one
// number a sample, for a learner 1 where the prediction was wrong and 0 where it was right.

export type Drift = 'none' | 'warning' | 'drift';

export interface RunningDetector {
  /** Takes one number and says what it makes of all so far. */
  update(value: number): Drift;
  /** All that going on takes: numbers, strings, arrays and plain objects; none of the numbers infinite. */
  toJSON(): unknown;
}

/** How the detectors of one kind run. */
export interface DetectorKind<Settings> {
  /** From the beginning, or from what toJSON() gave. */
  readonly start: (settings: Settings, saved?: unknown) => RunningDetector;
}
