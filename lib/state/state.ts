// States: the weights of a model with their names, loaded, saved and looked at. Everything else that needs weights takes
// and gives a State.
import { inspect } from 'node:util';
import { readPlan, withCheckpoint } from '../checkpoint/checkpoint';
import { type DType, dtypes, type TensorData } from '../checkpoint/dtypes';
import type { Checkpoint, ParseOptions } from '../checkpoint/parsed';
import { writeSafetensors } from '../checkpoint/safetensors/write';
import { metadataOf, type Tree } from '../checkpoint/tree';
import { OrderedDict, TensorValue, type Value } from '../checkpoint/values';
import { writeCheckpoint } from '../checkpoint/write';
import { checkOptions, invalid, isOneOf, isPath, isSignal, isText, plain } from '../core/checks';
import { fromNative, fromNativeSync, LearnError } from '../core/errors';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import { warnOfLeft, warnOfLeftOut } from './warnings';

export type { DType, TensorData } from '../checkpoint/dtypes';

/** What a tensor is, without its values. */
export interface StateTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface LoadOptions {
  /**
   * Which dict of a training checkpoint is wanted: 'model', or 'checkpoint.model' for a dict in a dict. Default: the only
   * one that holds tensors.
   */
  key?: string;
  /**
   * Taken from before every name: 'module.'. 'auto' takes what DataParallel, torch.compile, AveragedModel and Lightning put
   * there, in any order; {@link State.stripped} says what it did. Default: nothing is taken.
   */
  stripPrefix?: string;
  /** Rejects with its reason when it is aborted. */
  signal?: AbortSignal;
}

export interface SaveOptions {
  /**
   * 'pth': what torch.save writes. 'safetensors': tensors and strings only. Default: 'safetensors' where the path ends with
   * '.safetensors', else 'pth'.
   */
  format?: 'pth' | 'safetensors';
  /** Rejects with its reason when it is aborted; the old file is then still there. */
  signal?: AbortSignal;
}

/** The native side of a state; throws ERR_DISPOSED when it is gone. */
export let stateHandle: (state: State) => StateHandle;
/** The same for work that holds the state, which may have been disposed since that began. */
export let heldHandle: (state: State) => StateHandle;
/** A state that no file held: `modules` is what its state dict has as `_metadata`. */
export let makeState: (handle: StateHandle, modules: ReadonlyMap<string, ReadonlyMap<string, unknown>>) => State;
/** What is written for a state: all that its file held, with its own dict in its place. */
export let treeOf: (state: State) => Tree;
let loadedState: (handles: readonly StateHandle[], tree: Tree) => State;
/**
 * Runs `work` and keeps the native side of a state meanwhile, from the call on and even if the state is disposed; rejects with
 * ERR_DISPOSED where it was before. Of what is no State nothing is kept.
 */
export let holding: <Result>(source: unknown, work: () => Promise<Result>) => Promise<Result>;
/** Another State of the same tensors, which lives until it is disposed itself; the same one where that was disposed. */
export let sharedState: (state: State) => State;

/** All that a State knows. States that share it free it together. */
interface Contents {
  readonly handle: StateHandle;
  /** What it holds beside its own: the tensors of its metadata. */
  readonly others: readonly StateHandle[];
  readonly tensors: readonly StateTensor[];
  readonly names: readonly string[];
  readonly indices: ReadonlyMap<string, number>;
  readonly tree: Tree;
  /** States, and work that runs. */
  holders: number;
}

/** Those that were made here. */
const known = new WeakSet<Contents>();

function contentsOf(
  handle: StateHandle,
  others: readonly StateHandle[],
  tree: (tensors: readonly StateTensor[]) => Tree,
): Contents {
  const [infos] = fromNativeSync(() => native().stateInfo([handle]));
  const tensors = Object.freeze(
    infos!.map(({ name, dtype, shape }) => Object.freeze({ name, dtype: dtype as DType, shape: Object.freeze(shape) })),
  );
  const names = Object.freeze(tensors.map(({ name }) => name));
  const indices = new Map(names.map((name, index) => [name, index]));
  const contents = { handle, others, tensors, names, indices, tree: tree(tensors), holders: 0 };
  known.add(contents);
  return contents;
}

function release(contents: Contents): void {
  contents.holders--;
  if (contents.holders > 0) return;
  for (const handle of [contents.handle, ...contents.others]) native().disposeState(handle);
}

/** Named tensors in file order. Nothing changes a state: training returns a new one. */
export class State implements Disposable {
  /** In file order. */
  readonly names: readonly string[];
  /** In file order. Cheap: no values are copied. */
  readonly tensors: readonly StateTensor[];
  readonly #contents: Contents;
  #metadata: ReadonlyMap<string, unknown> | undefined;
  #disposed = false;

  static {
    makeState = (handle, modules) => new State(contentsOf(handle, [], (tensors) => newTree(handle, tensors, modules)));
    loadedState = ([handle, ...others], tree) => new State(contentsOf(handle!, others, () => tree));
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

  /** States come from loadState(), createState() and training. */
  private constructor(contents: Contents) {
    if (!known.has(contents)) throw invalid('what loadState(), createState() or a training makes', 'state', contents);
    this.#contents = contents;
    this.tensors = contents.tensors;
    this.names = contents.names;
    contents.holders++;
  }

  /**
   * What else the checkpoint held: the other entries of a training checkpoint ('epoch', 'optimizer' …), with tensors as
   * {@link TensorValue} and objects of unknown classes as {@link Opaque}; and `_metadata`, where it had one: a Map from
   * module path to a Map of that module's facts, as model.state_dict() attaches it: '' → version → 1.
   */
  get metadata(): ReadonlyMap<string, unknown> {
    this.#metadata ??= metadataOf(this.#contents.tree);
    return this.#metadata;
  }

  /**
   * What `stripPrefix` took from before every name in the file, '' for nothing, and the names of the tensors that it left out:
   * they are the wrapper's own, such as `n_averaged` of an AveragedModel, and in `metadata`.
   */
  get stripped(): { readonly prefix: string; readonly leftOut: readonly string[] } {
    const { prefix, leftOut } = plain(this.#contents.tree).stripped ?? { prefix: '', leftOut: [] };
    return { prefix, leftOut: [...leftOut] };
  }

  /**
   * A copy of one tensor, in row-major order. 16-bit floats come as their bits in a Uint16Array, 8-bit floats in a
   * Uint8Array, booleans as 0 and 1, complex numbers as pairs of real and imaginary part.
   */
  tensor(name: string): { shape: number[]; dtype: DType; data: TensorData } {
    const handle = stateHandle(this);
    const index = this.#contents.indices.get(name);
    if (index === undefined) throw invalid(`one of the state's ${this.names.length} names`, 'name', name);
    const { dtype, shape } = this.tensors[index]!;
    const bytes = fromNativeSync(() => native().stateTensor(handle, index));
    return { shape: [...shape], dtype, data: new dtypes[dtype].array(bytes) };
  }

  /** The same names in the same order with the same dtypes, shapes and bits. Metadata does not count. */
  equals(other: State): boolean {
    if (!(other instanceof State)) throw invalid('a State', 'other', other);
    const handles = [stateHandle(this), stateHandle(other)] as const;
    return fromNativeSync(() => native().statesEqual(...handles));
  }

  /** Frees the memory now instead of when the state is collected. Names, shapes and metadata stay readable. */
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
    const shown = this.tensors
      .slice(0, 20)
      .map(({ name, dtype, shape }) => `\n  ${name}: ${dtype} [${shape.join(', ')}]`);
    const more = this.tensors.length > shown.length ? `\n  … ${this.tensors.length - shown.length} more` : '';
    return `State of ${this.tensors.length} tensors${shown.join('')}${more}`;
  }
}

/** What torch.save(model.state_dict()) writes: an OrderedDict of tensors that carries `_metadata`. */
function newTree(
  handle: StateHandle,
  tensors: readonly StateTensor[],
  modules: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
): Tree {
  const part = new OrderedDict(
    tensors.map((tensor, index) => [tensor.name, new TensorValue({ handle }, index, tensor)] as const),
  );
  part.attributes = new Map([['_metadata', new OrderedDict(modules as ReadonlyMap<Value, Value>)]]);
  return { root: part, path: [], part };
}

/**
 * Loads the tensors of a checkpoint, in any form that PyTorch has given it: .pth and .pt of every version, training
 * checkpoints, safetensors. Nothing that a file names is ever run.
 */
export async function loadState(file: string, options: LoadOptions = {}): Promise<State> {
  isPath(file, 'path');
  return loadPart(file, checkOptions('loadState', options, { key: isText, stripPrefix: isText, signal: isSignal }));
}

/** The same, of a part that one of several keys may have. */
export async function loadPart(file: string, given: ParseOptions): Promise<State> {
  const options = plain(given);
  const { signal } = options;
  signal?.throwIfAborted();
  return withCheckpoint(file, options, (checkpoint) => loadOpened(checkpoint, signal));
}

/** The state of a checkpoint that is open, and that must not change before it is read. */
export async function loadOpened(checkpoint: Checkpoint, signal?: AbortSignal): Promise<State> {
  const plan = await readPlan(checkpoint);
  signal?.throwIfAborted();
  const handles = await fromNative(() => native().readState(plan));
  try {
    signal?.throwIfAborted();
    await checkpoint.file.checkUnchanged();
  } catch (cause) {
    for (const handle of handles) native().disposeState(handle);
    throw cause;
  }
  checkpoint.sources.forEach((source, i) => {
    source.handle = handles[i]!;
  });
  warnOfLeftOut(checkpoint.file.path, checkpoint.tree);
  return loadedState(handles, checkpoint.tree);
}

/**
 * Saves what torch.save would, for Python to load: the state dict, byte for byte, and around it what else its file held.
 * The file is replaced all at once: with a crash, an abort or a full disk, what was there before is still there. A
 * symbolic link is followed. What Python's weights_only or loadState would refuse is left out: the item of a dict or a set, and
 * None where it was in a list or a tuple. A process warning says what, and why. A
 * safetensors file gets the state's tensors, each in full, and strings of its metadata; the warning says what it did not.
 */
export async function saveState(state: State, file: string, options: SaveOptions = {}): Promise<void> {
  if (!(state instanceof State)) throw invalid('a State', 'state', state);
  isPath(file, 'path');
  const checks = { format: isOneOf(['pth', 'safetensors']), signal: isSignal };
  const { format = file.endsWith('.safetensors') ? 'safetensors' : 'pth', signal } = checkOptions(
    'saveState',
    options,
    checks,
  );
  await holding(state, async () => {
    if (format === 'pth') {
      const left = await writeCheckpoint(treeOf(state).root, file, { signal });
      warnOfLeft(file, left, "PyTorch's weights_only or loadState would refuse it");
    } else {
      const { tensors, metadata } = state;
      const left = await writeSafetensors({ handle: heldHandle(state), tensors, metadata }, file, signal);
      warnOfLeft(file, left, 'a safetensors file holds tensors by name and strings only');
    }
  });
}
