// Opens the archives of torch.export.save, in the three forms that PyTorch has written, and finds their records:
//
//                torch 2.6, 2.7                      torch 2.8                  torch 2.9 and newer
//   top folder   none                                the file's stem            the file's stem when it was written
//   models       serialized_exported_program.json    NAME.json                  NAME.json
//   weights      serialized_state_dict.pt            NAME.pt                    NAME_weights_config.json, weight_0, weight_1 …
//   constants    serialized_constants.pt             NAME.pt                    NAME_constants_config.json, tensor_0 …
//
// Archives with a top folder hold them in its folders models, data/weights and data/constants. NAME is `model`, or what package_pt2()
// was given for each of several programs. Only these records and three notes are read; files that users added are copied where the
// archive is saved again, and not interpreted. Never opened: sample inputs and custom objects, which PyTorch unpickles with code, and
// native code. An archive with custom objects or native code is refused, because its program needs them.
import { CheckpointFile } from '../checkpoint/containers/file';
import { readRecord } from '../checkpoint/containers/zip';
import { locate, readZipDirectory, type ZipDirectory, type ZipRecord } from '../checkpoint/containers/zip-directory';
import { formatError, naming, unsafeError } from '../checkpoint/errors';
import type { StoragePlace } from '../checkpoint/storages';
import { LearnError } from '../core/errors';
import { listed } from '../core/family';
import { type Json, parseJson } from './exact-json';
import { maxExtraBytes, maxExtras, maxJsonBytes, maxNameLength, maxNoteBytes, maxPrograms } from './limits';
import { Located } from './located';

/** What holds the tensors of one program: weights are parameters and persistent buffers, constants all others. */
export type TensorKind = 'weights' | 'constants';

/** A record with the tensors of one kind: a JSON that describes raw records, or a checkpoint of torch.save. */
export interface TensorRecord {
  readonly form: 'config' | 'checkpoint';
  readonly record: string;
}

const flatNames = {
  program: 'serialized_exported_program.json',
  weights: 'serialized_state_dict.pt',
  constants: 'serialized_constants.pt',
};
/** The name of the only program in an archive that does not name it. */
const onlyName = 'model';

export class Pt2Archive {
  readonly file: CheckpointFile;
  /** Names of the programs: ['model'], or those that package_pt2() was given. */
  readonly programs: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly #directory: ZipDirectory;
  readonly #isFlat: boolean;

  constructor(file: CheckpointFile, directory: ZipDirectory, signal: AbortSignal | undefined) {
    this.file = file;
    this.signal = signal;
    this.#directory = directory;
    this.#isFlat = directory.records.has(flatNames.program);
    this.programs = this.#isFlat ? [onlyName] : programsIn(directory);
  }

  /** Returns `name`, or the name of the only program. */
  nameOf(name: string | undefined): string {
    const all = listed(this.programs.slice(0, 10).map((known) => JSON.stringify(known)));
    if (name === undefined && this.programs.length === 1) return this.programs[0]!;
    if (name === undefined)
      throw formatError(`Expected one program but the archive holds ${all}; name one with the option "program"`);
    if (this.programs.includes(name)) return name;
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected the name of a program of the archive for "program" but received ${JSON.stringify(name)}; it holds ${all}`,
    );
  }

  /** Parses the record of a program. */
  program(name: string): Promise<Located> {
    return this.json(this.programRecord(name));
  }

  /** The name of the record of a program. */
  programRecord(name: string): string {
    return this.#isFlat ? flatNames.program : `models/${name}.json`;
  }

  /** Finds the tensors of a program; undefined if it has none of this kind. */
  tensors(name: string, kind: TensorKind): TensorRecord | undefined {
    if (this.#isFlat) return this.#directory.records.has(flatNames[kind]) ? checkpointIn(flatNames[kind]) : undefined;
    const [config, checkpoint] = [`data/${kind}/${name}_${kind}_config.json`, `data/${kind}/${name}.pt`];
    const [hasConfig, hasCheckpoint] = [config, checkpoint].map((record) => this.#directory.records.has(record));
    if (hasConfig && hasCheckpoint)
      throw formatError(
        `the archive holds the ${kind} of the program ${name} twice, in ${config} and in ${checkpoint}`,
      );
    if (hasConfig) return { form: 'config', record: config };
    return hasCheckpoint ? checkpointIn(checkpoint) : undefined;
  }

  async json(name: string): Promise<Located> {
    const record = this.#record(name);
    const json: Json = await parseJson(
      await readRecord(this.file, this.#directory, record, maxJsonBytes),
      name,
      this.signal,
    );
    return new Located(json, name);
  }

  /** Bytes of a record; undefined if it does not exist. */
  bytesOf(name: string): number | undefined {
    return this.#directory.records.get(name)?.bytes;
  }

  /** Where the bytes of a record are in the file. */
  async place(name: string): Promise<StoragePlace> {
    const record = this.#record(name);
    if (record.isDeflated)
      throw formatError(`record ${record.path} is compressed; unpack the archive and zip it again with: zip -0 -r`);
    const { isUnchecked } = this.#directory;
    const offset = await locate(this.file, record, isUnchecked);
    return { offset, bytes: record.bytes, bigEndian: false, crc32: isUnchecked ? -1 : record.crc32 };
  }

  /** As place(), for a record of at most `most` bytes, which may be compressed. */
  async anyPlace(name: string, most: number): Promise<StoragePlace> {
    const record = this.#record(name);
    if (!record.isDeflated) return this.place(name);
    const unpacked = await readRecord(this.file, this.#directory, record, most);
    return { offset: 0, bytes: unpacked.length, bigEndian: false, crc32: -1, unpacked };
  }

  /** Where the files are that users added, by their names. No program needs them: those that cannot be read are left out. */
  async extras(): Promise<[name: string, place: StoragePlace][]> {
    const folder = this.#isFlat ? 'extra_files/' : 'extra/';
    const found: [string, StoragePlace][] = [];
    let room = maxExtraBytes;
    for (const [name, { bytes }] of this.#directory.records) {
      if (!name.startsWith(folder) || bytes > room || found.length === maxExtras) continue;
      const place = await this.anyPlace(name, room).catch(() => undefined);
      this.signal?.throwIfAborted();
      if (place === undefined) continue;
      found.push([name.slice(folder.length), place]);
      room -= bytes;
    }
    return found;
  }

  #record(name: string): ZipRecord {
    const record = this.#directory.records.get(name);
    if (!record) throw formatError(`Expected a record ${name} in the archive but it has none`);
    return record;
  }
}

const checkpointIn = (record: string): TensorRecord => ({ form: 'checkpoint', record });

/** Calls `use` while the archive is open. Errors of the parsers begin with the file's name. */
export function withArchive<T>(
  path: string,
  use: (archive: Pt2Archive) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return CheckpointFile.with(path, (file) => naming(path, async () => use(await open(file, signal))));
}

async function open(file: CheckpointFile, signal: AbortSignal | undefined): Promise<Pt2Archive> {
  const head = await file.read(0, Math.min(4, file.size));
  if (head.toString('latin1') !== 'PK\x03\x04')
    throw formatError(`Expected a .pt2 of torch.export.save but ${notZip(head)}`);
  const directory = await readZipDirectory(file, signal, true);
  checkRecords(directory);
  if (!directory.records.has(flatNames.program)) await checkNotes(file, directory);
  return new Pt2Archive(file, directory, signal);
}

function notZip(head: Buffer): string {
  const isOnnx = head[0] === 0x08 && head[1]! >= 3 && head[1]! <= 20;
  if (isOnnx) return `the file is an ONNX model; export the PyTorch module instead: ${recipe}`;
  return 'the file is not a zip archive; if it is a checkpoint, load it with loadState()';
}

const recipe = "torch.export.save(torch.export.export(model, (example,), dynamic_shapes=…), 'model.pt2')";

/** Archives that are not read, by a record that only they have. The first that matches is reported. */
const refused: readonly { is: string; advice: string; test(name: string): boolean; isUnsafe?: true }[] = [
  {
    is: 'compiled by AOTInductor, which is native code and cannot be trained',
    advice: `export the module instead: ${recipe}`,
    test: (name) => name.startsWith('data/aotinductor/') || /^(?!extra).*\.(so|dll|dylib|cubin|o)$/.test(name),
    isUnsafe: true,
  },
  {
    is: 'for ExecuTorch, whose programs cannot be trained',
    advice: `export the module instead: ${recipe}`,
    test: (name) => name.startsWith('data/executorch/'),
  },
  {
    is: 'with a custom object, which only the Python that pickled it can read',
    advice: 'export a module whose attributes are tensors and plain values',
    test: (name) => /^data\/constants\/(custom|opaque)_obj_/.test(name),
    isUnsafe: true,
  },
];

function checkRecords({ records }: ZipDirectory): void {
  const names = [...records.keys()];
  const match = refused.find(({ test }) => names.some(test));
  if (match) {
    const record = names.find(match.test)!.slice(0, 100);
    const message = `the archive is ${match.is} (its record ${record}); ${match.advice}`;
    throw match.isUnsafe ? unsafeError(message) : formatError(message);
  }
  const [isFlat, isFoldered] = [records.has(flatNames.program), records.has('archive_format')];
  if (isFlat && isFoldered)
    throw formatError(
      `the archive has both ${flatNames.program} and archive_format, so readers would disagree about it`,
    );
  if (isFlat || isFoldered) return;
  // TorchScript is a program too: loading one runs its code.
  if (records.has('constants.pkl') || names.some((name) => name.startsWith('code/')))
    throw formatError(
      `Expected a .pt2 of torch.export.save but the file is a TorchScript program, which is not run here; export the module that ` +
        `it was made from: ${recipe}. Its weights alone: loadState()`,
    );
  if (records.has('data.pkl'))
    throw formatError('Expected a .pt2 of torch.export.save but the file is a checkpoint; load it with loadState()');
  throw formatError(`Expected a .pt2 of torch.export.save but the zip file holds ${names.slice(0, 5).join(', ')}`);
}

/** Compares the notes of an archive with a top folder with what they may say. */
async function checkNotes(file: CheckpointFile, directory: ZipDirectory): Promise<void> {
  const note = async (name: string, missing: string) => {
    const record = directory.records.get(name);
    return record ? (await readRecord(file, directory, record, maxNoteBytes)).toString('latin1').trim() : missing;
  };
  const check = async (name: string, wanted: string, missing: string, advice: string) => {
    const found = await note(name, missing);
    if (found !== wanted)
      throw formatError(`Expected ${wanted} in ${name} but found ${JSON.stringify(found)}; ${advice}`);
  };
  await check('archive_format', 'pt2', '', 'save the program with torch.export.save()');
  await check('archive_version', '0', '0', 'save the program with a PyTorch from 2.8 to 2.13');
  await check('byteorder', 'little', 'little', 'load and save the program on a little-endian machine');
}

function programsIn({ records }: ZipDirectory): string[] {
  const names = [...records.keys()].flatMap((record) => /^models\/([^/]+)\.json$/.exec(record)?.[1] ?? []);
  if (names.length === 0) throw formatError('Expected a program, models/NAME.json, in the archive but it has none');
  if (names.length > maxPrograms) throw formatError(`the archive holds more than ${maxPrograms} programs`);
  if (names.some((name) => name.length > maxNameLength)) throw formatError('the name of a program is too long');
  return names;
}
