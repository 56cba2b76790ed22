// What a pickle of a checkpoint can be made of, as inert values: nothing of the file is ever imported or called.
import type { DType } from './dtypes';

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Tuple
  | List
  | Dict
  | Global
  | StorageRef
  | TensorRef;

export class Tuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

export class List {
  readonly items: PickleValue[] = [];
}

/** A dict or an OrderedDict. A Map, so that no key of a file can reach a prototype. */
export class Dict {
  readonly items = new Map<PickleValue, PickleValue>();
  /** What BUILD set on an OrderedDict, such as `_metadata`. */
  attributes: Dict | undefined;
  constructor(readonly ordered: boolean) {}
}

/** The name of a class or function that this reader knows. */
export class Global {
  constructor(readonly name: string) {}
}

/** A storage: a record of the archive, read as elements of `dtype` (bytes for untyped storages). */
export class StorageRef {
  constructor(
    readonly key: string,
    readonly dtype: DType | undefined,
    /** Elements, or bytes without a dtype. */
    readonly count: number,
  ) {}
}

/** A view of a storage. Numbers are what the file says; lib/checkpoint/read.ts checks them against the storage. */
export class TensorRef {
  constructor(
    readonly storage: StorageRef,
    readonly dtype: DType,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {}
}

/** For messages. */
export function describe(value: PickleValue | undefined): string {
  if (value === null) return 'None';
  if (value instanceof TensorRef) return 'a tensor';
  if (value instanceof Dict) return 'a dict';
  if (value instanceof Tuple) return 'a tuple';
  if (value instanceof List) return 'a list';
  if (value instanceof Global) return value.name;
  if (value instanceof StorageRef) return 'a storage';
  return `${typeof value} (${String(value).slice(0, 40)})`;
}
