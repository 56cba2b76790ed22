// What the family knows of a transform beside its maker, so that other rooms need not ask which transform it is.
import type { Entry } from '../core/family';

export interface TransformEntry<Value, Transform> extends Entry {
  /** Height and width of an image after it. Missing: as before. */
  readonly sizeAfter?: (value: Value) => readonly [number, number];
  /** What takes its place where nothing may be drawn; undefined: nothing does. Missing: it draws nothing itself. */
  readonly inScoring?: (value: Value) => Transform | undefined;
  /** Whether it is the one that takes uint8 pixels and gives float32. */
  readonly takesPixels?: true;
}

export const neverInScoring = { inScoring: () => undefined } as const;
