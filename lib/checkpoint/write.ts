// Writes a tree of values as torch.save would: the pickle is made here, and the addon appends the tensors' data.
import path from 'node:path';
import { fromNative, fromNativeSync } from '../core/errors';
import { type ReplaceOptions, replaceFile } from '../files/atomic-write';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import type { TensorInfo } from '../native/state-plans';
import { pickleTree } from './pickle/write-tree';
import { Opaque, OrderedDict, TensorValue, type Value } from './values';

/** Replaces `file` atomically. Returns the paths of the values that could not be written, each with the reason. */
export async function writeCheckpoint(root: Value, file: string, options: ReplaceOptions = {}): Promise<string[]> {
  const handles = [...new Set(tensorsIn(root).map((tensor) => tensor.handle))];
  const { pickle, storages, left } = pickleTree(root, locator(handles));
  const before: (readonly [string, Uint8Array])[] = [
    ['data.pkl', pickle],
    ['.format_version', Buffer.from('1')],
    ['.storage_alignment', Buffer.from('64')],
    ['byteorder', Buffer.from('little')],
  ];
  const records = [
    ...before,
    ...storages.map((storage, i) => [`data/${i}`, storage] as const),
    ['version', Buffer.from('3\n')] as const,
  ];
  await writeRecords(handles, records, file, archiveName(file), options);
  return left;
}

/** Replaces `file` atomically by a zip file with these records: bytes, or storages of the states by their numbers. */
export async function writeRecords(
  states: readonly StateHandle[],
  records: readonly (readonly [name: string, content: Uint8Array | number])[],
  file: string,
  archive: string,
  options: ReplaceOptions,
): Promise<void> {
  const [names, contents] = [records.map(([name]) => name), records.map(([, content]) => content)];
  const write = (path: string, mode: number) =>
    fromNative(() => native().writeState(states, { path, mode, archive, names, contents }));
  await replaceFile(file, write, options);
}

/** Looks up tensors. Storages are numbered across all states, so that storages shared between states are written once. */
function locator(handles: readonly StateHandle[]): (tensor: TensorValue) => TensorInfo {
  const lists = fromNativeSync(() => native().stateInfo(handles));
  const byHandle = new Map(handles.map((handle, i) => [handle, lists[i]!]));
  return ({ handle, index }) => byHandle.get(handle)![index]!;
}

/** Visits each value once: a value may occur several times, and may contain itself. */
function tensorsIn(root: Value): TensorValue[] {
  const found: TensorValue[] = [];
  const seen = new Set<Value>([root]);
  for (const value of seen) {
    if (value instanceof TensorValue) found.push(value);
    for (const inner of insides(value)) if (typeof inner === 'object' && inner !== null) seen.add(inner);
  }
  return found;
}

function insides(value: Value): Iterable<Value> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Opaque) return [value.args];
  if (!(value instanceof Map)) return [];
  const attributes = value instanceof OrderedDict && value.attributes ? [value.attributes] : [];
  return [...value.keys(), ...value.values(), ...attributes];
}

/** The folder inside the zip, as torch.save chooses it. */
function archiveName(file: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  return /^[\x00-\x7f]*$/.test(file) ? stemOf(file) : 'archive';
}

/** A file's name without its extension, as the folder inside a zip. */
export function stemOf(file: string): string {
  const base = path.basename(file).replace(/^.*\\/, '');
  const name = base.includes('.') ? base.slice(0, base.lastIndexOf('.')) : base;
  return name === '' || name === '.' || name === '..' ? 'archive' : name;
}
