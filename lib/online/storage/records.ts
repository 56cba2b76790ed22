// Records of the journal: everything that a learner's state follows from. Verdicts of the gate, though they follow from the state,
// are recorded too, so that a replay does not need the held-out samples of that time.
//
// A batch is binary and describes itself: the length of a JSON text, that text, and the values of targets and inputs. `parts` has the
// type and the number of values a sample, of the targets first and then of each input, in the order of the model's. Two samples with
// a class, of three bytes and one int64 each:
//
//     50 00 00 00                                          80, length of the text
//     {"rules":2,"count":2,"fresh":true,"parts":[["int32",1],["uint8",3],["int64",1]]}
//     01 00 00 00  00 00 00 00                             classes 1 and 0
//     05 07 ff  00 01 02                                   the first input of both samples
//     2a 00 00 00 00 00 00 00  ff ff ff ff ff ff ff ff     the second: 42 and -1
import { plain } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { bytesOf, type TargetValues, typeOf, type Values, type ValueType, valueArrays } from '../../core/sample-values';
import type { Score } from '../../metrics/prequential';
import type { ReasonCode } from '../reasons';
import type { Settings } from '../settings';
import type { Baseline, Verdict } from '../versions/version';
import type { JournalRecord } from './journal-format';
import { recordedSettings } from './recorded-settings';

/**
 * The rules that new records are computed by. A record keeps the number that it was written with, and is always applied by those
 * rules: a later version computes differently only under a new number.
 */
export const currentRules = 2;

/** New samples of one update. */
export interface BatchRecord {
  kind: 'batch';
  /** Number of the rules by which it is applied, from 1. */
  rules: number;
  /** null: a sample without an id. */
  ids: (string | null)[];
  /** One array for each input of a sample: [sample, …] row by row. */
  inputs: readonly Values[];
  /** [sample, …] row by row; of indices of classes as int32. */
  targets: TargetValues;
  /** Scores of earlier predictions, by the weights that served then; null: the weights that score predict the sample. */
  scores: (Score | null)[];
  /** Whether the samples are new: part of the prequential metrics and of the replay buffer. */
  fresh: boolean;
}

/** Samples that were not learned, with the reason; the samples themselves are in the quarantine file. */
export interface QuarantineRecord {
  kind: 'quarantine';
  ids: (string | null)[];
  reason: string;
  /** Missing in records that earlier versions wrote. */
  code?: ReasonCode;
  /** Whether other samples with these ids may still be learned. Missing: they may not. */
  isFree?: boolean;
}

export interface VerdictRecord extends Verdict {
  kind: 'verdict';
}

export interface RollbackRecord {
  kind: 'rollback';
  version: number;
}

/** Samples that were neither learned nor quarantined, since the last such record. */
export interface AccountRecord {
  kind: 'account';
  duplicates: number;
  dropped: number;
}

export type LearnerRecord = BatchRecord | QuarantineRecord | VerdictRecord | RollbackRecord | AccountRecord;

/** The settings of a learner from here on. */
export interface SettingsRecord {
  kind: 'settings';
  settings: Settings;
  /** The text of recordModel(), if the model changes here. */
  model?: string;
  /** The score of the version that serves, on the held-out samples of these settings. */
  best: Baseline;
}

/**
 * By their numbers in the journal, the last of which is written. 1: a batch with one input and classes, of earlier versions; 6:
 * settings with the optimizer's options among them, of earlier versions; 7: settings with `optimizer` and `loss`; 8: any batch.
 */
const kinds = [
  undefined,
  'batch',
  'quarantine',
  'verdict',
  'rollback',
  'account',
  'settings',
  'settings',
  'batch',
] as const;
const oldBatch = 1;

/** Encodes a record as the number of its kind and its payload in parts. */
export function encode(record: LearnerRecord | SettingsRecord): { kind: number; parts: Uint8Array[] } {
  const kind = kinds.lastIndexOf(record.kind);
  if (record.kind !== 'batch') {
    return { kind, parts: [Buffer.from(JSON.stringify({ rules: currentRules, ...record }))] };
  }
  const { rules, inputs, targets, ids, scores, fresh } = record;
  const parts = [targets, ...inputs];
  const count = ids.length;
  const header = Buffer.from(
    JSON.stringify({
      ...{ rules, count, fresh, parts: parts.map((values) => [typeOf(values), values.length / count]) },
      ...(ids.some((id) => id !== null) && { ids }),
      ...(scores.some((score) => score !== null) && { scores }),
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return { kind, parts: [length, header, ...parts.map(bytesOf)] };
}

/** Throws if this version does not know the record, though its checksums are correct: another program wrote it. */
export function decode({ sequence, kind: number, payload }: JournalRecord): LearnerRecord | SettingsRecord {
  const problem = (what: string) =>
    new LearnError('ERR_JOURNAL', `record ${sequence} ${what} that this version does not know`);
  const kind = kinds[number];
  if (kind === undefined) throw problem(`is of a kind, ${number},`);
  let record: LearnerRecord | SettingsRecord | undefined;
  try {
    if (kind !== 'batch') record = decodeText(payload);
    else record = number === oldBatch ? decodeOldBatch(payload) : decodeBatch(payload);
  } catch {
    // Reported below, like a record of another kind.
  }
  if (record?.kind !== kind) throw problem('has a form');
  return record;
}

function decodeText(payload: Buffer): LearnerRecord | SettingsRecord | undefined {
  const { rules = 1, ...record } = JSON.parse(payload.toString('utf8'));
  if (!isKnown(rules)) return undefined;
  return record.kind === 'settings' ? { ...record, settings: recordedSettings(record.settings) } : record;
}

function isKnown(rules: unknown): boolean {
  return Number.isInteger(rules) && (rules as number) >= 1 && (rules as number) <= currentRules;
}

interface BatchHeader extends Pick<BatchRecord, 'rules' | 'fresh'> {
  count: number;
  parts: [ValueType, number][];
  ids?: BatchRecord['ids'];
  scores?: BatchRecord['scores'];
}

function decodeBatch(payload: Buffer): BatchRecord | undefined {
  const end = 4 + payload.readUInt32LE(0);
  const header = plain<BatchHeader>(JSON.parse(payload.subarray(4, end).toString('utf8')));
  const { rules, count, fresh, parts } = header;
  const isPart = ([type, values]: [ValueType, number]) =>
    Object.hasOwn(valueArrays, type) && Number.isSafeInteger(values) && values > 0;
  if (!isKnown(rules) || !(Number.isSafeInteger(count) && count > 0) || !parts.every(isPart)) return undefined;
  const sizes = parts.map(([type, values]) => count * values * valueArrays[type].BYTES_PER_ELEMENT);
  const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((sum, size) => sum + size, end));
  if (payload.length !== ends.at(-1)) return undefined;
  const [targets, ...inputs] = parts.map(([type], i) => valuesIn(payload.subarray(ends[i - 1] ?? end, ends[i]), type));
  const isTarget = targets instanceof Int32Array || targets instanceof Float32Array;
  if (!isTarget || inputs.length === 0 || typeof fresh !== 'boolean') return undefined;
  const none = Array.from({ length: count }, () => null);
  const { ids = none, scores = none } = header;
  if (ids.length !== count || scores.length !== count) return undefined;
  return { kind: 'batch', rules, ids, inputs, targets, scores, fresh };
}

/** A copy, since typed arrays need aligned memory. */
function valuesIn(bytes: Uint8Array, type: ValueType): Values {
  return new valueArrays[type](Uint8Array.from(bytes).buffer);
}

function decodeOldBatch(payload: Buffer): BatchRecord | undefined {
  const end = 4 + payload.readUInt32LE(0);
  const { rules = 1, type, labels, fresh, ids, scores } = JSON.parse(payload.subarray(4, end).toString('utf8'));
  const input = valuesIn(payload.subarray(end), type);
  const none = labels.map(() => null);
  const batch = { ids: ids ?? none, targets: Int32Array.from(labels), scores: scores ?? none };
  const isWhole = labels.length > 0 && input.length % labels.length === 0;
  const isAligned = batch.ids.length === labels.length && batch.scores.length === labels.length;
  return isKnown(rules) && isWhole && isAligned
    ? { kind: 'batch', rules, ...batch, inputs: [input], fresh }
    : undefined;
}

/** Whether a record has settings that were recorded before they were tried, as earlier versions did. */
export function isUntried({ kind, payload }: Pick<JournalRecord, 'kind' | 'payload'>): boolean {
  return kinds[kind] === 'settings' && !Object.hasOwn(JSON.parse(payload.toString('utf8')), 'rules');
}
