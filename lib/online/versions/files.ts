// Files of versions: states that may serve, each in a file that Python loads, with a manifest of its origin.
import { createHash, webcrypto } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Value } from '../../checkpoint/values';
import { writeCheckpoint } from '../../checkpoint/write';
import { invalid, plain } from '../../core/checks';
import { LearnError, messageOf } from '../../core/errors';
import { replaceFile } from '../../files/atomic-write';
import type { StateHandle } from '../../native/handles';
import { native } from '../../native/native';
import { loadState } from '../../state/load';
import { type State, stateHandle, treeOf } from '../../state/state';
import { warnOfLeft } from '../../state/warnings';
import type { Settings } from '../settings';
import type { VersionInfo } from './version';

/** The file beside a version. */
interface Manifest extends VersionInfo {
  /** The settings at that time; missing if the manifest had to be restored. */
  settings?: Settings;
  /** In version 0, the text of recordModel(). */
  model?: string;
}

const nameOf = (version: number) => `version-${String(version).padStart(9, '0')}`;

/** The versions in a learner's folder. */
export class VersionFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `root`: the contents of the file. Default: everything that the state's own file held. */
  async save(
    state: State,
    info: VersionInfo,
    facts: Record<string, unknown>,
    root: Value = treeOf(state).root,
  ): Promise<void> {
    await fs.mkdir(this.#folder, { recursive: true });
    const file = this.path(info.version, 'pth');
    const left = await writeCheckpoint(root, file, { links: 'replace' });
    warnOfLeft(file, left, "PyTorch's weights_only would refuse it");
    await this.writeManifest(info, facts);
  }

  /**
   * The versions that have manifests, oldest first, and the errors of those that cannot be read. Throws ERR_FILE if the folder holds
   * no learner.
   */
  async list(): Promise<{ versions: VersionInfo[]; unreadable: LearnError[] }> {
    const names = await fs.readdir(this.#folder).catch((cause: unknown) => {
      throw new LearnError('ERR_FILE', `${path.dirname(this.#folder)} holds no learner: ${messageOf(cause)}`, {
        cause,
      });
    });
    const numbers = names.flatMap((name) => /^version-(\d+)\.json$/.exec(name)?.slice(1) ?? []).map(Number);
    const described = await Promise.allSettled(numbers.sort((a, b) => a - b).map((version) => this.info(version)));
    return {
      versions: described.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
      unreadable: described.flatMap((one) => (one.status === 'rejected' ? [one.reason as LearnError] : [])),
    };
  }

  /** The description of a version. Throws ERR_INVALID_OPTION if it is not kept, ERR_FILE if its manifest is damaged. */
  async info(version: number): Promise<VersionInfo> {
    const { settings, model, ...info } = await this.manifest(version);
    return info;
  }

  /** The description with the settings at that time, unless the manifest had to be restored. */
  async manifest(version: number): Promise<Manifest> {
    const file = this.path(version, 'json');
    const text = await fs.readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') throw invalid('a version that is kept', 'version', version);
      throw new LearnError('ERR_FILE', `Cannot read ${file}: ${messageOf(cause)}`, { cause });
    });
    const manifest = manifestOf(text);
    if (manifest?.version === version) return manifest;
    throw new LearnError('ERR_FILE', `${file} is not the manifest of version ${version}: it is damaged`);
  }

  /** Writes the manifest of a version. */
  async writeManifest(info: VersionInfo, facts: Record<string, unknown>): Promise<void> {
    const text = `${JSON.stringify({ ...info, created: new Date(info.created).toISOString(), ...facts }, null, 2)}\n`;
    const write = (temporary: string, mode: number) => fs.writeFile(temporary, text, { mode, flush: true, flag: 'wx' });
    await replaceFile(this.path(info.version, 'json'), write, { links: 'replace' });
  }

  /** Restores manifests that are missing or damaged. */
  async restoreManifests(versions: readonly VersionInfo[]): Promise<void> {
    for (const info of versions) {
      const known = await this.info(info.version).catch(() => undefined);
      // Without the settings at that time, which are no longer known.
      if (!known) await this.writeManifest(info, {});
    }
  }

  async load({ version, sha256 }: VersionInfo): Promise<State> {
    const file = this.path(version, 'pth');
    const state = await loadState(file);
    if ((await digestOf(stateHandle(state))) === sha256) return state;
    state.dispose();
    throw new LearnError('ERR_STATE_FORMAT', `${file} does not hold version ${version}: its SHA-256 is not ${sha256}`);
  }

  /** Removes all other versions that are older than the newest of these. Still newer ones may have been made meanwhile. */
  async keep(versions: readonly number[]): Promise<void> {
    const newest = Math.max(...versions);
    for (const name of await fs.readdir(this.#folder)) {
      const version = Number(/^version-(\d+)\.(pth|json)$/.exec(name)?.[1] ?? Infinity);
      if (version < newest && !versions.includes(version)) await fs.rm(path.join(this.#folder, name));
    }
  }

  /** Path of a version's state, or of its manifest. */
  path(version: number, type: 'pth' | 'json'): string {
    return path.join(this.#folder, `${nameOf(version)}.${type}`);
  }
}

/** undefined: the text is not a manifest. */
function manifestOf(text: string): Manifest | undefined {
  try {
    const { created, ...info } = JSON.parse(text);
    const manifest = plain<Manifest>({ ...info, created: Date.parse(created) });
    const isWhole = typeof manifest.sha256 === 'string' && Number.isFinite(manifest.created);
    return isWhole && Array.isArray(manifest.perClass) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a state's tensors, computed off the JavaScript thread. */
export async function digestOf(handle: StateHandle): Promise<string> {
  const [infos] = native().stateInfo([handle]);
  const digests = await Promise.all(
    infos!.map(({ name, dtype, shape }, index) =>
      sha256([Buffer.from(JSON.stringify([name, dtype, shape])), Buffer.from(native().stateTensor(handle, index))]),
    ),
  );
  return createHash('sha256').update(digests.join()).digest('hex');
}

export async function sha256(parts: readonly Uint8Array[]): Promise<string> {
  const digest = await webcrypto.subtle.digest('SHA-256', Buffer.concat(parts));
  return Buffer.from(digest).toString('hex');
}
