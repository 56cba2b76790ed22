// The events that follow from a record of the journal.
import type { Notify } from './events';
import type { Outcome } from './outcome';
import type { Settings } from './settings';
import type { LearnerState } from './storage/learner-state';
import type { LearnerRecord } from './storage/records';
import type { VersionInfo } from './versions/version';

/** What followed from a record. */
interface Followed {
  /** Of a batch. */
  outcome: Outcome | undefined;
  counts: Readonly<LearnerState>;
  /** The version that serves now, or was made last. */
  serving: VersionInfo;
  settings: Settings;
}

/** Notifies of the events of a record, which was applied. */
export function announce(
  notify: Notify,
  record: LearnerRecord,
  { outcome, counts, serving, settings }: Followed,
): void {
  const { updates, drifts } = counts;
  switch (record.kind) {
    case 'batch':
      if (record.fresh && outcome!.refused.length > 0) {
        const reasons = outcome!.refused.map(({ index, code, message }) => ({ id: record.ids[index]!, code, message }));
        notify('quarantine', { reasons });
      }
      if (outcome!.drift) notify('drift', { drifts, updates, answer: settings.drift!.onDrift });
      return;
    case 'quarantine': {
      const { ids, code, reason: message } = record;
      notify('quarantine', { reasons: ids.map((id) => ({ id, code: code!, message })) });
      return;
    }
    case 'verdict': {
      const { accepted, reason, accuracy, perClass } = record;
      if (accepted) notify('version', structuredClone(serving));
      else notify('refused', { reason, updates, accuracy, perClass: [...perClass] });
      return;
    }
    case 'rollback':
      notify('version', structuredClone(serving));
      return;
    case 'account':
  }
}
