// Replays a journal: a state machine from a snapshot, then every record after it.
import { LearnError, messageOf } from '../../core/errors';
import type { ContextMaker, LearnerContext } from '../context';
import { StateMachine } from '../state-machine';
import { type JournalPosition, type JournalRecord, journalFiles } from '../storage/journal-format';
import { isShortage } from '../storage/lock';
import { type QuarantinedSample, quarantinedIn } from '../storage/quarantine';
import { decode, isUntried } from '../storage/records';
import type { LoadedSnapshot } from '../storage/snapshot';
import { withSettings } from './change-settings';
import { repairAdvice } from './survey';

/** A record of the journal that cannot be applied. */
export class UnappliableRecord extends LearnError {
  readonly record: JournalRecord;
  /** The position before it. */
  readonly before: JournalPosition;
  readonly reason: string;

  constructor(folder: string, record: JournalRecord, before: JournalPosition, cause: unknown) {
    const { sequence, path: file, offset } = record;
    const what = `Record ${sequence} of the journal, at byte ${offset} of ${file}, cannot be applied: ${messageOf(cause)}`;
    const shortage = isShortage(cause);
    const code = shortage && cause instanceof LearnError ? cause.code : 'ERR_JOURNAL';
    const lasting = shortage ? 'Nothing was changed. If that lasts: ' : '';
    super(code, `${what}. ${lasting}${repairAdvice(folder)} --from ${sequence}`, { cause });
    this.record = record;
    this.before = before;
    this.reason = `record ${sequence} cannot be applied: ${messageOf(cause)}`;
  }

  /**
   * Whether the record cannot have been applied, and so cannot have been acknowledged: only the record and the state before it are
   * at fault, and it is the last. A snapshot or a file of the journal after it proves the contrary, except for settings that an
   * earlier version recorded before it tried them.
   */
  wasNeverApplied(folder: string, last: JournalPosition, newest: number): boolean {
    const { cause, record } = this;
    const followsFromState = cause instanceof LearnError && stateCodes.has(cause.code) && !isShortage(cause);
    if (!followsFromState || record.sequence !== last.sequence) return false;
    const isFollowed = record.sequence <= newest || journalFiles(folder).some(({ first }) => first > record.sequence);
    return !isFollowed || isUntried(record);
  }
}

/**
 * Codes of errors that equal records cause on equal states, on every machine. Not ERR_TORCH: libraries below libtorch report a
 * shortage in their own words.
 */
const stateCodes: ReadonlySet<string> = new Set([
  'ERR_INVALID_OPTION',
  'ERR_SHAPE',
  'ERR_STATE_FORMAT',
  'ERR_STATE_MISMATCH',
]);

export interface Replayed {
  /** Another one than before if the settings changed. */
  machine: StateMachine;
  end: JournalPosition;
}

/** Applies records to `machine`, which is disposed if that fails. Throws UnappliableRecord. */
export async function replay(
  folder: string,
  machine: StateMachine,
  records: AsyncIterable<JournalRecord>,
  { sequence, chain }: JournalPosition,
  contextFor: ContextMaker,
  onQuarantined: (sequence: number, samples: readonly QuarantinedSample[]) => Promise<void>,
): Promise<Replayed> {
  let current = machine;
  let end = { sequence, chain };
  const apply = async (entry: JournalRecord) => {
    const record = decode(entry);
    if (record.kind === 'settings') {
      const next = await withSettings(folder, current, record, contextFor);
      current.dispose();
      current = next;
      return;
    }
    const outcome = await current.apply(record, entry.sequence);
    if (record.kind === 'batch' && record.fresh) {
      await onQuarantined(entry.sequence, quarantinedIn(record, outcome!.refused, current.context.sample));
    }
  };
  try {
    for await (const entry of records) {
      await apply(entry).catch((cause) => {
        throw new UnappliableRecord(folder, entry, end, cause);
      });
      end = { sequence: entry.sequence, chain: entry.chain };
    }
    return { machine: current, end };
  } catch (cause) {
    current.dispose();
    throw cause;
  }
}

/** A state machine as the snapshot has it. `measure`: on the held-out samples, if nothing was learned yet. */
export async function machineFrom(
  snapshot: LoadedSnapshot,
  context: LearnerContext,
  { measure }: { measure: boolean } = { measure: true },
): Promise<StateMachine> {
  const { core: saved, ids, state, isBeginning } = snapshot;
  const info = saved.versions.find(({ version }) => version === saved.serving)!;
  const served = await context.files.load(info);
  const start = snapshot.startOf(context.model, context.groups);
  const machine = await StateMachine.start(context, state, start, structuredClone(saved), ids, served);
  if (!isBeginning || !measure) return machine;
  try {
    const { heldOut } = context.settings;
    if (heldOut !== (context.gate?.sha256 ?? '')) {
      throw new LearnError('ERR_JOURNAL', 'It began with other held-out samples');
    }
    await machine.measureServed();
    return machine;
  } catch (cause) {
    machine.dispose();
    throw cause;
  }
}
