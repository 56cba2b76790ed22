// Versions whose files are missing or damaged: which they are, and the way on without them.
import fs from 'node:fs/promises';
import path from 'node:path';
import { naming } from '../checkpoint/errors';
import type { Value } from '../checkpoint/values';
import { writeCheckpoint } from '../checkpoint/write-checkpoint';
import { messageOf } from '../errors';
import { loadPart, type State, stateHandle, treeOf } from '../state';
import { baselineOf } from './gate';
import type { SavedCore, Setting } from './setting';
import type { LoadedSnapshot } from './snapshot';
import { digestOf, type VersionFiles, type VersionInfo } from './versions';

export interface VersionDamage {
  version: number;
  file: string;
  reason: string;
  bytes: number;
  /** Whether it is the one that serves. */
  serves: boolean;
  /**
   * `'remade'`: its very bits are made again, from the journal or, a manifest, from the snapshot. `'lost'`: it can no longer be rolled
   * back to; if it serves, the newest version that can be loaded serves in its place, or else the weights of the snapshot.
   */
  fate: 'remade' | 'lost';
}

/** Looks at the files of all versions that are kept. */
export async function examineVersions(
  { versions, serving }: SavedCore,
  files: VersionFiles,
  source: Setting['files'],
): Promise<VersionDamage[]> {
  const found: VersionDamage[] = [];
  for (const info of versions) {
    const { version } = info;
    const note = async (type: 'pth' | 'json', cause: unknown, fate: VersionDamage['fate']) => {
      const file = path.basename(files.path(version, type));
      const bytes = await fs.stat(files.path(version, type)).then(
        ({ size }) => size,
        () => 0,
      );
      found.push({ version, file, reason: messageOf(cause), bytes, serves: version === serving, fate });
    };
    const damage = await reasonOf(files.load(info));
    if (damage) await note('pth', damage, (await reasonOf(source.load(info))) ? 'lost' : 'remade');
    const manifest = await files.describe(version).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    if (manifest) await note('json', manifest, 'remade');
  }
  return found;
}

async function reasonOf(loading: Promise<State>): Promise<unknown> {
  try {
    (await loading).dispose();
    return undefined;
  } catch (cause) {
    return cause;
  }
}

/** Makes again those that can be, and takes the others out of the snapshot that the learner resumes from. */
export async function mendVersions(
  { path: snapshot, settings }: LoadedSnapshot,
  { versions }: SavedCore,
  files: VersionFiles,
  source: Setting['files'],
  damage: readonly VersionDamage[],
): Promise<void> {
  const isLost = new Set(damage.filter(({ fate }) => fate === 'lost').map(({ version }) => version));
  if (isLost.size > 0) await forgetVersions(snapshot, files, isLost);
  const kept = versions.filter(({ version }) => !isLost.has(version));
  const isDamaged = new Set(damage.map(({ version }) => version));
  for (const info of kept) if (isDamaged.has(info.version)) (await source.load(info)).dispose();
  await files.describeMissing(kept, { settings });
}

async function forgetVersions(file: string, files: VersionFiles, isLost: ReadonlySet<number>): Promise<void> {
  const state = await loadPart(file, { key: ['model'] });
  try {
    const root = new Map(treeOf(state).root as Map<Value, Value>);
    const saved = await naming(file, async () => JSON.parse(String(root.get('learner'))));
    const core = saved.core as SavedCore;
    const versions = core.versions.filter(({ version }) => !isLost.has(version));
    if (isLost.has(core.serving)) {
      if (versions.length === 0) versions.push(await newVersion(core, state, files, saved.settings));
      core.serving = versions.at(-1)!.version;
      core.best = baselineOf(versions.at(-1)!);
    }
    core.versions = versions;
    root.set('learner', JSON.stringify(saved));
    await writeCheckpoint(root, file, { links: 'replace' });
  } finally {
    state.dispose();
  }
}

/** The weights of the snapshot as a version. */
async function newVersion(core: SavedCore, state: State, files: VersionFiles, settings: unknown): Promise<VersionInfo> {
  const last = core.versions.at(-1)!;
  const info: VersionInfo = {
    ...{ version: last.version + 1, parent: core.serving, updates: core.updates, records: null },
    ...{ accuracy: null, perClass: [], sha256: await digestOf(stateHandle(state)), created: Date.now() },
  };
  await files.save(state, info, { settings }, treeOf(state).part);
  return info;
}
