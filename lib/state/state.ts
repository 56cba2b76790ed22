// States: the named weights of a model, and reading them. Everything that needs weights accepts and returns a State.
import { inspect } from 'node:util';
import { type DType, dtypes, type TensorData } from '../checkpoint/dtypes';
import { metadataOf, type Tree } from '../checkpoint/tree';
import { TensorValue } from '../checkpoint/values';
import { invalid, plain } from '../core/checks';
import { fromNativeSync, LearnError } from '../core/errors';
import type { Patterns } from '../core/patterns';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import {
  type Edited,
  emptyTree,
  type NewNames,
  newTree,
  renamed,
  selected,
  sharing,
  without,
  withTensors,
} from './edit';
import { givenTensors, type NewTensor } from './given-tensors';

export type { DType, TensorData } from '../checkpoint/dtypes';
export type { NewNames } from './edit';
export type { NewTensor } from './given-tensors';

/** Description of a tensor, without its values. */
export interface StateTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Returns the native handle of a state. Throws ERR_DISPOSED if the state was disposed. */
export let stateHandle: (state: State) => StateHandle;
/** As stateHandle(), for work inside holding(), during which the state may be disposed. */
export let heldHandle: (state: State) => StateHandle;
/** Makes a state that does not come from a file. `modules` becomes the `_metadata` of its state dict. */
export let makeState: (handle: StateHandle, modules: ReadonlyMap<string, ReadonlyMap<string, unknown>>) => State;
/** Returns the tree that is written for a state: everything its file held, with its own dict at its place. */
export let treeOf: (state: State) => Tree;
/** Makes a state of what readState() returned for a file whose tree this is. */
export let loadedState: (handles: readonly StateHandle[], tree: Tree) => State;
/**
 * Runs `work` and keeps the native side of a state until it ends, even if the state is disposed in the meantime. Rejects with
 * ERR_DISPOSED if it was disposed before. Has no effect on a `source` that is not a State.
 */
export let holding: <Result>(source: unknown, work: () => Promise<Result>) => Promise<Result>;
/** Makes a state that edit.ts made of the states `from`. `more`: handles of other tensors in its tree. */
export let derivedState: (edited: Edited, from: readonly State[], more?: readonly StateHandle[]) => State;
/** Returns another State of the same tensors, with its own lifetime; a disposed State is returned as it is. */
export let sharedState: (state: State) => State;

/** A handle that several contents use. */
interface SharedHandle {
  readonly handle: StateHandle;
  users: number;
}

/** The contents of a State. They are freed with the last State that shares them. */
interface Contents {
  readonly handle: StateHandle;
  /** Of the tensors in its metadata. */
  readonly others: readonly SharedHandle[];
  readonly tensors: readonly StateTensor[];
  readonly names: readonly string[];
  readonly indices: ReadonlyMap<string, number>;
  readonly tree: Tree;
  /** Number of States and running operations that use the contents. */
  holders: number;
}

/** Contents that were made here. */
const known = new WeakSet<Contents>();

function contentsOf(
  handle: StateHandle,
  tensors: readonly StateTensor[],
  others: readonly SharedHandle[],
  tree: Tree,
): Contents {
  const names = Object.freeze(tensors.map(({ name }) => name));
  const indices = new Map(names.map((name, index) => [name, index]));
  const contents = { handle, others, tensors: Object.freeze(tensors), names, indices, tree, holders: 0 };
  known.add(contents);
  for (const other of others) other.users++;
  return contents;
}

function described(name: string, dtype: DType, shape: readonly number[]): StateTensor {
  return Object.freeze({ name, dtype, shape: Object.isFrozen(shape) ? shape : Object.freeze([...shape]) });
}

function tensorsIn(handle: StateHandle): StateTensor[] {
  const [infos] = fromNativeSync(() => native().stateInfo([handle]));
  return infos!.map(({ name, dtype, shape }) => described(name, dtype as DType, shape));
}

function sharedHandles(handles: readonly StateHandle[]): SharedHandle[] {
  return handles.map((handle) => ({ handle, users: 0 }));
}

function release(contents: Contents): void {
  contents.holders--;
  if (contents.holders > 0) return;
  native().disposeState(contents.handle);
  for (const other of contents.others) if (--other.users === 0) native().disposeState(other.handle);
}

/**
 * Named tensors in file order. Nothing changes a state: training returns a new one.
 *
 * @example
 * ```ts
 * const state = await loadState('model.pth');
 * const { shape, data } = state.tensor('fc.weight');
 * ```
 */
export class State implements Disposable {
  /** In file order. */
  readonly names: readonly string[];
  /** In file order. No values are copied. */
  readonly tensors: readonly StateTensor[];
  readonly #contents: Contents;
  #metadata: ReadonlyMap<string, unknown> | undefined;
  #disposed = false;

  static {
    makeState = (handle, modules) => {
      const tensors = tensorsIn(handle);
      return new State(contentsOf(handle, tensors, [], newTree(handle, tensors, modules)));
    };
    loadedState = ([handle, ...others], tree) =>
      new State(contentsOf(handle!, tensorsIn(handle!), sharedHandles(others), tree));
    derivedState = ({ tensors, source, tree }, from, more = []) => {
      const handle = fromNativeSync(() => native().shareTensors(sharing(tensors)));
      source.handle = handle;
      const others = new Set(from.flatMap((state) => state.#contents.others));
      const infos = tensors.map(({ name, tensor: { dtype, shape } }) => described(name, dtype, shape));
      return new State(contentsOf(handle, infos, [...others, ...sharedHandles(more)], tree));
    };
    treeOf = (state) => state.#contents.tree;
    heldHandle = (state) => state.#contents.handle;
    stateHandle = (state) => {
      if (!state.#disposed) return state.#contents.handle;
      throw new LearnError('ERR_DISPOSED', 'This State was disposed and can no longer be used; load it again');
    };
    sharedState = (state) => (state.#disposed ? state : new State(state.#contents));
    holding = async (source, work) => {
      if (!(source instanceof State)) return work();
      stateHandle(source);
      source.#contents.holders++;
      try {
        return await work();
      } finally {
        release(source.#contents);
      }
    };
  }

  /**
   * Makes a state of values, which are copied, by names: what `torch.save({ name: tensor })` in Python makes of a dict. Data are as
   * {@link State.tensor} gives them: 16-bit floats as their bits in a Uint16Array.
   *
   * @example
   * ```ts
   * const state = State.from({ 'fc.bias': { dtype: 'float32', shape: [2], data: Float32Array.of(0.5, -0.5) } });
   * ```
   */
  static from(tensors: Readonly<Record<string, NewTensor>>): State {
    return edited(emptyTree(), tensors, []);
  }

  /** States come from loadState(), createState(), State.from() and training. */
  private constructor(contents: Contents) {
    if (!known.has(contents))
      throw invalid('a state made by loadState(), createState(), State.from() or training', 'state', contents);
    this.#contents = contents;
    this.tensors = contents.tensors;
    this.names = contents.names;
    contents.holders++;
  }

  /**
   * The other content of the checkpoint: the remaining entries of a training checkpoint ('epoch', 'optimizer' …), with tensors
   * as {@link TensorValue} and objects of unknown classes as {@link Opaque}; and `_metadata`, if there was one: a Map from
   * module path to a Map of that module's facts, as model.state_dict() attaches it: '' → version → 1.
   */
  get metadata(): ReadonlyMap<string, unknown> {
    this.#metadata ??= metadataOf(this.#contents.tree);
    return this.#metadata;
  }

  /**
   * The prefix that `stripPrefix` removed from every name in the file, or '', and the names of the tensors that it left out:
   * those belong to the wrapper, such as `n_averaged` of an AveragedModel, and are in `metadata`.
   */
  get stripped(): { readonly prefix: string; readonly leftOut: readonly string[] } {
    const { prefix, leftOut } = plain(this.#contents.tree).stripped ?? { prefix: '', leftOut: [] };
    return { prefix, leftOut: [...leftOut] };
  }

  /**
   * Returns a copy of one tensor in row-major order. 16-bit floats are returned as their bits in a Uint16Array, 8-bit floats in
   * a Uint8Array, booleans as 0 and 1, complex numbers as pairs of real and imaginary part.
   */
  tensor(name: string): { shape: number[]; dtype: DType; data: TensorData } {
    const handle = stateHandle(this);
    const index = this.#contents.indices.get(name);
    if (index === undefined) throw invalid(`one of the state's ${this.names.length} names`, 'name', name);
    const { dtype, shape } = this.tensors[index]!;
    const bytes = fromNativeSync(() => native().stateTensor(handle, index));
    return { shape: [...shape], dtype, data: new dtypes[dtype].array(bytes) };
  }

  /**
   * Only the tensors whose names match: whole names, in which `*` stands for any text; 'fc' also means 'fc.*'. They share the memory
   * of this state, which stays as it is, and live on after it is disposed; what else the file held (`metadata`) is kept. Throws for a
   * pattern that matches nothing, with the nearest names.
   *
   * @example
   * ```ts
   * const backbone = state.select(['conv1', 'layer*']);
   * ```
   */
  select(patterns: Patterns): State {
    return this.#edited((tree) => selected(tree, patterns));
  }

  /** All tensors but those that {@link State.select} would return. */
  without(patterns: Patterns): State {
    return this.#edited((tree) => without(tree, patterns));
  }

  /**
   * The same tensors under other names, in the same order: `{ old: new }`, a Map, or a function of the old name. Names that are not in
   * `names` stay; `_metadata` follows.
   *
   * @example
   * ```ts
   * const bare = state.renamed((name) => name.replace(/^encoder\./, ''));
   * ```
   */
  renamed(names: NewNames): State {
    return this.#edited((tree) => renamed(tree, names));
  }

  /** The same with these tensors in place of those of their names, or after the others. As {@link State.from}. */
  with(tensors: Readonly<Record<string, NewTensor>>): State {
    stateHandle(this);
    return edited(this.#contents.tree, tensors, [this]);
  }

  #edited(edit: (tree: Tree) => Edited): State {
    stateHandle(this);
    return derivedState(edit(this.#contents.tree), [this]);
  }

  /** Compares names and their order, dtypes, shapes and bits. Metadata is ignored. */
  equals(other: State): boolean {
    if (!(other instanceof State)) throw invalid('a State', 'other', other);
    const handles = [stateHandle(this), stateHandle(other)] as const;
    return fromNativeSync(() => native().statesEqual(...handles));
  }

  /** Frees the memory now, instead of at garbage collection. Names, shapes and metadata stay readable. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    release(this.#contents);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  [inspect.custom](): string {
    if (this.#disposed) return 'State (disposed)';
    const lines = this.tensors
      .slice(0, 20)
      .map(({ name, dtype, shape }) => `\n  ${name}: ${dtype} [${shape.join(', ')}]`);
    const more = this.tensors.length > lines.length ? `\n  … ${this.tensors.length - lines.length} more` : '';
    return `State of ${this.tensors.length} tensors${lines.join('')}${more}`;
  }
}

/** The tree with copies of these values in it, as a state of its own. */
function edited(tree: Tree, tensors: Readonly<Record<string, NewTensor>>, from: readonly State[]): State {
  const given = givenTensors(tensors);
  const handle = fromNativeSync(() => native().makeState(given));
  try {
    const values = given.map(
      (tensor, index) => [tensor.name, new TensorValue({ handle }, index, { ...tensor })] as const,
    );
    return derivedState(withTensors(tree, values), from);
  } finally {
    native().disposeState(handle);
  }
}
