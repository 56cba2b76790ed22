// Recognises the model that a state belongs to, and describes how a state differs from a model.
import { own } from '../core/checks';
import { LearnError } from '../core/errors';
import type { Model } from '../program/module';
import { isWrapped } from '../program/wrappers';
import { knownModels } from './zoo';
import { nearestArchitecture, recogniseArchitecture } from './zoo/recognise-zoo';

/** A state, or its description before it is loaded. */
interface Described {
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly metadata: ReadonlyMap<unknown, unknown>;
}

/** Models of states that were compared before: neither states nor models change. */
const recognised = new WeakMap<Described, Model>();
const checked = new WeakMap<Described, WeakSet<Model>>();

/** The model whose tensors the state holds. Throws ERR_MODEL_UNKNOWN, with the next step, if no known model fits. */
export function recogniseModel(state: Described): Model {
  const known = recognised.get(state) ?? found(state);
  recognised.set(state, known);
  return known;
}

function found(state: Described): Model {
  const models = Object.values(knownModels).map((make) => make());
  const fitting = models.find((model) => compare(model, state).total === 0);
  if (fitting) return fitting;
  const shapes = new Map(state.tensors.map(({ name, shape }) => [name, shape]));
  const match = recogniseArchitecture(shapes);
  if (match && 'model' in match) {
    if (compare(match.model, state).total === 0) return match.model;
    throw unknown(state, [match.model]);
  }
  if (match) throw otherHead(match);
  const architecture = nearestArchitecture(shapes);
  throw unknown(state, architecture ? [...models, architecture] : models);
}

/** A head leaves no trace of its activations. */
function otherHead({ architecture, head }: { architecture: string; head: string }): LearnError {
  return new LearnError(
    'ERR_MODEL_UNKNOWN',
    [
      `The state is of ${architecture} with another head: the layers "${head}" are neither torchvision's nor one linear layer, and their activations leave no trace.`,
      `Pass the model as the option "model": getModel('${architecture}', { head: sequential([…]) }) with the layers of "${head}".`,
      'On the command line: --model <file.mjs>, a file that exports it.',
    ].join('\n  '),
  );
}

/** Names the difference to a model that has most of the state's tensors, where one has. */
function unknown(state: Described, models: readonly Model[]): LearnError {
  const near = models
    .map((model) => ({ model, difference: compare(model, state) }))
    .filter(
      ({ model, difference }) => 4 * difference.shared >= 3 * Math.max(model.tensors.length, state.tensors.length),
    )
    .sort((a, b) => a.difference.total - b.difference.total)[0];
  const lines = near
    ? [`The state fits no known model; ${near.model.name} is the nearest.`, ...differences(near.difference)]
    : [
        'Expected the state of a known model, Net or one of listModels(), but its tensors are ' +
          `${list(state.tensors.map(({ name, shape }) => `${name} ${shown(shape)}`))}.`,
      ];
  lines.push(
    ...hintOfWrapper(state),
    'Pass the model they belong to as the option "model": sequential({ … }) with layers of these names, as in docs/api.md, Models, or what ' +
      'loadModel() reads of a .pt2 that Python exported. On the command line: --model <file.mjs>, a file that exports it, or --model <file.pt2>.',
    'npx torch-incremental inspect <file> lists all tensors, and with --as-model prints a start of such a model.',
  );
  return new LearnError('ERR_MODEL_UNKNOWN', lines.join('\n  '));
}

/** Throws ERR_STATE_MISMATCH, naming the differences, unless the state fits the model. */
export function checkState(model: Model, state: Described): void {
  if (checked.get(state)?.has(model)) return;
  const difference = compare(model, state);
  if (difference.total > 0) throw mismatch(model.name, difference, state);
  const models = checked.get(state) ?? new WeakSet();
  checked.set(state, models.add(model));
}

interface Difference {
  missing: string[];
  unexpected: string[];
  misshapen: string[];
  /** Names that both have. */
  shared: number;
  total: number;
}

/** Compares names and shapes, and ignores the differences that load_state_dict(strict=True) of PyTorch ignores: src/train/weights.cc. */
function compare(model: Model, state: Described): Difference {
  const held = new Map(state.tensors.map(({ name, shape }) => [name, shape]));
  const wanted = new Map(model.tensors.map(({ name, shape }) => [name, shape]));
  const ties = tiesIn(model);
  const isTied = (name: string) => ties.some((names) => names.includes(name) && names.some((other) => held.has(other)));
  const missing = [...wanted]
    .filter(([name]) => !held.has(name) && !isTied(name) && !isCountOfOld(name, state))
    .map(([name, shape]) => `${name} ${shown(shape)}`);
  const unexpected = [...held].filter(([name]) => !wanted.has(name)).map(([name, shape]) => `${name} ${shown(shape)}`);
  const misshapen = [...wanted].flatMap(([name, shape]) => {
    const found = held.get(name);
    // Before PyTorch 0.4 no tensor was without dimensions.
    const isOld = shape.length === 0 && found?.length === 1 && found[0] === 1;
    if (!found || isOld || shown(found) === shown(shape)) return [];
    return [`${name} is ${shown(found)}, expected ${shown(shape)}`];
  });
  return {
    missing,
    unexpected,
    misshapen,
    shared: wanted.size - missing.length,
    total: missing.length + unexpected.length + misshapen.length,
  };
}

/** The names of each tensor that has several, of which a file may leave out all but one. */
function tiesIn({ program }: Model): string[][] {
  return [...program.parameters, ...program.buffers].flatMap((tensor) => {
    const ties = own(tensor, 'ties');
    return ties ? [[tensor.name, ...ties]] : [];
  });
}

/** Batch norms count their batches from version 2 on, which is that of PyTorch 0.4.1; an earlier state has no count. */
function isCountOfOld(name: string, { metadata }: Described): boolean {
  if (!/(^|\.)num_batches_tracked$/.test(name)) return false;
  const modules = metadata.get('_metadata');
  const facts = modules instanceof Map ? modules.get(name.replace(/\.?num_batches_tracked$/, '')) : undefined;
  const version = facts instanceof Map ? facts.get('version') : undefined;
  return typeof version !== 'number' || version < 2;
}

function differences({ missing, unexpected, misshapen }: Difference): string[] {
  return [
    ...(missing.length > 0 ? [`Missing: ${list(missing)}.`] : []),
    ...(unexpected.length > 0 ? [`Unexpected: ${list(unexpected)}.`] : []),
    ...(misshapen.length > 0 ? [`Of another shape: ${list(misshapen)}.`] : []),
  ];
}

function mismatch(model: string, difference: Difference, state: Described): LearnError {
  const lines = [`The state does not fit ${model}.`, ...differences(difference)];
  const { unexpected } = difference;
  if (unexpected.length > 0) lines.push(...hintOfWrapper(state));
  lines.push('Load the checkpoint that belongs to this model, or pass its own as the option "model".');
  return new LearnError('ERR_STATE_MISMATCH', lines.join('\n  '));
}

function hintOfWrapper({ tensors }: Described): string[] {
  const wrapped = tensors.find(({ name }) => isWrapped(name));
  if (!wrapped) return [];
  return [`Names such as ${wrapped.name} have the prefix of a wrapper: load the state with stripPrefix: 'auto'.`];
}

/** Entries of a list in a message. */
const mostListed = 10;

function list(items: readonly string[]): string {
  if (items.length === 0) return '(none)';
  const more = items.length > mostListed ? ` and ${items.length - mostListed} more` : '';
  return items.slice(0, mostListed).join(', ') + more;
}

function shown(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
