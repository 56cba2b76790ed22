// Common interface of the containers of checkpoints: zip files, legacy streams and safetensors files. Each tensor is a view
// into a storage, a run of bytes in the file:
//
//   storage '0' at byte 448, 24 bytes:  01 00 02 00 03 00 04 00 05 00 06 00 …
//   tensor of int16, shape [2, 2], stride [3, 1], offset 1:  [[2, 3], [5, 6]]
//
// Several tensors may view one storage, and then share memory after loading too.
import type { ReadPlan } from '../native/state-plans';
import type { Unpickled } from './pickle/unpickled';

export type StoragePlace = ReadPlan['storages'][number];

/** A run of bytes in the file that holds the elements of one or more tensors. */
export interface StoredBytes {
  /** Name in messages: 'x/data/0'. */
  readonly path: string;
  readonly bytes: number;
  /** Looks up and checks where the bytes are. Called only for storages that are loaded. */
  place(): StoragePlace | Promise<StoragePlace>;
}

/** Storages by key. A Map implements it. */
export interface StorageTable {
  get(key: string): StoredBytes | undefined;
}

export type ContainerKind = 'zip' | 'legacy' | 'safetensors';

/** Facts about a container that `inspect` prints. */
export interface ContainerFacts {
  kind: ContainerKind;
  /** Top folder inside a zip file. */
  archive?: string;
  /** Version of the format, if the file records it. */
  version?: number;
  byteorder: 'little' | 'big';
}

/** A file that holds one pickle and the storages that it refers to. */
export interface PickleContainer {
  facts: ContainerFacts;
  pickle: Unpickled;
  storages: StorageTable;
}
