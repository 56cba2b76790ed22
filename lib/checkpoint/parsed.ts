// What parsing a checkpoint of any kind results in.
import type { CheckpointFile } from './containers/file';
import type { ContainerFacts } from './storages';
import type { StoredStorage, StoredTensor } from './tensors';
import type { Tree } from './tree';
import type { TensorSource } from './values';

export interface ParseOptions {
  /**
   * The dict that is wanted: 'model' or 'checkpoint.model'; or several of the root's keys, of which the first that is
   * there counts. Default: the only one that holds tensors.
   */
  key?: string | readonly string[] | undefined;
  /** Taken from before every name; 'auto' takes what wrappers put there. */
  stripPrefix?: string | undefined;
  /** Take the first of several dicts, instead of refusing to choose. */
  takeFirst?: boolean;
  signal?: AbortSignal | undefined;
}

export interface Checkpoint {
  /** Open for as long as withCheckpoint() says. */
  file: CheckpointFile;
  facts: ContainerFacts;
  /** Of the state. */
  names: readonly string[];
  tensors: readonly StoredTensor[];
  /** Tensors among the metadata. */
  extras: readonly StoredTensor[];
  /** Of all tensors. */
  storages: readonly StoredStorage[];
  tree: Tree;
  /** Of the dicts that "key" can name: this one, and all. */
  key: string;
  keys: readonly string[];
  /** Why torch.load(weights_only=True) would refuse the file; undefined if it would not. */
  refusedByWeightsOnly: string | undefined;
  /** To be told where the state's tensors, and the extras, are once they are loaded. */
  sources: readonly [state: TensorSource, extras: TensorSource];
}
