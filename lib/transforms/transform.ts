// Facts about a transform beside its maker, so that other rooms need not know which transform it is.
import type { Entry } from '../core/family';

export interface TransformEntry<Value, Transform> extends Entry {
  /** Height and width of an image after it. Missing: it keeps them. */
  readonly sizeAfter?: (value: Value) => readonly [number, number];
  /** Its replacement where nothing may be drawn; undefined: it is left out. Missing: it draws nothing itself. */
  readonly inScoring?: (value: Value) => Transform | undefined;
  /** Whether it takes uint8 pixels and gives float32. */
  readonly takesPixels?: true;
}

export const neverInScoring = { inScoring: () => undefined } as const;
