// The plans for states that lib/ hands to the addon, and its descriptions of their tensors: plain values, as in plans.ts.
import type { Initialiser } from '../program/module';
import type { StateHandle } from './handles';

export interface TensorInfo {
  name: string;
  /** PyTorch's name without `torch.`: 'float32', 'int64', 'bfloat16' … */
  dtype: string;
  shape: number[];
  /** Elements between neighbours along each axis. */
  stride: number[];
  /** First element inside the storage. */
  offset: number;
  /** Number of its storage among those of all these states, in order of first use. Tied tensors have the same number. */
  storage: number;
  /** Size of the whole storage. */
  storageBytes: number;
}

/** min, max and mean of the finite values; NaN if none exists. */
export interface TensorStats {
  min: number;
  max: number;
  mean: number;
  nan: number;
  infinite: number;
}

/** Content of a checkpoint file, as the parsers of lib/checkpoint/ found it. */
export interface ReadPlan {
  /** For messages. */
  path: string;
  /** Descriptor of the open file: the parsers and the addon must read the same file, even if its name now refers to another. */
  descriptor: number;
  /** Size of the file when it was parsed: a file that has changed since is refused. */
  fileBytes: number;
  storages: {
    offset: number;
    bytes: number;
    bigEndian: boolean;
    /** -1 if no checksum was recorded. */
    crc32: number;
    /** The bytes themselves, if they are compressed in the file. */
    unpacked?: Uint8Array;
  }[];
  /** Lists of tensors, each to become one state. All may share storages. */
  parts: (readonly {
    name: string;
    dtype: string;
    shape: number[];
    /** In elements, as is `offset`. */
    stride: number[];
    offset: number;
    storage: number;
  }[])[];
}

/** Plan for writing a zip file of records: bytes, and storages of several states. In flat lists, as a SharePlan. */
export interface WritePlan {
  /** A file that does not exist yet. */
  path: string;
  /** Its permissions before the process's umask is applied. */
  mode: number;
  /** Top folder inside the zip: the file's name without its extension, as PyTorch chooses it. */
  archive: string;
  /** Of the records, in the order of the file. A last one, `.data/serialization_id`, is added to them. */
  names: readonly string[];
  /** For each name: its bytes, or the number of its storage among those of all states (TensorInfo.storage). */
  contents: readonly (Uint8Array | number)[];
}

/** Plan for writing tensors of one state one after the other, in row-major order. */
export interface WriteTensorsPlan {
  /** As in a WritePlan. */
  path: string;
  mode: number;
  /** Bytes that precede the tensors. */
  header: Uint8Array;
  /** Indices of the state's tensors, in the order of the file. */
  tensors: number[];
}

/** Where tensors of a state belong in storages of an archive. See src/state/lay_out.h. In flat lists, as a SharePlan. */
export interface LayoutPlan {
  /** Bytes of each storage. */
  storages: Float64Array;
  /** Of the tensor in each place. */
  dtypes: readonly string[];
  /**
   * Place after place: storage, offset, number of axes, sizes, strides, number of the state's tensors that belong there, their indices.
   * Offset and strides are in elements.
   */
  places: Float64Array;
}

/** A state's tensors as they lie in storages. */
export interface Layout {
  /** A state of bytes: the storages of the plan, then one for each displaced place. */
  storages: StateHandle;
  /** Places of the plan whose tensor has other values than an earlier one where both share memory. */
  displaced: number[];
}

/** One tensor of a state. */
export interface TensorRef {
  state: StateHandle;
  index: number;
}

/** Tensors of other states that become one. In flat lists, since states of many tensors are edited on the JavaScript thread. */
export interface SharePlan {
  names: readonly string[];
  states: readonly StateHandle[];
  /** For each name, the number of its state among `states`, and its index there. */
  places: Int32Array;
}

/** A tensor that becomes the first rows of a new one. */
export interface GrownTensor extends TensorRef {
  name: string;
  /** Size of the new one's first axis. */
  rows: number;
  /** How all its rows are drawn first. */
  init: Initialiser;
}

/** A tensor whose bytes are in row-major order. */
export interface GivenTensor {
  name: string;
  dtype: string;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** How a tensor gets its values. Tensors are named by their indices. */
export interface InitialDraw {
  readonly tensor: number;
  readonly init: Exclude<Initialiser, { kind: 'copy' }> | { readonly kind: 'copy'; readonly tensor: number };
}
