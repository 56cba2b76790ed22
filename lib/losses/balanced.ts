// Weights that a loss takes from the data of a training: the word 'balanced' instead of numbers.
import { type Check, invalid } from '../core/checks';
import { LearnError } from '../core/errors';
import { areWeights } from './fragment';

/** The word that stands for weights that follow from the data. */
export const balanced = 'balanced';

/** Weights that follow from the targets of a data set: see lib/datasets/class-weights.ts. */
export interface DataWeights {
  /** Of each class; that of `ignoreIndex` is 0. */
  ofClasses(ignoreIndex: number): Promise<readonly number[]>;
  /** Of positive targets, for each label. */
  ofPositives(): Promise<readonly number[]>;
}

/** The check of an option that may be 'balanced', or what `check` allows. */
export function orBalanced(check: Check): Check {
  return (given, name) => {
    if (given === balanced) return given;
    if (typeof given === 'string') throw invalid(`weights, null, or '${balanced}'`, name, given);
    return check(given, name);
  };
}

/** The option `weight` of losses of classes. */
export const areClassWeights = orBalanced(areWeights);

/** The numbers of an option. Throws ERR_INVALID_OPTION if they must come from the data of a training. */
export function numbersOf<Numbers>(
  weights: Numbers,
  loss: string,
  option: string,
  maker: 'classWeights' | 'posWeights',
): Exclude<Numbers, typeof balanced> {
  if (weights !== balanced) return weights as Exclude<Numbers, typeof balanced>;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `${loss}({ ${option}: '${balanced}' }) takes its numbers from the data of trainIncremental(), without which it has no numbers; give ` +
      `them, as ${maker}(data) computes them`,
  );
}
