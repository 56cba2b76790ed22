// Gives a trained classifier more classes: more rows in its last linear layer, in the model, the state and the optimizer's memory.
import { TensorValue, type Value } from '../checkpoint/values';
import { checkOptions, invalid, isNumber, isText } from '../core/checks';
import { fromNative, LearnError } from '../core/errors';
import { frozen } from '../core/family';
import { nearestNames } from '../core/patterns';
import { shortened } from '../core/printable';
import { isModel } from '../models';
import { checkState, recogniseModel } from '../models/recognise';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import type { Model } from '../program/module';
import { classNamesOf, isClassNames, nameTaken, naming } from '../state/class-names';
import { rebuilt } from '../state/edit';
import { derivedState, holding, State, type StateTensor, treeOf } from '../state/state';
import { type Classifier, classifierOf } from './classifier';
import { grownCopies, grownRows } from './grown-rows';
import { grownSlots, optionsForNewData } from './grown-slots';

/** Options of {@link extendClasses}. */
export interface ExtendOptions {
  /** The model of the state. Default: recognised from the names and shapes of its tensors. */
  model?: Model;
  /** Number of classes afterwards. Either this or `names`. */
  classes?: number;
  /**
   * Names of the classes that are added, in their order, after those that the state has. The new state carries the names of all, as
   * `class_names` of its metadata: none is ever moved, and no other class gets it.
   */
  names?: readonly string[];
  /** With `names`: the names of the classes that exist, for a state that does not have them. Default: the state's own. */
  oldNames?: readonly string[];
  /** Path of the linear layer, such as 'fc'. Default: the one whose output is the model's. */
  layer?: string;
  /** As `torch.manual_seed(seed)` just before the new layer is made. Default: 0. */
  seed?: number;
}

export const isClassCount = isNumber({ integer: true, min: 1, max: 2 ** 31 - 1 });

/** What {@link extendClasses} resolves with. */
export interface ExtendedClasses {
  model: Model;
  state: State;
  /** The names of all classes, where `names` was given. */
  classNames?: readonly string[];
}

/**
 * A model with more classes, and its state. The rows of the classes that exist keep their bits; so does everything else. The new rows are
 * those that PyTorch draws for a layer of the new size:
 *
 * ```python
 * torch.manual_seed(seed)
 * grown = nn.Linear(fc.in_features, classes, bias=fc.bias is not None, dtype=fc.weight.dtype)
 * grown.load_state_dict({k: torch.cat([v, grown.state_dict()[k][len(v):]]) for k, v in fc.state_dict().items()})
 * ```
 *
 * The state_dict()s of optimizers in a training checkpoint grow too: what they remember of the new rows is what they remember of a new
 * parameter, and steps are kept. Averages of `torch.optim.swa_utils` and the best weights by validation get the same rows as the model.
 *
 * @example
 * ```ts
 * const { model, state } = await extendClasses(await loadState('model.pth'), { model: net(), classes: 12 });
 * const oldNames = Array.from({ length: 12 }, (_, i) => `shape ${i}`);
 * const named = await extendClasses(state, { model, oldNames, names: ['fox', 'owl'] });
 * named.state.metadata.get('class_names'); // the 14 names, as in named.classNames
 * ```
 */
export async function extendClasses(state: State, given: ExtendOptions): Promise<ExtendedClasses> {
  if (!(state instanceof State)) throw invalid('a State', 'state', state);
  const options = checkOptions('extendClasses', given, {
    model: isModel,
    classes: isClassCount,
    names: isClassNames,
    oldNames: isClassNames,
    layer: isText,
    seed: isNumber({ integer: true, min: 0 }),
  });
  const { layer, seed = 0 } = options;
  checkGrowth(options);
  return holding(state, async () => {
    const model = options.model ?? recogniseModel(state);
    checkState(model, state);
    const classifier = classifierOf(model, layer);
    const growth = growthOf(state, classifier, options, seed);
    const grown = grownModel(model, classifier, growth.classes);
    const { parameters } = model.program;
    return { model: grown, ...(await extendState(state, { ...classifier, parameters }, growth)) };
  });
}

type ExtendedState = Omit<ExtendedClasses, 'model'>;

/** The classes that are added: by their number afterwards, or by their names. */
export type Growing = Pick<ExtendOptions, 'classes' | 'names' | 'oldNames'>;

/** The classes afterwards. */
interface Growth {
  readonly classes: number;
  readonly classNames: readonly string[] | undefined;
  readonly seed: number;
}

/** Throws unless the classes are given in one of the two ways. */
function checkGrowth({ classes, names, oldNames }: Growing): void {
  if (classes !== undefined && names !== undefined)
    throw new LearnError('ERR_INVALID_OPTION', 'Expected either "classes" or "names" but received both');
  if (classes === undefined && names === undefined)
    throw invalid('the number of classes afterwards, or "names" of new ones,', 'classes', classes);
  if (oldNames !== undefined && names === undefined)
    throw new LearnError('ERR_INVALID_OPTION', 'Expected "names" of new classes beside "oldNames"');
}

function growthOf(state: State, { weight, old }: Classifier, given: Growing, seed: number): Growth {
  const { classes, names, oldNames } = given;
  const known = classNamesOf(state);
  if (names === undefined) {
    if (known?.length === old)
      throw new LearnError(
        'ERR_INVALID_OPTION',
        `Expected "names" of the new classes instead of "classes", since the ${old} classes of ${weight} have names`,
      );
    return { classes: classes!, classNames: undefined, seed };
  }
  const moved = known?.length === old ? oldNames?.findIndex((name, i) => name !== known[i]) : -1;
  if (moved !== undefined && moved >= 0)
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected '${shortened(known![moved]!, 200)}' for "oldNames[${moved}]", as the state names that class, but received ` +
        `'${shortened(oldNames![moved]!, 200)}'; no name is ever moved`,
    );
  const before = oldNames ?? known;
  if (before?.length !== old) {
    const found = before
      ? `${oldNames ? 'received' : 'the state has'} ${before.length}; give all`
      : 'the state has none; give them';
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected the names of the ${old} classes of ${weight} but ${found} as "oldNames"`,
    );
  }
  const taken = new Set(before);
  const twice = names.find((name) => taken.has(name));
  if (twice !== undefined) throw nameTaken(twice, `that of class ${before.indexOf(twice)}`);
  return { classes: old + names.length, classNames: Object.freeze([...before, ...names]), seed };
}

/** As extendClasses(), for a layer of no known model: by the names and shapes of its tensors. */
export async function extendLayer(state: State, layer: string, given: Growing, seed = 0): Promise<ExtendedState> {
  checkGrowth(given);
  const [weight, bias] = [`${layer}.weight`, `${layer}.bias`].map((name) =>
    state.tensors.find((tensor) => tensor.name === name),
  );
  if (weight?.shape.length !== 2 || (bias && String(bias.shape) !== String([weight.shape[0]]))) {
    const near = nearestNames(layer, linearLayers(state));
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected the path of a linear layer in the state for "layer" but received '${layer}'; the nearest are ${near.join(', ') || '(none)'}`,
    );
  }
  const isStatistic = (name: string) => /(^|\.)(running_mean|running_var|num_batches_tracked)$/.test(name);
  const parameters = state.tensors.filter(({ name }) => !isStatistic(name));
  const sizes = { weight: weight.name, bias: bias?.name, old: weight.shape[0]!, features: weight.shape[1]! };
  const growth = growthOf(state, sizes, given, seed);
  return holding(state, () => extendState(state, { ...sizes, parameters }, growth));
}

/** The paths of what looks like a linear layer, in the order of the state. */
export function linearLayers({ tensors }: State): string[] {
  return tensors
    .filter(({ name, shape }) => shape.length === 2 && /\.weight$/.test(name))
    .map(({ name }) => name.slice(0, -'.weight'.length));
}

type Layer = Classifier & { parameters: readonly Pick<StateTensor, 'name' | 'shape'>[] };

async function extendState(state: State, layer: Layer, { classes, classNames, seed }: Growth): Promise<ExtendedState> {
  checkCount(layer, classes);
  const tree = treeOf(state);
  const own = grownRows(tree.part, layer, classes);
  if (own.length === 0) throw notDrawn(tree.part, layer);
  const lists = [own, ...grownCopies(tree.root, layer, classes), grownSlots(tree.root, { ...layer, classes })].filter(
    (list) => list.length > 0,
  );
  const handles: StateHandle[] = [];
  try {
    // Each list is drawn from the seed, so that copies of the layer get the same rows.
    for (const list of lists) {
      const plans = list.map(({ plan }) => plan);
      handles.push(await fromNative(() => native().growTensors(plans, seed)));
    }
    const grown = new Map<Value, TensorValue>(
      lists.flatMap((list, k) => list.map(({ tensor }, i) => [tensor, grownValue(handles[k]!, i, tensor, classes)])),
    );
    const options = optionsForNewData(tree.root);
    const names = classNames && naming(tree, classNames);
    const replaced = new Map<Value, Value>([...grown, ...(options ? [options] : []), ...(names?.replaced ?? [])]);
    const entries = [...tree.part].map(([key, item]) => [key, grown.get(item) ?? item] as const);
    const edited = rebuilt(tree, entries, names?.attributes, replaced);
    return { state: derivedState(edited, [state], handles.splice(1)), ...(classNames && { classNames }) };
  } finally {
    for (const handle of handles) native().disposeState(handle);
  }
}

function notDrawn(part: ReadonlyMap<Value, Value>, { weight, bias }: Classifier): LearnError {
  const texts = [weight, bias].flatMap((name) => {
    const tensor = name === undefined ? undefined : part.get(name);
    return tensor instanceof TensorValue ? [`${name} is ${tensor.dtype}`] : [];
  });
  return new LearnError(
    'ERR_STATE_MISMATCH',
    `Expected floating-point weights, which PyTorch draws, but ${texts.join(' and ')}`,
  );
}

function grownValue(handle: StateHandle, index: number, { dtype, shape }: TensorValue, rows: number) {
  return new TensorValue({ handle }, index, { dtype, shape: [rows, ...shape.slice(1)] });
}

function checkCount({ weight, old }: Classifier, classes: number): void {
  if (classes > old) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected more classes than the ${old} of ${weight} for "classes" but received ${classes}; rows are never taken away`,
  );
}

function grownModel(model: Model, classifier: Classifier, classes: number): Model {
  checkCount(classifier, classes);
  const names = [classifier.weight, classifier.bias];
  const grow = <Tensor extends { readonly name: string; readonly shape: readonly number[] }>(list: readonly Tensor[]) =>
    list.map((tensor) =>
      names.includes(tensor.name) ? { ...tensor, shape: [classes, ...tensor.shape.slice(1)] } : tensor,
    );
  const { parameters, buffers } = model.program;
  const program = { ...model.program, parameters: grow(parameters), buffers: grow(buffers) };
  return frozen({ ...model, program, tensors: grow(model.tensors) });
}
