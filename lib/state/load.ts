// Loads states from checkpoints.
import { readPlan, withCheckpoint } from '../checkpoint/checkpoint';
import type { Checkpoint, ParseOptions } from '../checkpoint/parsed';
import { eachShard, indexAt, readIndex, type ShardIndex } from '../checkpoint/shards';
import { checkOptions, isPath, isSignal, isText, plain } from '../core/checks';
import { fromNative } from '../core/errors';
import { native } from '../native/native';
import { merged } from './edit';
import { derivedState, loadedState, type State, treeOf } from './state';
import { warnOfLeftOut, warnOfTotalSize } from './warnings';

/** Options of {@link loadState}. */
export interface LoadOptions {
  /**
   * The dict of a training checkpoint to load: 'model', or 'checkpoint.model' for a dict in a dict. Default: the only one that
   * holds tensors.
   */
  key?: string;
  /**
   * Prefix to remove from every name, such as 'module.'. 'auto' removes the prefixes of DataParallel, torch.compile,
   * AveragedModel and Lightning, in any order; {@link State.stripped} returns the result. Default: none.
   */
  stripPrefix?: string;
  /** Rejects with its reason when it is aborted. */
  signal?: AbortSignal;
}

/**
 * Loads the tensors of a checkpoint, in any form that PyTorch has given it: .pth and .pt of every version, training
 * checkpoints, safetensors. Nothing that a file names is ever run. A sharded checkpoint is loaded as one state: `file` is its index
 * (`*.safetensors.index.json` or `*.bin.index.json`), or the folder that holds it.
 *
 * @example
 * ```ts
 * const state = await loadState('run.ckpt', { key: 'model', stripPrefix: 'auto' });
 * ```
 */
export async function loadState(file: string, options: LoadOptions = {}): Promise<State> {
  isPath(file, 'path');
  return loadPart(file, checkOptions('loadState', options, { key: isText, stripPrefix: isText, signal: isSignal }));
}

/** As loadState(), for a part that may be under one of several keys. */
export async function loadPart(file: string, given: ParseOptions): Promise<State> {
  const options = plain(given);
  const { signal } = options;
  signal?.throwIfAborted();
  const index = await indexAt(file);
  if (index !== undefined) return loadShards(await readIndex(index, signal), options);
  return withCheckpoint(file, options, (checkpoint) => loadOpened(checkpoint, signal));
}

/** Loads the files of a sharded checkpoint as one state. */
async function loadShards(index: ShardIndex, options: ParseOptions): Promise<State> {
  const states: State[] = [];
  try {
    const sizes = await eachShard(index, options, async (checkpoint) => {
      states.push(await loadOpened(checkpoint, options.signal));
    });
    warnOfTotalSize(index, sizes);
    const [first, ...more] = states.map(treeOf);
    const { tree, ...tensors } = merged([first!, ...more]);
    const leftOut = [first!, ...more].flatMap(({ stripped }) => stripped?.leftOut ?? []);
    const stripped = { prefix: tree.stripped?.prefix ?? '', leftOut };
    return derivedState({ ...tensors, tree: { ...tree, stripped } }, states);
  } finally {
    for (const state of states) state.dispose();
  }
}

/** Loads the state of an open checkpoint, and throws if the file has changed since it was opened. */
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
