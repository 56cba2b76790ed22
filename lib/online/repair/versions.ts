// Versions whose files are missing or damaged: finds them, restores them, and lets a learner resume without those that are lost.
import path from 'node:path';
import { naming } from '../../checkpoint/errors';
import type { Value } from '../../checkpoint/values';
import { writeCheckpoint } from '../../checkpoint/write';
import { messageOf } from '../../core/errors';
import { loadPart } from '../../state/load';
import { type State, sharedState, stateHandle, treeOf } from '../../state/state';
import type { LearnerContext } from '../context';
import { findBase } from '../recovery/find-base';
import type { LearnerState } from '../storage/learner-state';
import { isShortage } from '../storage/lock';
import type { LoadedSnapshot } from '../storage/snapshot';
import { digestOf, type VersionFiles } from '../versions/files';
import { findVersion, type VersionInfo } from '../versions/version';
import { fileSize } from './find-records';
import type { VersionDamage } from './report';

/** Examines the files of versions. `serving`: the number of the one that serves. */
export async function examineVersions(
  versions: readonly VersionInfo[],
  serving: number,
  files: VersionFiles,
  source: LearnerContext['files'],
): Promise<VersionDamage[]> {
  const found: VersionDamage[] = [];
  for (const info of versions) {
    const { version } = info;
    const note = async (type: 'pth' | 'json', cause: unknown, fate: VersionDamage['fate']) => {
      const file = path.basename(files.path(version, type));
      const bytes = await fileSize(files.path(version, type));
      found.push({ version, file, reason: messageOf(cause), bytes, serves: version === serving, fate });
    };
    const damage = await reasonOf(files.load(info));
    if (damage) await note('pth', damage, (await reasonOf(source.load(info))) ? 'lost' : 'remade');
    const manifest = await files.info(version).then(
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
    if (isShortage(cause)) throw cause;
    return cause;
  }
}

/** Stands in for a lost version that serves, under its number, so that later records keep their meaning. */
export interface Substitute {
  version: number;
  state: State;
  /** Loads it in place of the version. */
  source: LearnerContext['files'];
}

/**
 * Undefined if the version that serves can be loaded or reproduced. Otherwise the newest version that can be loaded, or else the
 * weights of the newest readable snapshot.
 */
export async function substituteFor(
  folder: string,
  files: VersionFiles,
  source: LearnerContext['files'],
): Promise<Substitute | undefined> {
  const base = await findBase(folder, async () => async () => ({}));
  if (!base) return undefined;
  const { state: weights, core } = base.snapshot;
  try {
    const { sha256, version } = findVersion(core.versions, core.serving);
    if (!(await reasonOf(source.load(findVersion(core.versions, version))))) return undefined;
    const state = (await newestOther(core, files)) ?? served(weights);
    const load: typeof source.load = (info) =>
      info.sha256 === sha256 ? Promise.resolve(sharedState(state)) : source.load(info);
    return { version, state, source: { ...source, load } };
  } finally {
    weights.dispose();
  }
}

/** The weights of a snapshot that would serve: those of the average, where there is one. */
function served(weights: State): State {
  const average = weights.metadata.get('average');
  const tensors = average instanceof Map && Number(average.get('n_averaged')?.data[0]) > 0 ? average : new Map();
  const averaged = weights.names.flatMap((name) => {
    const tensor = tensors.get(`module.${name}`);
    return tensor ? [[name, { dtype: tensor.dtype, shape: tensor.shape, data: tensor.data }] as const] : [];
  });
  return averaged.length > 0 ? weights.with(Object.fromEntries(averaged)) : sharedState(weights);
}

async function newestOther({ versions, serving }: LearnerState, files: VersionFiles): Promise<State | undefined> {
  for (const info of versions.toReversed()) {
    const state = info.version === serving ? undefined : await files.load(info).catch(() => undefined);
    if (state) return state;
  }
  return undefined;
}

/** Writes versions again that can be reproduced, and removes the others from the snapshot that the learner resumes from. */
export async function mendVersions(
  { path: snapshot, settings }: LoadedSnapshot,
  versions: readonly VersionInfo[],
  files: VersionFiles,
  source: LearnerContext['files'],
  damage: readonly VersionDamage[],
  substitute: Substitute | undefined,
): Promise<void> {
  const lost = new Set(damage.filter(({ fate }) => fate === 'lost').map(({ version }) => version));
  if (lost.size > 0) await removeVersions(snapshot, files, lost, substitute);
  const isDamaged = new Set(damage.map(({ version }) => version));
  for (const info of versions) {
    if (lost.has(info.version) || !isDamaged.has(info.version)) continue;
    using state = await source.load(info);
    await files.save(state, info, { settings });
  }
}

async function removeVersions(
  file: string,
  files: VersionFiles,
  lost: ReadonlySet<number>,
  substitute: Substitute | undefined,
): Promise<void> {
  using state = await loadPart(file, { key: ['model'] });
  const root = new Map(treeOf(state).root as Map<Value, Value>);
  const saved = await naming(file, async () => JSON.parse(String(root.get('learner'))));
  const core = saved.core as LearnerState;
  core.newest = Math.max(core.newest ?? 0, ...core.versions.map(({ version }) => version));
  if (substitute && lost.has(substitute.version)) {
    const info = findVersion(core.versions, substitute.version);
    const sha256 = await digestOf(stateHandle(substitute.state));
    Object.assign(info, { sha256, accuracy: null, perClass: [] });
    await files.save(substitute.state, info, {}, treeOf(substitute.state).part);
  }
  core.versions = core.versions.filter(({ version }) => version === substitute?.version || !lost.has(version));
  root.set('learner', JSON.stringify(saved));
  await writeCheckpoint(root, file, { links: 'replace' });
}
