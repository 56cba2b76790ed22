// The options of a run that is resumed: those of its checkpoint, replaced by those given. Refuses what would make another run of it.
import type { Average } from '../averages';
import { defined, plain } from '../core/checks';
import { LearnError } from '../core/errors';
import { checkSameLoss, type LossOption } from '../losses';
import { isOfFlags, type Optimizer, resumedOptimizer } from '../optimizers';
import { isSameLayout, type ParameterGroup } from '../optimizers/parameter-groups';
import type { TrainingCheckpoint } from './checkpoint';
import type { RecordedOptions } from './recorded-options';

type ResumedOption = Exclude<keyof RecordedOptions, 'threads' | 'frozenStatistics' | 'loss'>;

/** The recorded options, replaced by those given. Throws if a given one would change the order of samples. */
export function resumedOptions<Options extends Partial<Pick<RecordedOptions, ResumedOption>> & { loss?: LossOption }>(
  { path, options: recorded, position }: TrainingCheckpoint,
  given: Options,
): Options {
  for (const name of ['batchSize', 'shuffle', 'dropLast', 'workers', 'seed', 'accumulate'] as const) {
    if (given[name] !== undefined && recorded[name] !== undefined) checkSame(path, name, recorded[name], given[name]);
  }
  const { epochs } = given;
  if (epochs !== undefined && epochs < position.epoch + (position.step > 0 ? 1 : 0)) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `The run in ${path} stands at epoch ${position.epoch}, step ${position.step}, beyond the ${epochs} epochs of the ` +
        'option "epochs"; give a larger number, or leave it out',
    );
  }
  checkSameOptimizer(path, recorded.optimizer, given.optimizer);
  checkSameLayout(path, recorded, given.parameterGroups);
  checkSameAverage(path, recorded, given);
  checkSameLoss(path, recorded.loss, given.loss);
  const changed = Object.entries(given).filter(([, value]) => value !== undefined);
  const optimizer = recorded.optimizer ? resumedOptimizer(given.optimizer, recorded.optimizer) : given.optimizer;
  // Options that a group was not given stay as they were.
  const parameterGroups = given.parameterGroups?.map((group, i) =>
    group.frozen || group.optimizer ? group : { ...recorded.parameterGroups?.[i], ...group },
  );
  return plain({
    ...{ ...given, ...recorded, ...Object.fromEntries(changed) },
    ...defined({ optimizer, parameterGroups, scheduler: recorded.scheduler ?? given.scheduler }),
  });
}

/** What one optimizer remembers of a parameter is nothing to another. */
function checkSameOptimizer(path: string, recorded: Optimizer | undefined, given: Optimizer | undefined): void {
  if (!recorded || !given || isOfFlags(given) || given.kind === recorded.kind) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `The run in ${path} was begun with the optimizer ${recorded.kind}(), whose state ${given.kind}() cannot continue; give ` +
      `${recorded.kind}(), leave the option out, or begin a new run by passing the path as the source instead of "resume"`,
  );
}

/** What optimizers remember is by group. */
function checkSameLayout(
  path: string,
  { optimizer, parameterGroups }: Partial<RecordedOptions>,
  given: readonly ParameterGroup[] | undefined,
): void {
  if (!optimizer || !parameterGroups || !given || isSameLayout(parameterGroups, given, optimizer)) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `The run in ${path} was begun with other "parameterGroups": other patterns, other optimizers, or other parameters frozen. Their ` +
      'options may be changed; give the same groups, leave the option out, or begin a new run by passing the path as the source ' +
      'instead of "resume"',
  );
}

/** What was not averaged from the beginning has no average. */
function checkSameAverage(
  path: string,
  { optimizer, average }: Partial<RecordedOptions>,
  { average: given }: { average?: Average | undefined },
): void {
  if (!optimizer || given === undefined || given.kind === average?.kind) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `The run in ${path} was begun with ${average ? `the average ${average.kind}()` : 'no average'}, but the option "average" is now ` +
      `${given.kind}(); leave it out, or begin a new run by passing the path as the source instead of "resume"`,
  );
}

/** Throws unless the data set has as many samples as when the run began. */
export function checkSameSamples({ path, samples }: TrainingCheckpoint, length: number): void {
  if (samples !== undefined) checkSame(path, 'data', `${samples} samples`, `${length} samples`);
}

function checkSame(path: string, name: string, recorded: unknown, given: unknown): void {
  if (recorded === given) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `The run in ${path} was begun with ${name}: ${recorded}, but the option "${name}" is now ${given}, which would lead ` +
      `to another order of samples; give ${recorded} or leave the option out, or begin a new run by passing the path as ` +
      'the source instead of "resume"',
  );
}
