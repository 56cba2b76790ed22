// Writes a tree of values as torch.save would: the pickle is made here, and the addon appends the tensors' data.
import path from 'node:path';
import { fromNative, fromNativeSync } from '../core/errors';
import { type ReplaceOptions, replaceFile } from '../files/atomic-write';
import type { StateHandle } from '../native/handles';
import { native, type TensorInfo } from '../native/native';
import { pickleTree } from './pickle/write-tree';
import { Opaque, OrderedDict, TensorValue, type Value } from './values';

/** Replaces `file` atomically. Returns the paths of the values that could not be written, each with the reason. */
export async function writeCheckpoint(root: Value, file: string, options: ReplaceOptions = {}): Promise<string[]> {
  const handles = [...new Set(tensorsIn(root).map((tensor) => tensor.handle))];
  const { pickle, storages, left } = pickleTree(root, locator(handles));
  const archive = archiveName(file);
  const write = (temporary: string, mode: number) =>
    fromNative(() => native().writeState(handles, { path: temporary, mode, archive, pickle, storages }));
  await replaceFile(file, write, options);
  return left;
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

/** The folder inside the zip, as PyTorch chooses it. */
function archiveName(file: string): string {
  const base = path.basename(file).replace(/^.*\\/, '');
  const name = base.includes('.') ? base.slice(0, base.lastIndexOf('.')) : base;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  const isAscii = /^[\x00-\x7f]*$/.test(file);
  return !isAscii || name === '' || name === '.' || name === '..' ? 'archive' : name;
}
