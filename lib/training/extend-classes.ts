// Gives a trained classifier more classes: more rows in its last linear layer, in the model, the state and the optimizer's memory.
import { TensorValue, type Value } from '../checkpoint/values';
import { checkOptions, invalid, isNumber, isText } from '../core/checks';
import { fromNative, LearnError } from '../core/errors';
import { frozen } from '../core/family';
import { nearestNames } from '../core/patterns';
import { isModel } from '../models';
import { checkState, recogniseModel } from '../models/recognise';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import type { Model } from '../program/module';
import { rebuilt } from '../state/edit';
import { derivedState, holding, State, type StateTensor, treeOf } from '../state/state';
import { type Classifier, classifierOf } from './classifier';
import { grownCopies, grownRows } from './grown-rows';
import { grownSlots, optionsForNewData } from './grown-slots';

/** Options of {@link extendClasses}. */
export interface ExtendOptions {
  /** The model of the state. Default: recognised from the names and shapes of its tensors. */
  model?: Model;
  /** Number of classes afterwards. */
  classes: number;
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
 * ```
 */
export async function extendClasses(state: State, given: ExtendOptions): Promise<ExtendedClasses> {
  if (!(state instanceof State)) throw invalid('a State', 'state', state);
  const options = checkOptions('extendClasses', given, {
    model: isModel,
    classes: isClassCount,
    layer: isText,
    seed: isNumber({ integer: true, min: 0 }),
  });
  const { classes, layer, seed = 0 } = options;
  isClassCount(classes, 'classes');
  return holding(state, async () => {
    const model = options.model ?? recogniseModel(state);
    checkState(model, state);
    const classifier = classifierOf(model, layer);
    const grown = grownModel(model, classifier, classes);
    const { parameters } = model.program;
    return { model: grown, state: await extendState(state, { ...classifier, parameters }, classes, seed) };
  });
}

/** As extendClasses(), for a layer of no known model: by the names and shapes of its tensors. */
export async function extendLayer(state: State, layer: string, classes: number, seed = 0): Promise<State> {
  const names = [`${layer}.weight`, `${layer}.bias`];
  const [weight, bias] = names.map((name) => state.tensors.find((tensor) => tensor.name === name));
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
  return holding(state, () => extendState(state, { ...sizes, parameters }, classes, seed));
}

/** The paths of what looks like a linear layer, in the order of the state. */
export function linearLayers({ tensors }: State): string[] {
  return tensors
    .filter(({ name, shape }) => shape.length === 2 && /\.weight$/.test(name))
    .map(({ name }) => name.slice(0, -'.weight'.length));
}

type Layer = Classifier & { parameters: readonly Pick<StateTensor, 'name' | 'shape'>[] };

async function extendState(state: State, layer: Layer, classes: number, seed: number): Promise<State> {
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
    const replaced = new Map<Value, Value>([...grown, ...(options ? [options] : [])]);
    const entries = [...tree.part].map(([key, item]) => [key, grown.get(item) ?? item] as const);
    return derivedState(rebuilt(tree, entries, undefined, replaced), [state], handles.splice(1));
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
