// Training checkpoints: the entries that PyTorch's users save of a model and its optimizer, and the others that resuming
// needs. Writes and reads them; docs/api.md has the layout.
import { formatError, naming } from '../checkpoint/errors';
import { Float, TensorValue, type Value } from '../checkpoint/values';
import { writeCheckpoint } from '../checkpoint/write';
import { isNumber, plain } from '../core/checks';
import { fromNativeSync } from '../core/errors';
import type { EpochSummary, ValidationResult } from '../loggers/events';
import type { StateHandle } from '../native/handles';
import { type NativeSnapshot, native } from '../native/native';
import type { Position, Slots, TensorRef, TrainStart } from '../native/plans';
import type { OptimizerGroup } from '../optimizers/parameter-groups';
import type { Model } from '../program/module';
import { modulesOf } from '../state/create';
import { loadPart } from '../state/load';
import { makeState, type State, treeOf } from '../state/state';
import { warnOfSchedulers } from '../state/warnings';
import { averageIn, bestIn, validationIn } from './kept-weights';
import { optimizerState } from './optimizer-state';
import { type KnownOptimizers, readOptimizer } from './read-optimizer';
import { checked, optionsDict, type RecordedOptions, recordedIn, recordedOptimizers } from './recorded-options';
import { dictsAround, optimizerIn, type ResumeOptions, schedulersIn } from './resume-options';
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
}

export async function writeTrainingCheckpoint(
  path: string,
  snapshot: NativeSnapshot,
  { model, options, groups, samples, history, validator }: TrainingFacts,
): Promise<void> {
  const { epoch, step, lossSum, samples: seen, seconds } = snapshot;
  const [random, epochRandom, ...slots] = tensorsOf(snapshot.rest);
  const root = dict({
    model: treeOf(makeState(snapshot.model, modulesOf(model))).root,
    optimizer: optimizerState(groups, slots),
    epoch,
    step,
    running: dict({ loss: new Float(lossSum), samples: seen, seconds: new Float(seconds) }),
    options: optionsDict(options, samples),
    history: history.filter((summary) => summary.epoch <= epoch).map(summaryDict),
    random: dict({ state: random![1], epoch: epochRandom![1] }),
    ...(snapshot.average && { average: new Map<Value, Value>(tensorsOf(snapshot.average)) }),
    ...(snapshot.best && { best: new Map<Value, Value>(tensorsOf(snapshot.best)) }),
    ...(validator && { validation: recordDict(validator.recordAfter(epoch)) }),
  });
  await writeCheckpoint(root, path);
}

function summaryDict({ loss, seconds, validation, ...counts }: EpochSummary): Map<Value, Value> {
  return dict({
    ...{ ...counts, loss: new Float(loss), seconds: new Float(seconds) },
    ...(validation && { validation: floatsOf(validation) }),
  });
}

function recordDict({ best, bad }: ValidationRecord): Map<Value, Value> {
  return dict({ best: best === null ? null : new Float(best), bad });
}

function floatsOf({ samples, ...scores }: ValidationResult): Map<Value, Value> {
  return dict({
    ...Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, new Float(score)])),
    samples,
  });
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
 * Reads a checkpoint that was written here, or by Python under the same keys. `given`: the optimizers given for the run, which say what
 * the file's are where that does not.
 */
export async function readTrainingCheckpoint(
  resume: string | ResumeOptions,
  given: KnownOptimizers,
  signal?: AbortSignal,
): Promise<TrainingCheckpoint> {
  const { path, key, stripPrefix } = plain(typeof resume === 'string' ? { path: resume } : resume);
  const state = await loadPart(path, { key: key ?? ['model', 'model_state_dict', 'state_dict'], stripPrefix, signal });
  try {
    const checkpoint = await naming(path, async () => read(path, state, given));
    warnOfSchedulers(path, schedulersIn(dictsAround(state)), checkpoint.options.optimizer?.learningRate);
    return checkpoint;
  } catch (cause) {
    state.dispose();
    throw cause;
  }
}

function read(path: string, state: State, given: KnownOptimizers): TrainingCheckpoint {
  const dicts = dictsAround(state);
  const entry = (name: string) => dicts.find((dict) => dict.has(name))?.get(name) as Value | undefined;
  const options = mapOf(entry('options'), 'options');
  const recorded = recordedOptimizers(options);
  const optimizers = readOptimizer(optimizerIn(dicts), {
    optimizer: recorded.optimizer ?? given.optimizer,
    parameterGroups: recorded.parameterGroups ?? given.parameterGroups,
  });
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
  return {
    path,
    state,
    options: recordedIn(options, optimizers),
    samples: count(options.get('samples'), 'options.samples'),
    history: historyIn(entry('history')),
    position: {
      epoch: count(entry('epoch'), 'epoch') ?? 0,
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

/** A history in another form, which Python may have recorded for itself, is ignored. */
function historyIn(value: Value | undefined): EpochSummary[] {
  if (!Array.isArray(value)) return [];
  const plainOf = (item: unknown): unknown =>
    item instanceof Map ? Object.fromEntries([...item].map(([key, inner]) => [key, plainOf(inner)])) : item;
  const summaries = value.map((item) => (item instanceof Map ? plainOf(item) : {}) as EpochSummary);
  const isSound = ({ epoch, steps, samples, loss, seconds }: EpochSummary) =>
    [epoch, steps, samples, loss, seconds].every((number) => typeof number === 'number');
  return summaries.every(isSound) ? summaries : [];
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
  const { path, position, random, epochRandom, slotsOf, keptOf } = checkpoint;
  return naming(path, async () => ({
    ...{ ...position, random, epochRandom, slots: slotsOf(model, groups) },
    ...keptOf(model),
  }));
}
