// Sharded checkpoints, as Hugging Face's libraries write them: an index names the file that each tensor is in.
//
//   {"metadata": {"total_size": 24}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", …}}
//
//  1. A file is named by its plain name, and lies beside the index: an index leads nowhere else.
//  2. Every tensor of every file is in the index, under that file, and no other: a file of another version is refused by name.
//  3. The files are read one after the other, in the order of their names, each as a checkpoint by itself.
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError } from '../core/errors';
import { printable } from '../core/printable';
import { withCheckpoint } from './checkpoint';
import { CheckpointFile } from './containers/file';
import { dtypes } from './dtypes';
import { formatError, naming } from './errors';
import { maxIndexBytes, maxShards } from './limits';
import type { Checkpoint, ParseOptions } from './parsed';
import { stripped } from './prefixes';
import { type Json, OtherNumber, parseObject, textOf } from './safetensors/json';
import { TensorValue } from './values';

export interface ShardIndex {
  readonly path: string;
  /** The names of the tensors in each file, by the file's own name, in the order of these names. */
  readonly shards: ReadonlyMap<string, ReadonlySet<string>>;
  /** Bytes of all tensors, as the index has it. */
  readonly totalSize: number | undefined;
}

/** Bytes of all tensors, and of what they are stored in: ties count once there. */
export interface ShardSizes {
  tensors: number;
  storages: number;
}

const mapKey = 'weight_map';
const longestFileName = 255;
/** Items of a list in a message. */
const mostListed = 5;

/** The path of the index that `file` is, or that the folder `file` holds; undefined: neither. */
export async function indexAt(file: string): Promise<string | undefined> {
  if (/\.(safetensors|bin)\.index\.json$/.test(file)) return file;
  const isFolder = await fs.stat(file).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
  if (!isFolder) return undefined;
  const names = (await fs.readdir(file).catch(() => [])).sort();
  // As in transformers, safetensors come first.
  for (const kind of ['safetensors', 'bin']) {
    const found = names.filter((name) => name.endsWith(`.${kind}.index.json`));
    if (found.length > 1)
      throw new LearnError(
        'ERR_FILE',
        printable(`Expected one index of a sharded checkpoint in ${file} but found ${listed(found)}; name one of them`),
      );
    if (found[0] !== undefined) return path.join(file, found[0]);
  }
  return undefined;
}

export async function readIndex(file: string, signal?: AbortSignal): Promise<ShardIndex> {
  return CheckpointFile.with(file, (opened) =>
    naming(file, async () => {
      if (opened.size > maxIndexBytes)
        throw formatError(`its index of ${opened.size} bytes is larger than ${maxIndexBytes}`);
      const place = 'its index';
      const reading = new IndexReading();
      const text = textOf(await opened.read(0, opened.size), place);
      await parseObject(text, place, (key, value, of) => reading.visit(key, value, of), { signal, opened: mapKey });
      return { path: file, ...reading.result() };
    }),
  );
}

class IndexReading {
  readonly #shards = new Map<string, Set<string>>();
  #totalSize: number | undefined;

  visit(key: string, value: Json, of: string | undefined): void {
    if (of === mapKey) this.#add(key, value);
    else if (key === mapKey) throw formatError(`Expected an object of file names under ${mapKey} of its index`);
    else if (key === 'metadata') this.#totalSize = totalSizeIn(value);
  }

  #add(name: string, file: Json): void {
    if (typeof file !== 'string' || !isPlainFileName(file))
      throw formatError(
        `Expected the plain name of a file beside it for ${shown(name)} but found ${shown(JSON.stringify(file) ?? '')}`,
      );
    const names = this.#shards.get(file) ?? new Set();
    this.#shards.set(file, names.add(name));
    if (this.#shards.size > maxShards) throw formatError(`its index names more than ${maxShards} files`);
  }

  result(): Omit<ShardIndex, 'path'> {
    if (this.#shards.size === 0) throw formatError(`Expected tensors under ${mapKey} of its index but found none`);
    const byName = [...this.#shards].sort(([a], [b]) => (a < b ? -1 : 1));
    return { shards: new Map(byName), totalSize: this.#totalSize };
  }
}

/** Whether `name` can only mean a file in the folder that it is looked up in, on any system. */
function isPlainFileName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
  return Buffer.byteLength(name) <= longestFileName && /^[^/\\:\x00-\x1f\x7f]+$/.test(name) && !/^\.\.?$/.test(name);
}

function totalSizeIn(metadata: Json): number | undefined {
  const size = metadata instanceof Map ? metadata.get('total_size') : undefined;
  if (size === undefined || size === null) return undefined;
  // Written as a float by some versions.
  const number = size instanceof OtherNumber ? Number(size.text) : size;
  if (typeof number === 'number' && number >= 0) return number;
  throw formatError(
    `Expected a number of bytes for total_size of its index but found ${shown(JSON.stringify(size) ?? '')}`,
  );
}

/** Opens the files one after the other; a prefix is decided on the names of all. Returns the bytes of all tensors. */
export async function eachShard(
  index: ShardIndex,
  { key, stripPrefix, signal }: ParseOptions,
  visit: (checkpoint: Checkpoint) => Promise<void>,
): Promise<ShardSizes> {
  const prefix = await naming(index.path, async () => {
    if (key !== undefined && key !== '')
      throw formatError(
        `There is nothing under the key ${JSON.stringify(key)}: a sharded checkpoint holds one set of tensors, which has no ` +
          'key. Leave out the option "key"',
      );
    await checkThere(index);
    return stripped(
      [...index.shards.values()].flatMap((names) => [...names]),
      stripPrefix,
    ).prefix;
  });
  const sizes = { tensors: 0, storages: 0 };
  for (const [name, names] of index.shards) {
    signal?.throwIfAborted();
    const file = path.join(path.dirname(index.path), name);
    await withCheckpoint(file, { signal, ...(prefix !== '' && { stripPrefix: prefix }) }, async (checkpoint) => {
      checkShard(checkpoint, names, index);
      for (const { dtype, shape } of [...checkpoint.tensors, ...checkpoint.extras])
        sizes.tensors += shape.reduce((product, size) => product * size, dtypes[dtype].bytes);
      for (const { stored } of checkpoint.storages) sizes.storages += stored.bytes;
      await visit(checkpoint);
    });
  }
  return sizes;
}

async function checkThere({ path: file, shards }: ShardIndex): Promise<void> {
  const folder = path.dirname(file);
  const missing: string[] = [];
  for (const name of shards.keys()) {
    const isThere = await fs.access(path.join(folder, name)).then(
      () => true,
      () => false,
    );
    if (!isThere) missing.push(name);
  }
  if (missing.length === 0) return;
  throw new LearnError(
    'ERR_FILE',
    `${missing.length} of the ${shards.size} files that its index names cannot be read: ${listed(missing)}; fetch them into ${folder}`,
  );
}

/** Throws unless the file holds the tensors that the index has in it, and nothing else. */
function checkShard({ file, tree, names, key }: Checkpoint, expected: ReadonlySet<string>, index: ShardIndex): void {
  if (key !== '' || [...tree.part.values()].some((item) => !(item instanceof TensorValue)))
    throw formatError('Expected nothing but tensors by name in a file of a sharded checkpoint');
  const { prefix = '', leftOut = [] } = tree.stripped ?? {};
  const found = new Set([...names.map((name) => prefix + name), ...leftOut]);
  const missing = [...expected].filter((name) => !found.has(name));
  const unexpected = [...found].filter((name) => !expected.has(name));
  if (missing.length === 0 && unexpected.length === 0) return;
  const all = new Set([...index.shards.values()].flatMap((others) => [...others]));
  const elsewhere = unexpected.filter((name) => all.has(name));
  const unknown = unexpected.filter((name) => !all.has(name));
  const problems = [
    ...(missing.length > 0 ? [`missing are ${listed(missing)}`] : []),
    ...(elsewhere.length > 0
      ? [`${listed(elsewhere)} are in another file by the index, so that there are two of each`]
      : []),
    ...(unknown.length > 0 ? [`${listed(unknown)} are not in the index`] : []),
  ];
  throw formatError(
    `Expected the tensors that ${path.basename(index.path)} has in ${path.basename(file.path)}, but ${problems.join('; ')}. ` +
      'The files are of different versions, or damaged',
  );
}

function listed(names: readonly string[]): string {
  const more = names.length > mostListed ? ` and ${names.length - mostListed} more` : '';
  return names.slice(0, mostListed).map(shown).join(', ') + more;
}

function shown(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}
