// Reads checkpoints in torch.save's zip format: unpickles data.pkl and locates the storages.
//
//   weights/data.pkl          the pickle, which refers to storages by key
//   weights/byteorder         "little" or "big"; missing before PyTorch 2.1
//   weights/data/0, data/1 …  the bytes of each storage, at offsets divisible by 64
//   weights/version           "3"
//   weights/.data/…           notes of newer versions, of which only .data/version is read
//
// zip-directory.ts has the rules by which records are found; torchscript.ts reads archives that hold a program too.
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { formatError } from '../errors';
import { unlessInjected } from '../injected';
import {
  leastUnpackedBytes,
  maxDeflateRatio,
  maxNoteBytes,
  maxPickleBytes,
  maxScriptBytes,
  maxUnpackedBytes,
  maxUnpackedRatio,
} from '../limits';
import { unpickle } from '../pickle/unpickle';
import { type PickleReference, PickleTuple } from '../pickle/values';
import type { PickleContainer, StoragePlace, StorageTable } from '../storages';
import { checkIsCheckpoint } from './detect';
import type { CheckpointFile } from './file';
import { asPickledModule, isTorchScript } from './torchscript';
import { locate, readZipDirectory, type ZipDirectory, type ZipRecord } from './zip-directory';

export async function readZip(file: CheckpointFile, signal: AbortSignal | undefined): Promise<PickleContainer> {
  const directory = await readZipDirectory(file, signal);
  checkIsCheckpoint(directory);
  const version = await readVersion(file, directory);
  const byteorder = await readByteorder(file, directory);
  const record = directory.records.get('data.pkl')!;
  const pickle = await unpickle(await readRecord(file, directory, record, maxPickleBytes), {
    place: 'data.pkl',
    signal,
  });
  pickle.references.forEach(checkReference);
  if (isTorchScript(directory))
    await asPickledModule(pickle, directory, (code) => readRecord(file, directory, code, maxScriptBytes));
  return {
    facts: { kind: 'zip', archive: directory.archive, version, byteorder },
    pickle,
    storages: storagesIn(file, directory, byteorder === 'big'),
  };
}

function storagesIn(file: CheckpointFile, directory: ZipDirectory, bigEndian: boolean): StorageTable {
  const most = Math.max(leastUnpackedBytes, file.size * maxUnpackedRatio);
  let unpacked = 0;
  return {
    get(key) {
      const record = directory.records.get(`data/${key}`);
      if (!record) return undefined;
      const place = async (): Promise<StoragePlace> => {
        const offset = await locate(file, record, directory.isUnchecked);
        if (record.isDeflated) unpacked += record.bytes;
        if (unpacked > most)
          throw formatError(
            `its compressed tensors are larger than ${most} bytes; unpack the file and zip it with: zip -0 -r`,
          );
        // torch.serialization.skip_data() leaves space for storages that are filled later, and sets their checksums to 0.
        const isUnchecked = directory.isUnchecked || (record.crc32 === 0 && !record.isDeflated);
        const where = { offset, bytes: record.bytes, bigEndian, crc32: isUnchecked ? -1 : record.crc32 };
        return record.isDeflated
          ? { ...where, unpacked: await unpack(file, directory, record, maxUnpackedBytes) }
          : where;
      };
      return { path: record.path, bytes: record.bytes, place };
    },
  };
}

/** Reads a record of at most `maxBytes`, unpacks it if it is deflated, and checks its checksum. */
export async function readRecord(
  file: CheckpointFile,
  directory: ZipDirectory,
  record: ZipRecord,
  maxBytes: number,
): Promise<Buffer> {
  checkSize(record, maxBytes);
  const bytes = record.isDeflated
    ? await unpack(file, directory, record, maxBytes)
    : await file.read(await locate(file, record, directory.isUnchecked), record.bytes);
  if (!directory.isUnchecked && crc32(bytes) !== record.crc32) {
    const cause = formatError(`the checksum of ${record.path} is wrong: the file is damaged. Fetch or save it again`);
    // PyTorch ignores checksums.
    throw await unlessInjected(cause, bytes, record.path);
  }
  return bytes;
}

function checkSize(record: ZipRecord, maxBytes: number): void {
  if (record.bytes > maxBytes)
    throw formatError(`record ${record.path} of ${record.bytes} bytes is larger than ${maxBytes}`);
}

const inflate = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw);

/** Unpacks a record that a zip tool has compressed. torch.save never compresses. */
async function unpack(
  file: CheckpointFile,
  directory: ZipDirectory,
  record: ZipRecord,
  maxBytes: number,
): Promise<Buffer> {
  checkSize(record, maxBytes);
  if (record.bytes > record.stored * maxDeflateRatio)
    throw formatError(
      `record ${record.path} cannot have ${record.bytes} bytes: ${record.stored} compressed ones hold fewer`,
    );
  const packed = await file.read(await locate(file, record, directory.isUnchecked), record.stored);
  // One byte more than recorded, so that a longer record is detected. zlib does not accept a maximum of 0.
  const bytes = await inflate(packed, { maxOutputLength: record.bytes + 1 }).catch(() => undefined);
  if (bytes?.length !== record.bytes)
    throw formatError(`record ${record.path} does not unpack to the ${record.bytes} bytes that the directory says`);
  return bytes;
}

async function readNote(file: CheckpointFile, directory: ZipDirectory, name: string): Promise<string | undefined> {
  const record = directory.records.get(name);
  return record && (await readRecord(file, directory, record, maxNoteBytes)).toString('latin1');
}

const newestVersion = 10;

async function readVersion(file: CheckpointFile, directory: ZipDirectory): Promise<number> {
  const outer = await readNote(file, directory, 'version');
  const inner = await readNote(file, directory, '.data/version');
  if (outer !== undefined && inner !== undefined && outer.trim() !== inner.trim())
    throw formatError(`its records version and .data/version disagree: ${JSON.stringify([outer, inner])}`);
  const text = (outer ?? inner)?.trim();
  const version = /^\d{1,3}$/.test(text ?? '') ? Number(text) : 0;
  if (version < 1 || version > newestVersion) {
    throw formatError(
      `Expected a format version from 1 to ${newestVersion} but found ${JSON.stringify(text ?? 'none')}`,
    );
  }
  return version;
}

async function readByteorder(file: CheckpointFile, directory: ZipDirectory): Promise<'little' | 'big'> {
  // PyTorch before 2.1 did not record it; nearly all machines that it ran on were little-endian.
  const text = (await readNote(file, directory, 'byteorder')) ?? 'little';
  if (text !== 'little' && text !== 'big')
    throw formatError(`Expected little or big as byteorder but found ${JSON.stringify(text)}`);
  return text;
}

/** Checks the tag of a reference. Python checks every one, also in objects that are not made here. tensors.ts checks the rest. */
function checkReference({ id }: PickleReference): void {
  const tag = id instanceof PickleTuple ? id.items[0] : undefined;
  if (typeof tag !== 'string' || tag === 'storage') return;
  throw formatError(`Expected a storage but found a reference to ${JSON.stringify(tag)}`);
}
