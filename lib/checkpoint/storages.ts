// What the containers of checkpoints have in common: zip files, legacy streams and safetensors files all come to this.
import type { ReadPlan } from '../native/plans';
import type { Unpickled } from './pickle/unpickled';

export type StoragePlace = ReadPlan['storages'][number];

/** A run of bytes that tensors lie in. */
export interface StoredBytes {
  /** For messages: 'x/data/0'. */
  readonly path: string;
  readonly bytes: number;
  /** Where they are; looked up, and checked, only for those that are wanted. */
  place(): StoragePlace | Promise<StoragePlace>;
}

/** By key. A Map is one. */
export interface StorageTable {
  get(key: string): StoredBytes | undefined;
}

export type ContainerKind = 'zip' | 'legacy' | 'safetensors';

/** What `inspect` tells of a container. */
export interface ContainerFacts {
  kind: ContainerKind;
  /** Top folder inside a zip file. */
  archive?: string;
  /** Of the format, where the file says so. */
  version?: number;
  byteorder: 'little' | 'big';
}

/** A file that holds one pickle and the storages that it refers to. */
export interface PickleContainer {
  facts: ContainerFacts;
  pickle: Unpickled;
  storages: StorageTable;
}
