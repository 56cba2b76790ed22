// Checkpoints in torch.save's zip form: from the file to what is in it and where, without reading a tensor's bytes.
import { crc32 } from 'node:zlib';
import type { ReadPlan } from '../plans';
import { checkIsCheckpoint, checkIsZip } from './detect';
import { formatError, naming } from './errors';
import { CheckpointFile } from './file';
import { maxNoteBytes, maxPickleBytes } from './limits';
import { readStateDict, type StateDict } from './state-dict';
import { unpickle } from './unpickle';
import { locate, readZipDirectory, type ZipDirectory, type ZipRecord } from './zip';

export interface Pth {
  fileBytes: number;
  /** Top folder inside the zip. */
  archive: string;
  version: number;
  byteorder: 'little' | 'big';
  stateDict: StateDict;
  /** What the addon needs to fill a state. */
  plan: ReadPlan;
}

export function parsePth(path: string, signal?: AbortSignal): Promise<Pth> {
  return CheckpointFile.with(path, (file) => naming(path, () => parse(file, signal)));
}

async function parse(file: CheckpointFile, signal: AbortSignal | undefined): Promise<Pth> {
  await checkIsZip(file);
  const directory = await readZipDirectory(file);
  checkIsCheckpoint(directory);
  const version = await readVersion(file, directory);
  const byteorder = await readByteorder(file, directory);
  const pickle = await readRecord(file, directory.records.get('data.pkl')!, maxPickleBytes);
  signal?.throwIfAborted();
  const stateDict = readStateDict(await unpickle(pickle, signal), directory.records);
  const storages: ReadPlan['storages'] = [];
  for (const { record } of stateDict.storages) {
    const { bytes, crc32 } = record;
    storages.push({ offset: await locate(file, record), bytes, bigEndian: byteorder === 'big', crc32 });
  }
  const plan = { path: file.path, fileBytes: file.size, storages, tensors: stateDict.tensors };
  return { fileBytes: file.size, archive: directory.archive, version, byteorder, stateDict, plan };
}

async function readRecord(file: CheckpointFile, record: ZipRecord, maxBytes: number): Promise<Buffer> {
  if (record.bytes > maxBytes)
    throw formatError(`record ${record.path} of ${record.bytes} bytes is larger than ${maxBytes}`);
  const bytes = await file.read(await locate(file, record), record.bytes);
  if (record.crc32 !== 0 && crc32(bytes) !== record.crc32) {
    throw formatError(`the checksum of ${record.path} is wrong: the file is damaged. Fetch or save it again`);
  }
  return bytes;
}

async function readNote(file: CheckpointFile, { records }: ZipDirectory, name: string): Promise<string | undefined> {
  const record = records.get(name);
  return record && (await readRecord(file, record, maxNoteBytes)).toString('latin1').trim();
}

const newestVersion = 10;

async function readVersion(file: CheckpointFile, directory: ZipDirectory): Promise<number> {
  const text = (await readNote(file, directory, 'version')) ?? (await readNote(file, directory, '.data/version'));
  const version = /^\d{1,3}$/.test(text ?? '') ? Number(text) : 0;
  if (version < 1 || version > newestVersion) {
    throw formatError(
      `Expected a format version from 1 to ${newestVersion} but found ${JSON.stringify(text ?? 'none')}`,
    );
  }
  return version;
}

async function readByteorder(file: CheckpointFile, directory: ZipDirectory): Promise<'little' | 'big'> {
  // PyTorch before 2.1 did not say; nearly all of its machines were little-endian.
  const text = (await readNote(file, directory, 'byteorder')) ?? 'little';
  if (text !== 'little' && text !== 'big')
    throw formatError(`Expected little or big as byteorder but found ${JSON.stringify(text)}`);
  return text;
}
