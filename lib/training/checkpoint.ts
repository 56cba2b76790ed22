// Training checkpoints: the entries that PyTorch's users save of a model and its optimizer, and the others that resuming
// needs. Writes and reads them; docs/api.md has the layout.
import { formatError, naming } from '../checkpoint/errors';
import { Float, TensorValue, type Value } from '../checkpoint/values';
import { writeCheckpoint } from '../checkpoint/write';
import { isNumber, plain } from '../core/checks';
import { fromNativeSync } from '../core/errors';
import type { EpochSummary } from '../loggers/events';
import type { StateHandle } from '../native/handles';
import { type NativeSnapshot, native } from '../native/native';
import type { Position, Slots, TrainStart } from '../native/plans';
import type { TensorRef } from '../native/state-plans';
import type { OptimizerGroup } from '../optimizers/parameter-groups';
import type { Model } from '../program/module';
import type { Scheduler } from '../schedulers';
import { namedDict } from '../state/class-names';
import { modulesOf } from '../state/create';
import { loadPart } from '../state/load';
import { makeState, type State, treeOf } from '../state/state';
import { warnOfSchedulers } from '../state/warnings';
import { historyDicts, historyIn } from './history';
import { averageIn, bestIn, validationIn } from './kept-weights';
import type { Dict } from './optimizer-names';
import { optimizerState } from './optimizer-state';
import { type KnownOptimizers, readOptimizer } from './read-optimizer';
import { type ReadSchedule, readSchedule, withFirstRates, withRecordedRates } from './read-scheduler';
import {
  checked,
  optionsDict,
  type RecordedOptions,
  recordedIn,
  recordedOptimizers,
  recordedScheduler,
} from './recorded-options';
import { dictsAround, optimizerIn, type ResumeOptions } from './resume-options';
import { schedulerDict } from './scheduler-state';
import type { ValidationRecord, Validator } from './validation';

/** The parts of a run besides the model's tensors. */
export interface TrainingFacts {
  model: Model;
  options: RecordedOptions;
  groups: readonly OptimizerGroup[];
  /** Number of samples in the data set. */
  samples: number;
  /** Holds at least the epochs before the snapshot. */
  history: readonly EpochSummary[];
  validator: Validator | undefined;
  classNames: readonly string[] | undefined;
}

/** Contents of a checkpoint. */
export interface TrainingCheckpoint {
  path: string;
  /** The weights. Holds the tensors that are referred to below; the reader of the checkpoint disposes it. */
  state: State;
  options: Partial<RecordedOptions>;
  samples: number | undefined;
  history: EpochSummary[];
  position: Position;
  random: TensorRef | null;
  epochRandom: TensorRef | null;
  validation: ValidationRecord | undefined;
  /** The weights that are kept beside those that are trained. Throws where they are not the model's. */
  keptOf(model: Model): Pick<TrainStart, 'average' | 'averaged' | 'best'>;
  /** By the numbers of the model's parameters. Throws where the optimizer's parameters are not those of the groups. */
  slotsOf(model: Model, groups: readonly OptimizerGroup[]): Slots[];
  /** undefined: the rates stay as the options say. */
  schedule: ReadSchedule | undefined;
}

/** What is given for a run that decides how a file is read. */
export interface KnownRun extends KnownOptimizers {
  readonly scheduler?: Scheduler | undefined;
}

export async function writeTrainingCheckpoint(
  path: string,
  snapshot: NativeSnapshot,
  { model, options, groups, samples, history, validator, classNames }: TrainingFacts,
): Promise<void> {
  const { epoch, step, lossSum, samples: seen, seconds } = snapshot;
  const [random, epochRandom, ...slots] = tensorsOf(snapshot.rest);
  const root = dict({
    model: namedDict(treeOf(makeState(snapshot.model, modulesOf(model))), classNames),
    optimizer: optimizerState(groups, slots, snapshot.rates),
    ...(options.scheduler && { scheduler: schedulerDict(options.scheduler, snapshot.scheduler, snapshot.rates) }),
    epoch,
    step,
    running: dict({ loss: new Float(lossSum), samples: seen, seconds: new Float(seconds) }),
    options: optionsDict(options, samples),
    history: historyDicts(history.filter((summary) => summary.epoch <= epoch)),
    random: dict({ state: random![1], epoch: epochRandom![1] }),
    ...(snapshot.average && { average: new Map<Value, Value>(tensorsOf(snapshot.average)) }),
    ...(snapshot.best && { best: new Map<Value, Value>(tensorsOf(snapshot.best)) }),
    ...(validator && { validation: recordDict(validator.recordAfter(epoch)) }),
  });
  await writeCheckpoint(root, path);
}

function recordDict({ best, bad }: ValidationRecord): Map<Value, Value> {
  return dict({ best: best === null ? null : new Float(best), bad });
}

function dict(entries: Record<string, Value>): Map<Value, Value> {
  return new Map<Value, Value>(Object.entries(entries));
}

/** The tensors of a native state by name, for writing. */
export function tensorsOf(handle: StateHandle): [name: string, TensorValue][] {
  const [infos] = fromNativeSync(() => native().stateInfo([handle]));
  return infos!.map(({ name, dtype, shape }, index) => [
    name,
    new TensorValue({ handle }, index, { dtype: dtype as TensorValue['dtype'], shape }),
  ]);
}

/**
 * Reads a checkpoint that was written here, or by Python under the same keys. `given`: the optimizers and the scheduler given for the
 * run, which say what the file's are where that does not.
 */
export async function readTrainingCheckpoint(
  resume: string | ResumeOptions,
  given: KnownRun,
  signal?: AbortSignal,
): Promise<TrainingCheckpoint> {
  const { path, key, stripPrefix } = plain(typeof resume === 'string' ? { path: resume } : resume);
  const state = await loadPart(path, { key: key ?? ['model', 'model_state_dict', 'state_dict'], stripPrefix, signal });
  try {
    const { left, ...checkpoint } = await naming(path, async () => read(path, state, given));
    warnOfSchedulers(path, left, rateWithout(checkpoint));
    return checkpoint;
  } catch (cause) {
    state.dispose();
    throw cause;
  }
}

function rateWithout({ schedule, options: { optimizer } }: Pick<TrainingCheckpoint, 'schedule' | 'options'>): string {
  if (schedule) return `the one that is follows ${schedule.scheduler.kind}()`;
  return `the rate stays ${optimizer ? `at ${optimizer.learningRate}, where the file has it` : 'constant'}`;
}

function read(path: string, state: State, given: KnownRun): TrainingCheckpoint & { left: readonly string[] } {
  const dicts = dictsAround(state);
  const entry = (name: string) => dicts.find((dict) => dict.has(name))?.get(name) as Value | undefined;
  const options = mapOf(entry('options'), 'options');
  const running = mapOf(entry('running'), 'running');
  const count = (value: Value | undefined, name: string) => {
    if (value !== undefined) checked(isNumber({ integer: true, min: 0 }), value, name);
    return value as number | undefined;
  };
  const amount = (name: string) => {
    const value = running.get(name) ?? 0;
    checked(isNumber(), value, `running.${name}`);
    return value as number;
  };
  const step = count(entry('step'), 'step') ?? 0;
  const epoch = count(entry('epoch'), 'epoch') ?? 0;
  const recorded = recordedOptimizers(options);
  const found = optimizerIn(dicts);
  const { schedule, left } = readSchedule(
    dicts as readonly Dict[],
    found,
    { recorded: recordedScheduler(options), given: given.scheduler },
    { epoch, step },
  );
  const known = {
    optimizer: recorded.optimizer ?? given.optimizer,
    parameterGroups: recorded.parameterGroups ?? given.parameterGroups,
  };
  const optimizers = schedule
    ? withRecordedRates(readOptimizer(withFirstRates(found), known), recorded)
    : readOptimizer(found, known);
  return {
    path,
    state,
    ...{ schedule, left },
    options: { ...recordedIn(options, optimizers), ...(schedule && { scheduler: schedule.scheduler }) },
    samples: count(options.get('samples'), 'options.samples'),
    history: historyIn(entry('history')),
    position: {
      epoch,
      step,
      lossSum: amount('loss'),
      samples: count(running.get('samples'), 'running.samples') ?? 0,
      seconds: amount('seconds'),
    },
    ...randomIn(entry('random'), step),
    validation: validationIn(entry),
    keptOf: (model) => ({ ...averageIn(entry, model), best: bestIn(entry, model) }),
    slotsOf: optimizers.slotsOf,
  };
}

function mapOf(value: Value | undefined, name: string): ReadonlyMap<Value, Value> {
  if (value === undefined || value === null) return new Map();
  if (value instanceof Map) return value;
  throw formatError(`Expected a dict under ${name}`);
}

/** `random` is {'state', 'epoch'}, or torch.get_rng_state() alone: enough between two epochs. */
function randomIn(value: Value | undefined, step: number): Pick<TrainingCheckpoint, 'random' | 'epochRandom'> {
  if (value === undefined || value === null) return { random: null, epochRandom: null };
  const [now, before] = value instanceof Map ? [value.get('state'), value.get('epoch')] : [value, undefined];
  const random = generatorIn(now, 'random');
  if (step === 0) return { random, epochRandom: random };
  if (before === undefined) {
    throw formatError(
      "Expected random to be a dict of 'state', the generator before the next batch, and 'epoch', as it was before the " +
        `current epoch, since ${step} steps of that epoch are done`,
    );
  }
  return { random, epochRandom: generatorIn(before, "random['epoch']") };
}

function generatorIn(value: Value | undefined, name: string): TensorRef {
  if (value instanceof TensorValue && value.dtype === 'uint8') return { state: value.handle, index: value.index };
  throw formatError(`Expected torch.get_rng_state() under ${name}`);
}

export async function startOf(
  checkpoint: TrainingCheckpoint,
  model: Model,
  groups: readonly OptimizerGroup[],
): Promise<TrainStart> {
  const { path, position, random, epochRandom, slotsOf, keptOf, schedule } = checkpoint;
  return naming(path, async () => ({
    ...{ ...position, random, epochRandom, slots: slotsOf(model, groups) },
    ...keptOf(model),
    ...(schedule && { scheduler: schedule.state, rates: schedule.rates }),
  }));
}
