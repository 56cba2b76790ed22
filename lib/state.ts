// States: named tensors as a checkpoint holds them, loaded, looked into, compared and saved.
import { type DType, dtypes, type TensorData } from './checkpoint/dtypes';
import { type ModuleVersions, pickleState } from './checkpoint/pickler';
import { parseState, toReadPlan } from './checkpoint/read';
import { replaceFile } from './checkpoint/replace-file';
import { fromNative, fromNativeSync } from './errors';
import { native, type StateHandle } from './native';
import { checkOptions, invalid, isPath, isSignal } from './options';

/** What `State.tensor()` gives: a copy. */
export interface Tensor {
  shape: number[];
  dtype: DType;
  data: TensorData;
}

export interface TensorDescription {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

let handleOf: (state: State) => StateHandle;
let construct: (handle: StateHandle, metadata: ReadonlyMap<string, unknown>) => State;

/**
 * Weights and other tensors by name, in the order of their file. Immutable: it shares memory with nothing that JavaScript
 * can write. Made by `loadState`, `createState` and training.
 */
export class State implements Disposable {
  readonly #handle: StateHandle;
  /** Names, dtypes and shapes in file order. */
  readonly tensors: readonly TensorDescription[];
  /**
   * What else a checkpoint held. Of a state dict: `_metadata`, a Map from the path of each module to a Map of what it
   * keeps there, such as `version`.
   */
  readonly metadata: ReadonlyMap<string, unknown>;

  static {
    handleOf = (state) => state.#handle;
    construct = (handle, metadata) => new State(handle, metadata);
  }

  private constructor(handle: StateHandle, metadata: ReadonlyMap<string, unknown>) {
    this.#handle = handle;
    this.metadata = metadata;
    this.tensors = native()
      .stateInfo(handle)
      .map(({ name, dtype, shape }) => Object.freeze({ name, dtype: dtype as DType, shape: Object.freeze(shape) }));
  }

  /** In file order. */
  get names(): readonly string[] {
    return this.tensors.map(({ name }) => name);
  }

  /** A copy of one tensor, row by row. float16, bfloat16 and float8 come as raw bits, complex numbers as pairs. */
  tensor(name: string): Tensor {
    const index = this.tensors.findIndex((tensor) => tensor.name === name);
    const found = this.tensors[index];
    if (!found)
      throw invalid(
        `the name of a tensor (${this.names.slice(0, 8).join(', ')}${this.names.length > 8 ? ', …' : ''})`,
        'name',
        name,
      );
    const bytes = fromNativeSync(() => native().stateTensor(this.#handle, index));
    return { shape: [...found.shape], dtype: found.dtype, data: new dtypes[found.dtype].array(bytes) };
  }

  /** Whether `other` has the same names in the same order, and the same dtypes, shapes and bits. */
  equals(other: State): boolean {
    if (!(other instanceof State)) throw invalid('a State', 'other', other);
    return fromNativeSync(() => native().statesEqual(this.#handle, other.#handle));
  }

  /** Frees the memory now instead of when the garbage collector gets to it. May be called again; other uses then fail. */
  dispose(): void {
    native().disposeState(this.#handle);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const shown = this.tensors.slice(0, 6).map(({ name, dtype, shape }) => `${name}: ${dtype}[${shape.join(', ')}]`);
    return `State { ${shown.join(', ')}${this.tensors.length > 6 ? `, … ${this.tensors.length - 6} more` : ''} }`;
  }
}

/** For the other files of lib/. */
export const stateHandle = (state: State): StateHandle => handleOf(state);
export const makeState = (handle: StateHandle, metadata: ReadonlyMap<string, unknown>): State =>
  construct(handle, metadata);

export interface StateFileOptions {
  /** Aborting rejects with `signal.reason`; a file being saved then stays as it was. */
  signal?: AbortSignal;
}

/** Loads a state dict that `torch.save(model.state_dict(), path)` wrote. Nothing in the file is ever executed. */
export async function loadState(file: string, options: StateFileOptions = {}): Promise<State> {
  isPath(file, 'path');
  checkOptions('loadState', options, { signal: isSignal });
  options.signal?.throwIfAborted();
  const parsed = await parseState(file, options.signal);
  const handle = await fromNative(() => native().readState(toReadPlan(parsed)));
  options.signal?.throwIfAborted();
  return makeState(handle, parsed.metadata);
}

/**
 * Writes a `.pth` as `torch.save` does, readable by `torch.load(path, weights_only=True)`. The file appears whole or not at
 * all: it is written beside `path`, synced and renamed. A file that was there keeps its mode; through a symbolic link, the
 * file it points to is replaced.
 */
export async function saveState(state: State, file: string, options: StateFileOptions = {}): Promise<void> {
  if (!(state instanceof State)) throw invalid('a State', 'state', state);
  isPath(file, 'path');
  checkOptions('saveState', options, { signal: isSignal });
  options.signal?.throwIfAborted();
  const handle = handleOf(state);
  const tensors = fromNativeSync(() => native().stateInfo(handle)).map((tensor) => ({
    ...tensor,
    dtype: tensor.dtype as DType,
  }));
  const pickle = pickleState(tensors, moduleVersions(state.metadata.get('_metadata')));
  await replaceFile(
    file,
    (temporary) => fromNative(() => native().writeState(handle, { path: temporary, pickle })),
    options.signal,
  );
}

/** `_metadata` in the form in which it is written; left out where it has any other. */
function moduleVersions(metadata: unknown): ModuleVersions | undefined {
  if (!(metadata instanceof Map)) return undefined;
  const plain = [...metadata.values()].every(
    (entries) => entries instanceof Map && [...entries.values()].every(Number.isSafeInteger),
  );
  return plain ? metadata : undefined;
}
