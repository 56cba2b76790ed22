// The result of parsing a checkpoint of any supported format.
import type { CheckpointFile } from './containers/file';
import type { ContainerFacts } from './storages';
import type { StoredStorage, StoredTensor } from './tensors';
import type { Tree } from './tree';
import type { TensorSource } from './values';

export interface ParseOptions {
  /**
   * The dict to load: 'model' or 'checkpoint.model'; or several keys of the root, of which the first that exists is used.
   * Default: the only dict that holds tensors.
   */
  key?: string | readonly string[] | undefined;
  /** Removed from the start of every name; 'auto' removes the prefixes that wrappers add. */
  stripPrefix?: string | undefined;
  /** Take the first of several dicts instead of throwing. */
  takeFirst?: boolean;
  signal?: AbortSignal | undefined;
}

export interface Checkpoint {
  /** Open only while the callback of withCheckpoint() runs. */
  file: CheckpointFile;
  facts: ContainerFacts;
  /** Names of the state's tensors, in the order of `tensors`. */
  names: readonly string[];
  tensors: readonly StoredTensor[];
  /** Tensors among the metadata. */
  extras: readonly StoredTensor[];
  /** Storages of `tensors` and `extras`. */
  storages: readonly StoredStorage[];
  tree: Tree;
  /** The value of the option "key" that names this dict, and those of all dicts that could be chosen. */
  key: string;
  keys: readonly string[];
  /** The reason why torch.load(weights_only=True) would refuse the file; undefined if it would accept it. */
  refusedByWeightsOnly: string | undefined;
  /** Filled in by the loader once the state's tensors and the extras are in memory. */
  sources: readonly [state: TensorSource, extras: TensorSource];
}
