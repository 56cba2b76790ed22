// Describes a checkpoint without reading tensor data and without libtorch. For the command line's `inspect`.
import { withCheckpoint } from './checkpoint';
import { type DType, dtypes } from './dtypes';
import type { Checkpoint, ParseOptions } from './parsed';
import { eachShard, indexAt, readIndex } from './shards';
import type { ContainerFacts } from './storages';
import { metadataOf } from './tree';

export interface InspectedTensor {
  name: string;
  dtype: DType;
  shape: number[];
  /** Size of its elements; a view may be larger or smaller than its storage. */
  bytes: number;
  /** Name of the first tensor in the same storage, unless that is this tensor. */
  sharedWith?: string;
}

export interface FileDescription extends ContainerFacts {
  path: string;
  /** Of all its files. */
  bytes: number;
  /** Number of files of a sharded checkpoint. */
  shards?: number;
  tensors: InspectedTensor[];
  totals: {
    tensors: number;
    elements: number;
    storages: number;
    /** Size of all storages, each counted once. */
    bytes: number;
  };
  /** The dicts of tensors in the file, as loadState's option "key" names them: the described one, and all. */
  key: string;
  keys: readonly string[];
  /** Whether torch.load(path, weights_only=True) accepts the file; otherwise the reason. */
  weightsOnly: { loads: boolean; because?: string };
  metadata: ReadonlyMap<string, unknown>;
  /** As State.stripped. */
  stripped: { prefix: string; leftOut: readonly string[] };
}

/** Throws as loadState does for files that cannot be loaded. `use` receives the open checkpoint, or each of a sharded one. */
export async function inspectFile(
  path: string,
  options: ParseOptions = {},
  use: (checkpoint: Checkpoint) => Promise<void> = async () => {},
): Promise<FileDescription> {
  const found = await indexAt(path);
  if (found !== undefined) {
    const index = await readIndex(found, options.signal);
    const descriptions: FileDescription[] = [];
    await eachShard(index, options, async (checkpoint) => {
      await use(checkpoint);
      descriptions.push(descriptionOf(checkpoint));
    });
    return joined(index.path, descriptions);
  }
  return withCheckpoint(path, { takeFirst: true, ...options }, async (checkpoint) => {
    await use(checkpoint);
    return descriptionOf(checkpoint);
  });
}

function descriptionOf(checkpoint: Checkpoint): FileDescription {
  const { file, facts, names, tensors: stored, storages, tree, key, keys, refusedByWeightsOnly } = checkpoint;
  const first = new Map<number, string>();
  const tensors = stored.map(({ dtype, shape, storage }, i) => {
    const name = names[i]!;
    const owner = first.get(storage);
    if (owner === undefined) first.set(storage, name);
    const bytes = elementsOf(shape) * dtypes[dtype].bytes;
    return { name, dtype, shape, bytes, ...(owner === undefined ? {} : { sharedWith: owner }) };
  });
  const totals = {
    tensors: tensors.length,
    elements: tensors.reduce((sum, { shape }) => sum + elementsOf(shape), 0),
    storages: storages.length,
    bytes: storages.reduce((sum, { stored: { bytes } }) => sum + bytes, 0),
  };
  const because = refusedByWeightsOnly;
  const weightsOnly = because === undefined ? { loads: true } : { loads: false, because };
  const { prefix = '', leftOut = [] } = tree.stripped ?? {};
  const found = { key, keys, tensors, totals, weightsOnly, metadata: metadataOf(tree), stripped: { prefix, leftOut } };
  return { path: file.path, bytes: file.size, ...facts, ...found };
}

/** The description of a sharded checkpoint, of at least one file. */
function joined(path: string, shards: readonly FileDescription[]): FileDescription {
  const [first] = shards as [FileDescription];
  const sum = (of: (shard: FileDescription) => number) => shards.reduce((total, shard) => total + of(shard), 0);
  const refused = shards.find(({ weightsOnly }) => !weightsOnly.loads);
  return {
    ...first,
    path,
    shards: shards.length,
    bytes: sum(({ bytes }) => bytes),
    tensors: shards.flatMap(({ tensors }) => tensors),
    totals: {
      tensors: sum(({ totals }) => totals.tensors),
      elements: sum(({ totals }) => totals.elements),
      storages: sum(({ totals }) => totals.storages),
      bytes: sum(({ totals }) => totals.bytes),
    },
    weightsOnly: (refused ?? first).weightsOnly,
    stripped: { ...first.stripped, leftOut: shards.flatMap(({ stripped }) => stripped.leftOut) },
  };
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
