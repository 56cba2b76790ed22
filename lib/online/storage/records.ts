// Records of the journal: everything that a learner's state follows from. Verdicts of the gate, though they follow from the state,
// are recorded too, so that a replay does not need the held-out samples of that time.
import { LearnError } from '../../core/errors';
import { bytesOf, typeOf, type Values, type ValueType, valueArrays } from '../../core/sample-values';
import type { Score } from '../../metrics/prequential';
import type { Settings } from '../options';
import type { ReasonCode } from '../reasons';
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
  labels: Int32Array;
  inputs: Values;
  /** Scores of earlier predictions, by the version that served then; null: the version that serves now predicts the sample. */
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
  /** The text of modelText(), if the model changes here. */
  model?: string;
  /** The score of the version that serves, on the held-out samples of these settings. */
  best: Baseline;
}

/**
 * By their numbers in the journal, the last of which is written. 6: settings with the optimizer's options among them, of earlier
 * versions; 7: settings with `optimizer` and `loss`.
 */
const kinds = [undefined, 'batch', 'quarantine', 'verdict', 'rollback', 'account', 'settings', 'settings'] as const;

/** Encodes a record as the number of its kind and its payload in parts. */
export function encode(record: LearnerRecord | SettingsRecord): { kind: number; parts: Uint8Array[] } {
  const kind = kinds.lastIndexOf(record.kind);
  if (record.kind !== 'batch') {
    return { kind, parts: [Buffer.from(JSON.stringify({ rules: currentRules, ...record }))] };
  }
  const { rules, inputs, labels, ids, scores, fresh } = record;
  const header = Buffer.from(
    JSON.stringify({
      ...{ rules, type: typeOf(inputs), labels: [...labels], fresh },
      ...(ids.some((id) => id !== null) && { ids }),
      ...(scores.some((score) => score !== null) && { scores }),
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return { kind, parts: [length, header, bytesOf(inputs)] };
}

/** Throws if this version does not know the record, though its checksums are correct: another program wrote it. */
export function decode({ sequence, kind: number, payload }: JournalRecord): LearnerRecord | SettingsRecord {
  const problem = (what: string) =>
    new LearnError('ERR_JOURNAL', `record ${sequence} ${what} that this version does not know`);
  const kind = kinds[number];
  if (kind === undefined) throw problem(`is of a kind, ${number},`);
  let record: LearnerRecord | SettingsRecord | undefined;
  try {
    record = kind === 'batch' ? decodeBatch(payload) : decodeText(payload);
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

function decodeBatch(payload: Buffer): BatchRecord | undefined {
  const end = 4 + payload.readUInt32LE(0);
  const { rules = 1, type, labels, fresh, ids, scores } = JSON.parse(payload.subarray(4, end).toString('utf8'));
  // A copy, since typed arrays of four-byte numbers need aligned memory.
  const bytes = Uint8Array.from(payload.subarray(end));
  const inputs = new valueArrays[type as ValueType](bytes.buffer);
  const none = labels.map(() => null);
  const batch = { ids: ids ?? none, labels: Int32Array.from(labels), scores: scores ?? none };
  const isWhole = labels.length > 0 && inputs.length % labels.length === 0;
  const isAligned = batch.ids.length === labels.length && batch.scores.length === labels.length;
  return isKnown(rules) && isWhole && isAligned ? { kind: 'batch', rules, ...batch, inputs, fresh } : undefined;
}

/** Whether a record has settings that were recorded before they were tried, as earlier versions did. */
export function isUntried({ kind, payload }: Pick<JournalRecord, 'kind' | 'payload'>): boolean {
  return kinds[kind] === 'settings' && !Object.hasOwn(JSON.parse(payload.toString('utf8')), 'rules');
}
