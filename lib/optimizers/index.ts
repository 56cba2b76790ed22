// The family of optimizers: how weights follow from gradients. A new one is a file here, a line in the list, and a file and a line in
// src/optimizers/.
import { defined } from '../core/checks';
import { type Entry, family, type MemberOf } from '../core/family';
import { averagedChanges } from './adadelta';
import { factoredSquares } from './adafactor';
import { sumOfSquares } from './adagrad';
import { adaptiveMoments } from './adam';
import { decoupledMoments } from './adam-w';
import { infinityNorm } from './adamax';
import { averagedDescent } from './asgd';
import { orthogonalUpdates } from './muon';
import { nesterovMoments } from './n-adam';
import { rectifiedMoments } from './r-adam';
import { rootMeanSquare } from './rmsprop';
import { resilientSteps } from './rprop';
import { gradientDescent, type SgdOptions, sgd, sgdChecks } from './sgd';
import type { GroupReader, TorchGroup, TorchSlot } from './torch-options';

export const optimizers = family('an optimizer', {
  sgd: gradientDescent,
  adam: adaptiveMoments,
  adamW: decoupledMoments,
  nAdam: nesterovMoments,
  rAdam: rectifiedMoments,
  adamax: infinityNorm,
  adagrad: sumOfSquares,
  adadelta: averagedChanges,
  rmsprop: rootMeanSquare,
  rprop: resilientSteps,
  asgd: averagedDescent,
  adafactor: factoredSquares,
  muon: orthogonalUpdates,
});

/** An optimizer, made by {@link sgd}, {@link adam}, {@link adamW} or another function of its family. */
export type Optimizer = MemberOf<typeof optimizers.makers>;

interface OptimizerEntry extends Entry {
  readonly make: (options?: object) => Optimizer;
  /** The member of options that were recorded: each is checked, and those that are missing are defaults. */
  readonly recorded: (options: object) => Optimizer;
  /** Its class in torch.optim. */
  readonly torchName: string;
  /** The group of options in the state_dict() of torch.optim, in its order, and the options of such a group. */
  readonly group: (optimizer: Optimizer) => TorchGroup;
  readonly options: (group: GroupReader) => object;
  /** What the state_dict() has of a parameter, by name and in its order. */
  readonly slots: Readonly<Record<string, TorchSlot>>;
  /** The number of axes of every parameter that it takes. Default: any. */
  readonly axes?: number;
}

const entryOf = (optimizer: Pick<Optimizer, 'kind'>) => optimizers.entryOf(optimizer) as unknown as OptimizerEntry;

/** The member of this kind with these options, which its maker checks. */
export function madeFrom(kind: string, options: object): Optimizer {
  return entryOf({ kind } as Optimizer).make(options);
}

/** Options that a run has no longer, and what to write instead. */
export const optimizerOptions: Readonly<Record<string, string>> = Object.fromEntries([
  ...Object.keys(sgdChecks).map((name) => [name, `optimizer: sgd({ ${name} })`]),
  ['lr', 'optimizer: sgd({ learningRate })'],
]);

/** The optimizer of a record, which is a member's fields; earlier versions recorded options of sgd() alone, without a kind. */
export function recordedOptimizer(record: object): Optimizer {
  const { kind = 'sgd', ...options } = record as { kind?: string };
  return entryOf({ kind: optimizers.known(kind) }).recorded(options);
}

/** The options that flags gave, of the optimizers made of flags. */
const flagsOf = new WeakMap<Optimizer, SgdOptions>();

/**
 * The optimizer of the command line, whose flags are single options: where a run resumes, options without a flag stay as they
 * are recorded. undefined: there are no flags.
 */
export function optimizerOfFlags(
  flags: {
    readonly [Name in keyof SgdOptions]: SgdOptions[Name] | undefined;
  },
): Optimizer | undefined {
  const given: SgdOptions = defined(flags);
  if (Object.keys(given).length === 0) return undefined;
  const made = sgd(given);
  flagsOf.set(made, given);
  return made;
}

/** Whether an optimizer was made of flags, which name no member and are options of whichever is recorded. */
export function isOfFlags(optimizer: Optimizer): boolean {
  return flagsOf.has(optimizer);
}

/** The optimizer that a run resumes with: the one given in the place of the recorded one. */
export function resumedOptimizer(given: Optimizer | undefined, recorded: Optimizer): Optimizer {
  const flags = given && flagsOf.get(given);
  if (!flags) return given ?? recorded;
  const { kind, ...options } = recorded;
  return madeFrom(kind, { ...options, ...flags });
}

/** A member as torch.optim has it. */
export interface TorchForm extends OptimizerEntry {
  readonly kind: string;
}

export const torchForms: readonly TorchForm[] = optimizers.words.map((kind) => ({ kind, ...entryOf({ kind }) }));

export function torchForm({ kind }: Pick<Optimizer, 'kind'>): TorchForm {
  return { kind, ...entryOf({ kind }) };
}
