// The result of reading a pickle.
import type { MemoryBudget } from './budget';
import type { PickleGlobal, PickleReference, PickleValue } from './values';

export interface Unpickled {
  value: PickleValue;
  /** Every global that the pickle names, whether or not `value` contains it. */
  globals: PickleGlobal[];
  /** Every reference to data outside the pickle, likewise. */
  references: PickleReference[];
  /** Codes of all instructions that the pickle uses. */
  instructions: ReadonlySet<number>;
  /** Size of the pickle in bytes. */
  length: number;
  /** The memory that is left for the values made from `value`. */
  memory: MemoryBudget;
}
