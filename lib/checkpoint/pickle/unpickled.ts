// The result of reading a pickle.
import type { MemoryBudget } from './budget';
import type { PickleGlobal, PickleReference, PickleValue } from './values';

/** What a pickle holds, read without running anything. */
export interface Unpickled {
  value: PickleValue;
  /** Every global that is named anywhere, whether it ends up in `value` or not. */
  globals: PickleGlobal[];
  /** The same of everything that is stored outside the pickle. */
  references: PickleReference[];
  /** Every instruction that it uses. */
  instructions: ReadonlySet<number>;
  /** Bytes that the pickle takes. */
  length: number;
  /** What is left for what is made of it. */
  memory: MemoryBudget;
}
