// Changes the settings or the model of a learner. The change is a record of the journal, so that a replay from an older snapshot
// repeats it at the same position.
import type { Value } from '../../checkpoint/values';
import { LearnError } from '../../core/errors';
import type { SampleForm } from '../../core/sample-values';
import { type NativeLearnerState, native } from '../../native/native';
import type { LearnerPlan, Slots } from '../../native/plans';
import { isSameLayout } from '../../optimizers/parameter-groups';
import type { Model } from '../../program/module';
import { named } from '../../state/class-names';
import { modulesOf } from '../../state/create';
import { makeState } from '../../state/state';
import { tensorsOf } from '../../training/checkpoint';
import { averageIn } from '../../training/kept-weights';
import type { ContextMaker } from '../context';
import type { Settings } from '../settings';
import { StateMachine } from '../state-machine';
import { recordedModel, recordModel, textOf } from '../storage/recorded-model';
import type { SettingsRecord } from '../storage/records';
import { handlesOf } from '../storage/snapshot';

/** undefined: nothing changes. `folder`: of the learner, which has the constants of the model from then on. */
export async function settingsRecord(
  folder: string,
  machine: StateMachine,
  settings: Settings,
  model: Model,
): Promise<SettingsRecord | undefined> {
  const { gate, settings: old, model: oldModel } = machine.context;
  const { text } = await recordModel(folder, model);
  const isOther = text !== (await textOf(oldModel));
  if (!isOther && isSame(settings, old)) return undefined;
  const measured = gate ? await machine.evaluate(machine.serving.durable) : null;
  const best = settings.heldOut === old.heldOut ? machine.counts.best : measured;
  return { kind: 'settings', settings, ...(isOther && { model: text }), best };
}

/** A copy of `machine` with the settings of the record. */
export async function withSettings(
  folder: string,
  machine: StateMachine,
  record: SettingsRecord,
  contextFor: ContextMaker,
): Promise<StateMachine> {
  const { settings, best } = record;
  const { settings: old, model: oldModel } = machine.context;
  checkOptimizers(old, settings);
  checkLoss(old, settings);
  checkAverage(old, settings);
  const model = record.model === undefined ? oldModel : await recordedModel(folder, record.model);
  const { sample } = machine.context;
  const tensors = await machine.tensors();
  const state = named(makeState(tensors.model, modulesOf(model)), machine.context.classNames);
  try {
    const context = await contextFor(settings, model, state);
    checkForm(sample, context.sample);
    const saved = machine.toJSON();
    if (!isSame(settings.drift, old.drift)) Object.assign(saved, { detector: null, cooling: 0 });
    saved.best = best;
    saved.unversioned = machine.unversioned;
    saved.untilCandidate = Math.min(saved.untilCandidate, settings.gate.every);
    const serving = saved.versions.find(({ version }) => version === saved.serving)!;
    if (settings.heldOut !== old.heldOut) Object.assign(serving, best ?? { accuracy: null, perClass: [] });
    const start = startFrom(tensors, model);
    return await StateMachine.start(context, state, start, saved, machine.ids, await context.files.load(serving));
  } finally {
    state.dispose();
    for (const handle of handlesOf({ ...tensors, model: undefined })) native().disposeState(handle);
  }
}

/** Throws if the optimizers could not continue from what others remember of the weights. */
function checkOptimizers(old: Settings, { optimizer, parameterGroups }: Settings): void {
  const instead = 'begin another learner, with a version of this one as its checkpoint';
  if (optimizer.kind !== old.optimizer.kind) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected the optimizer that the learner began with, ${old.optimizer.kind}(), but received ${optimizer.kind}(): ${instead}`,
    );
  }
  if (isSameLayout(old.parameterGroups, parameterGroups, optimizer)) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    'Expected the "parameterGroups" that the learner began with, whose options alone may change, but received other patterns, other ' +
      `optimizers, or other parameters frozen: ${instead}`,
  );
}

/** Throws if scores by another loss would be mixed with those by this one. */
function checkLoss({ loss: old }: Settings, { loss }: Settings): void {
  if (loss.kind === old.kind) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected the loss that the learner began with, ${old.kind}(), but received ${loss.kind}(): begin another learner, ` +
      'with a version of this one as its checkpoint',
  );
}

/** Throws if an average would not be of all updates. */
function checkAverage({ average: old }: Settings, { average }: Settings): void {
  if (average?.kind === old?.kind) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected the average that the learner began with, ${old ? `${old.kind}()` : 'none'}, but received ${average?.kind}(): begin another ` +
      'learner, with a version of this one as its checkpoint',
  );
}

/** Throws if a learner would take what it knows, of other targets or of other inputs, for that of these. */
function checkForm(old: SampleForm, form: SampleForm): void {
  if (!isSame(old.target, form.target)) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected the "target" that the learner began with, ${JSON.stringify(old.target)}: begin another learner for other targets`,
    );
  }
  const namesOf = ({ inputs }: SampleForm) => inputs.map(({ name }) => name);
  const areOne = old.inputs.length === 1 && form.inputs.length === 1;
  if (areOne || isSame(namesOf(old), namesOf(form))) return;
  throw new LearnError(
    'ERR_SHAPE',
    `Expected the inputs ${namesOf(old).join(', ')}, in this order, as the replay buffer has them, but the model's are ` +
      namesOf(form).join(', '),
  );
}

function startFrom({ rest, replay, average }: NativeLearnerState, model: Model): LearnerPlan['start'] {
  const { program } = model;
  const [infos, replayed] = native().stateInfo([rest, replay]);
  const slots = program.parameters.map((): Slots => ({}));
  const indices = new Map(infos!.map(({ name }, index) => [name, index]));
  for (const [name, index] of indices) {
    const [, number, slot] = /^(\d+)\.(.+)$/.exec(name) ?? [];
    if (slot !== undefined) slots[Number(number)]![slot] = { state: rest, index };
  }
  const random = { state: rest, index: indices.get('random')! };
  const averaged = average && new Map<Value, Value>(tensorsOf(average));
  return {
    ...{ random, slots, replay: replayed!.map((_, index) => ({ state: replay, index })) },
    ...averageIn(() => averaged, model),
  };
}

/** Whether two plain values have equal JSON. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
