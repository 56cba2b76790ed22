// A learner with other settings, or another model. They are a record of the journal, so that a replay from an older snapshot
// changes them at the same place.

import type { StateHandle } from '../../native/handles';
import { runJob } from '../../native/job';
import { native } from '../../native/native';
import type { LearnerPlan } from '../../native/plans';
import type { Model } from '../../program/module';
import { modulesOf } from '../../state/create';
import { makeState, stateHandle } from '../../state/state';
import type { SettingMaker } from '../context';
import type { Settings } from '../options';
import { Core } from '../state-machine';
import { modelText, readModel } from '../storage/model-text';
import type { SettingsRecord } from '../storage/records';

/** undefined: nothing changes. */
export async function settingsRecord(
  core: Core,
  settings: Settings,
  model: Model,
): Promise<SettingsRecord | undefined> {
  const { gate, settings: old, model: oldModel } = core.setting;
  const text = modelText(model);
  const isOther = text !== modelText(oldModel);
  if (!isOther && isSame(settings, old)) return undefined;
  const measured = gate ? await core.evaluate(core.served.state) : null;
  const best = settings.heldOut === old.heldOut ? core.counts.best : measured;
  return { kind: 'settings', settings, ...(isOther && { model: text }), best };
}

/** A core with the settings of the record, and all else as in `core`, which stays as it is. */
export async function withSettings(core: Core, record: SettingsRecord, settingFor: SettingMaker): Promise<Core> {
  const { settings, best } = record;
  const { settings: old, model: oldModel } = core.setting;
  const model = record.model === undefined ? oldModel : readModel(record.model);
  const tensors = await runJob(() => native().learnerState(core.handle), {});
  const state = makeState(tensors.model, modulesOf(model));
  try {
    const setting = await settingFor(settings, model, state);
    const saved = core.toJSON();
    if (!isSame(settings.drift, old.drift)) saved.detector = null;
    saved.best = best;
    saved.untilCandidate = Math.min(saved.untilCandidate, settings.gate.every);
    const serving = saved.versions.find(({ version }) => version === saved.serving)!;
    if (settings.heldOut !== old.heldOut) Object.assign(serving, best ?? { accuracy: null, perClass: [] });
    const start = startFrom(tensors, model);
    return await Core.start(setting, state, start, saved, core.ids, await setting.files.load(serving));
  } finally {
    for (const handle of [stateHandle(state), tensors.rest, tensors.replay]) native().disposeState(handle);
  }
}

function startFrom(
  { rest, replay }: { rest: StateHandle; replay: StateHandle },
  { program }: Model,
): LearnerPlan['start'] {
  const [infos, replayed] = native().stateInfo([rest, replay]);
  const numbers = new Map(infos!.map(({ name }, index) => [name, index]));
  const momentum = program.parameters.map((_, number) => {
    const index = numbers.get(String(number));
    return index === undefined ? null : { state: rest, index };
  });
  const random = { state: rest, index: numbers.get('random')! };
  return { random, momentum, replay: replayed!.map((_, index) => ({ state: replay, index })) };
}

/** Whether two plain values are written alike. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
