// States: the weights of a model with their names, loaded, saved and looked at. Everything else that needs weights takes
// and gives a State.
import path from 'node:path';
import { inspect } from 'node:util';
import { type DType, dtypes, type TensorData } from './checkpoint/dtypes';
import { pickleState } from './checkpoint/pickle-state';
import { parsePth } from './checkpoint/pth';
import { replaceFile } from './checkpoint/replace-file';
import { fromNative, fromNativeSync, LearnError } from './errors';
import { native, type StateHandle } from './native';
import { checkOptions, invalid, isPath, isSignal } from './options';

export type { DType, TensorData } from './checkpoint/dtypes';

/** What a tensor is, without its values. */
export interface StateTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface LoadOptions {
  /** Rejects with its reason when it is aborted. */
  signal?: AbortSignal;
}

export interface SaveOptions {
  /** Rejects with its reason when it is aborted; the old file is then still there. */
  signal?: AbortSignal;
}

/** The native side of a state; throws ERR_DISPOSED when it is gone. */
export let stateHandle: (state: State) => StateHandle;
/** `metadata` as State.metadata has it. */
export let makeState: (handle: StateHandle, metadata: ReadonlyMap<string, unknown>) => State;
/** Runs `work` with the native side of a state, which is kept until then even if the state is disposed meanwhile. */
let holding: (state: State, work: (handle: StateHandle) => Promise<void>) => Promise<void>;

/** Named tensors in file order. Nothing changes a state: training returns a new one. */
export class State implements Disposable {
  /** In file order. */
  readonly names: readonly string[];
  /** In file order. Cheap: no values are copied. */
  readonly tensors: readonly StateTensor[];
  /**
   * What else the checkpoint held. `_metadata`, where it had one, is a Map from module path to a Map of that module's
   * facts, as model.state_dict() attaches it: '' → version → 1.
   */
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly #handle: StateHandle;
  readonly #indices: ReadonlyMap<string, number>;
  #disposed = false;
  #holders = 0;

  static {
    makeState = (handle, metadata) => new State(handle, metadata);
    stateHandle = (state) => {
      if (!state.#disposed) return state.#handle;
      throw new LearnError('ERR_DISPOSED', 'This State was disposed and can no longer be used; load it again');
    };
    holding = async (state, work) => {
      const handle = stateHandle(state);
      state.#holders++;
      try {
        await work(handle);
      } finally {
        state.#holders--;
        state.#free();
      }
    };
  }

  /** States come from loadState(), createState() and training. */
  private constructor(handle: StateHandle, metadata: ReadonlyMap<string, unknown>) {
    this.#handle = handle;
    this.metadata = metadata;
    const infos = fromNativeSync(() => native().stateInfo(handle));
    this.tensors = Object.freeze(
      infos.map(({ name, dtype, shape }) =>
        Object.freeze({ name, dtype: dtype as DType, shape: Object.freeze(shape) }),
      ),
    );
    this.names = Object.freeze(infos.map(({ name }) => name));
    this.#indices = new Map(this.names.map((name, index) => [name, index]));
  }

  /**
   * A copy of one tensor, in row-major order. 16-bit floats come as their bits in a Uint16Array, 8-bit floats in a
   * Uint8Array, booleans as 0 and 1, complex numbers as pairs of real and imaginary part.
   */
  tensor(name: string): { shape: number[]; dtype: DType; data: TensorData } {
    const handle = stateHandle(this);
    const index = this.#indices.get(name);
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
    this.#disposed = true;
    this.#free();
  }

  #free(): void {
    if (this.#disposed && this.#holders === 0) native().disposeState(this.#handle);
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

/** Loads a state dict that torch.save wrote (.pth, .pt). */
export async function loadState(file: string, options: LoadOptions = {}): Promise<State> {
  isPath(file, 'path');
  checkOptions('loadState', options, { signal: isSignal });
  const { signal } = options;
  signal?.throwIfAborted();
  const { plan, stateDict } = await parsePth(file, signal);
  signal?.throwIfAborted();
  const handle = await fromNative(() => native().readState(plan));
  if (signal?.aborted) native().disposeState(handle);
  signal?.throwIfAborted();
  return makeState(handle, stateDict.metadata);
}

/**
 * Saves what torch.save(model.state_dict(), path) would, byte for byte, for Python to load. The file is replaced all at
 * once: with a crash, an abort or a full disk, what was there before is still there. A symbolic link is followed.
 */
export async function saveState(state: State, file: string, options: SaveOptions = {}): Promise<void> {
  if (!(state instanceof State)) throw invalid('a State', 'state', state);
  isPath(file, 'path');
  checkOptions('saveState', options, { signal: isSignal });
  await holding(state, async (handle) => {
    const infos = fromNativeSync(() => native().stateInfo(handle));
    const pickle = pickleState(infos, state.metadata.get('_metadata'));
    const archive = archiveName(file);
    const write = (temporary: string, mode: number) =>
      fromNative(() => native().writeState(handle, { path: temporary, mode, archive, pickle }));
    await replaceFile(file, write, options.signal);
  });
}

/** The folder inside the zip, as PyTorch chooses it. */
function archiveName(file: string): string {
  const base = path.basename(file).replace(/^.*\\/, '');
  const name = base.includes('.') ? base.slice(0, base.lastIndexOf('.')) : base;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  const isAscii = /^[\x00-\x7f]*$/.test(file);
  return !isAscii || name === '' || name === '.' || name === '..' ? 'archive' : name;
}
