// Training checkpoints: the entries that PyTorch's users save of a model and its optimizer, and the others that resuming
// needs. Writes and reads them; docs/api.md has the layout.
import { formatError, naming } from '../checkpoint/errors';
import { Float, TensorValue, type Value } from '../checkpoint/values';
import { writeCheckpoint } from '../checkpoint/write';
import { defined, isNumber, plain } from '../core/checks';
import { fromNativeSync, LearnError } from '../core/errors';
import type { EpochSummary } from '../loggers/events';
import type { StateHandle } from '../native/handles';
import { type NativeSnapshot, native } from '../native/native';
import type { Position, Slots, TensorRef, TrainStart } from '../native/plans';
import { isOfFlags, type Optimizer, resumedOptimizer } from '../optimizers';
import { isSameLayout, type OptimizerGroup, type ParameterGroup } from '../optimizers/parameter-groups';
import type { Model } from '../program/module';
import { modulesOf } from '../state/create';
import { loadPart } from '../state/load';
import { makeState, type State, treeOf } from '../state/state';
import { warnOfSchedulers } from '../state/warnings';
import { optimizerState } from './optimizer-state';
import { type KnownOptimizers, readOptimizer } from './read-optimizer';
import { checked, optionsDict, type RecordedOptions, recordedIn, recordedOptimizers } from './recorded-options';
import { dictsAround, optimizerIn, type ResumeOptions, schedulersIn } from './resume-options';

/** The parts of a run besides the model's tensors. */
export interface TrainingFacts {
  model: Model;
  options: RecordedOptions;
  groups: readonly OptimizerGroup[];
  /** Number of samples in the data set. */
  samples: number;
  /** Holds at least the epochs before the snapshot. */
  history: readonly EpochSummary[];
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
  /** By the numbers of the model's parameters. Throws where the optimizer's parameters are not those of the groups. */
  slotsOf(model: Model, groups: readonly OptimizerGroup[]): Slots[];
}

export async function writeTrainingCheckpoint(
  path: string,
  snapshot: NativeSnapshot,
  { model, options, groups, samples, history }: TrainingFacts,
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
    history: history
      .filter((summary) => summary.epoch <= epoch)
      .map(({ loss, seconds: took, ...counts }) =>
        dict({ ...counts, loss: new Float(loss), seconds: new Float(took) }),
      ),
    random: dict({ state: random![1], epoch: epochRandom![1] }),
  });
  await writeCheckpoint(root, path);
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
  const summaries = value.map((item) => (item instanceof Map ? Object.fromEntries(item) : {}) as EpochSummary);
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

/** The recorded options, replaced by those given. Throws if a given one would change the order of samples. */
export function resumedOptions<Options extends Partial<Omit<RecordedOptions, 'threads' | 'frozenStatistics'>>>(
  { path, options: recorded, position }: TrainingCheckpoint,
  given: Options,
): Options {
  for (const name of ['batchSize', 'shuffle', 'dropLast', 'seed'] as const) {
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
  const changed = Object.entries(given).filter(([, value]) => value !== undefined);
  const optimizer = recorded.optimizer ? resumedOptimizer(given.optimizer, recorded.optimizer) : given.optimizer;
  // Options that a group was not given stay as they were.
  const parameterGroups = given.parameterGroups?.map((group, i) =>
    group.frozen || group.optimizer ? group : { ...recorded.parameterGroups?.[i], ...group },
  );
  return plain({
    ...{ ...given, ...recorded, ...Object.fromEntries(changed) },
    ...defined({ optimizer, parameterGroups }),
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

export async function startOf(
  checkpoint: TrainingCheckpoint,
  model: Model,
  groups: readonly OptimizerGroup[],
): Promise<TrainStart> {
  const { path, position, random, epochRandom, slotsOf } = checkpoint;
  return { ...position, random, epochRandom, slots: await naming(path, async () => slotsOf(model, groups)) };
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
