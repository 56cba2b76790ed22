// The family of optimizers: how weights follow from gradients. A new one is a file here, a line in the list, and a file and a line in
// src/optimizers/.
import { defined } from '../core/checks';
import { type Entry, family, type MemberOf } from '../core/family';
import { gradientDescent, type SgdOptions, sgd, sgdChecks } from './sgd';

export const optimizers = family('an optimizer', { sgd: gradientDescent });

/** An optimizer, made by {@link sgd}. */
export type Optimizer = MemberOf<typeof optimizers.makers>;

interface OptimizerEntry extends Entry {
  readonly make: (options: object) => Optimizer;
  /** The member of options that were recorded: each is checked, and those that are missing are defaults. */
  readonly recorded: (options: object) => Optimizer;
  /** The group of options in the state_dict() of torch.optim, in its order. */
  readonly group: (optimizer: Optimizer) => TorchGroup;
  /** What the state_dict() calls the one tensor that is kept for each parameter. */
  readonly slot: string;
}

/** `float`: a number that Python counts as a float, also where it is an integer. */
export type TorchGroup = Readonly<Record<string, number | boolean | null | { readonly float: number }>>;

const entryOf = (optimizer: Pick<Optimizer, 'kind'>) => optimizers.entryOf(optimizer) as unknown as OptimizerEntry;

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

/** The optimizer that a run resumes with: the one given in the place of the recorded one. */
export function resumedOptimizer(given: Optimizer | undefined, recorded: Optimizer): Optimizer {
  const flags = given && flagsOf.get(given);
  if (!flags) return given ?? recorded;
  const { kind, ...options } = recorded;
  return entryOf({ kind }).make({ ...options, ...flags });
}

/** What torch.optim keeps of it, besides the parameters. */
export function torchForm(optimizer: Optimizer): { group: TorchGroup; slot: string } {
  const { group, slot } = entryOf(optimizer);
  return { group: group(optimizer), slot };
}
