// Resumes the learner of a folder from a snapshot and the journal after it. Rules:
//
// 1. The whole journal is read before a part of it is used. Damage rejects and changes nothing.
// 2. Only a torn end, or a last record that was never applied, is removed, and only after the rest has been replayed.
// 3. New settings are tried before they are recorded.
// 4. Unusable snapshots are copied aside before a new snapshot takes their place.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { LearnError, messageOf } from '../../core/errors';
import { printable } from '../../core/printable';
import { syncFolder } from '../../files/atomic-write';
import type { Model } from '../../program/module';
import type { ContextMaker } from '../context';
import { Engine } from '../engine';
import { changedOptions, type Settings } from '../settings';
import type { StateMachine } from '../state-machine';
import { appendRecord, Journal } from '../storage/journal-writer';
import { copyAside } from '../storage/lock';
import { Quarantine } from '../storage/quarantine';
import type { SettingsRecord } from '../storage/records';
import { removeLastRecord, removeTornEnd } from '../storage/torn-end';
import type { LearnerFolder } from '../wiring';
import { settingsRecord, withSettings } from './change-settings';
import type { Base, UnusableSnapshot } from './find-base';
import { type Replayed, replay, UnappliableRecord } from './replay';
import { orDispose, started } from './start';
import { recordsAfter, soundSurvey } from './survey';

interface ResumeOptions {
  /** undefined: the recorded one. */
  model: Model | undefined;
  /** The settings of the learner from now on. */
  settingsAfter(recorded: Settings): Settings;
  contextFor: ContextMaker;
}

/** undefined: a last record was removed that was never acknowledged, and opening starts again without it. */
export async function resume(
  folder: LearnerFolder,
  base: Base<StateMachine>,
  { model, settingsAfter, contextFor }: ResumeOptions,
): Promise<Engine | undefined> {
  const { path: dir, lock, files, sync } = folder;
  const { snapshot, unusable } = base;
  const {
    end: last,
    damage,
    settings,
    quarantine,
  } = await orDispose(base.used, async () => {
    const { settings: recorded, ...survey } = await soundSurvey(dir, base);
    return { ...survey, settings: settingsAfter(recorded), quarantine: await Quarantine.open(dir, sync) };
  });
  const records = recordsAfter(dir, snapshot, base.newest);
  let replayed: Replayed;
  try {
    replayed = await replay(dir, base.used, records, snapshot, contextFor, quarantine.add.bind(quarantine));
  } catch (cause) {
    const isTorn = cause instanceof UnappliableRecord && cause.wasNeverApplied(dir, last, base.newest) && !damage;
    if (!isTorn) throw cause;
    await setAside(dir, unusable);
    await removeUnusable(dir, unusable);
    await removeLastRecord(dir, cause.record);
    return undefined;
  }
  let { machine, end } = replayed;
  const { divergedAt } = machine;
  return orDispose(
    () => machine,
    async () => {
      const change = await settingsRecord(dir, machine, settings, model ?? machine.context.model);
      const changed = change && (await tried(dir, machine, change, contextFor));
      if (damage) await removeTornEnd(damage);
      if (changed) {
        machine.dispose();
        machine = changed;
        end = await appendRecord(dir, end, change, lock);
      }
      quarantine.forgetAfter(end.sequence);
      const journal = await Journal.open(dir, end, sync, lock);
      const learner = snapshot.learner ?? randomUUID();
      const snapshotBytes = snapshot.isBeginning ? 0 : (await fs.stat(snapshot.path)).size;
      const engine = new Engine(machine, folder, { journal, quarantine, learner, snapshotBytes });
      return started(engine, async () => {
        if (divergedAt !== undefined) warnOfOtherBits(dir, divergedAt);
        if (changed || snapshot.isBeginning || unusable.length > 0 || divergedAt !== undefined) {
          await setAside(dir, unusable);
          // The new one may have the name of one of them.
          const superseded = unusable.filter(({ sequence }) => sequence !== end.sequence);
          await engine.writeSnapshot(() => removeUnusable(dir, superseded));
        }
        await files.restoreManifests(machine.counts.versions);
        await engine.judgeIfDue();
      });
    },
  );
}

/** Copies unusable snapshots to a folder for people to look at, and warns. The originals stay until there is a new snapshot. */
async function setAside(folder: string, unusable: readonly UnusableSnapshot[]): Promise<void> {
  if (unusable.length === 0) return;
  const lost = await copyAside(
    folder,
    unusable.map((snapshot) => path.basename(snapshot.path)),
  );
  const what = unusable.map((snapshot) => `${path.basename(snapshot.path)}: ${snapshot.reason}`).join('; ');
  process.emitWarning(
    `The learner in ${folder} was opened from an older snapshot and a longer journal, and nothing is lost; moved to ${lost}, since ` +
      `they cannot be used: ${printable(what)}`,
    { type: 'LearnWarning', code: 'WARN_SNAPSHOT_UNUSABLE' },
  );
}

async function removeUnusable(folder: string, snapshots: readonly UnusableSnapshot[]): Promise<void> {
  for (const { path: file } of snapshots) await fs.rm(file, { force: true });
  if (snapshots.length > 0) await syncFolder(folder);
}

/** A state machine with the new settings. Rejects, naming the new options, before anything is recorded. */
async function tried(
  folder: string,
  machine: StateMachine,
  change: SettingsRecord,
  contextFor: ContextMaker,
): Promise<StateMachine> {
  try {
    return await withSettings(folder, machine, change, contextFor);
  } catch (cause) {
    if (!(cause instanceof LearnError)) throw cause;
    const names = [...changedOptions(machine.context.settings, change.settings), ...(change.model ? ['model'] : [])];
    throw new LearnError(
      cause.code,
      `The learner cannot be opened with another ${names.map((name) => `"${name}"`).join(', ')}: ${messageOf(cause)}. Nothing was ` +
        'changed: without that it opens as before',
      { cause },
    );
  }
}

function warnOfOtherBits(folder: string, sequence: number): void {
  process.emitWarning(
    `The journal of the learner in ${folder} was written on another kind of processor, or with another build: from record ` +
      `${sequence} on the same samples led to weights with other bits here. All of them are learned; a new snapshot was taken`,
    { type: 'LearnWarning', code: 'WARN_OTHER_BITS' },
  );
}
