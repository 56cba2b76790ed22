// Versions: states that may serve, each in a file that Python loads, with a manifest that says where it comes from.
import { createHash, webcrypto } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '../checkpoint/replace-file';
import { LearnError, messageOf } from '../errors';
import { native, type StateHandle } from '../native';
import { invalid } from '../options';
import { loadState, type State, saveState, stateHandle } from '../state';

export interface VersionInfo {
  /** From 0, which is what the learner began with. */
  version: number;
  /** The version that served when this one was made; null for version 0. */
  parent: number | null;
  /** Updates that led to it. */
  updates: number;
  /** The journal's records that lie between the parent and this version; null for version 0. */
  records: { from: number; to: number } | null;
  /** On the held-out samples; null where there are none. */
  accuracy: number | null;
  perClass: (number | null)[];
  /** Of the state: names, types, shapes and values, in file order. */
  sha256: string;
  /** Milliseconds since 1970. */
  created: number;
}

const nameOf = (version: number) => `version-${String(version).padStart(9, '0')}`;

/** The versions in a learner's folder. */
export class VersionFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async save(state: State, info: VersionInfo, facts: Record<string, unknown>): Promise<void> {
    await fs.mkdir(this.#folder, { recursive: true });
    await saveState(state, this.#path(info.version, 'pth'));
    const text = `${JSON.stringify({ ...info, created: new Date(info.created).toISOString(), ...facts }, null, 2)}\n`;
    await replaceFile(this.#path(info.version, 'json'), (temporary, mode) =>
      fs.writeFile(temporary, text, { mode, flush: true, flag: 'wx' }),
    );
  }

  /** Those there are, oldest first. Throws ERR_FILE where the folder holds no learner. */
  async list(): Promise<VersionInfo[]> {
    const names = await fs.readdir(this.#folder).catch((cause: unknown) => {
      throw new LearnError('ERR_FILE', `${path.dirname(this.#folder)} holds no learner: ${messageOf(cause)}`, {
        cause,
      });
    });
    const versions = names.flatMap((name) => /^version-(\d+)\.json$/.exec(name)?.slice(1) ?? []).map(Number);
    return Promise.all(versions.sort((a, b) => a - b).map((version) => this.describe(version)));
  }

  /** What the manifest says of it. Throws ERR_INVALID_OPTION where it is not kept. */
  async describe(version: number): Promise<VersionInfo> {
    const text = await fs.readFile(this.#path(version, 'json'), 'utf8').catch(() => undefined);
    if (text === undefined) throw invalid('a version that is kept', 'version', version);
    const { created, ...info } = JSON.parse(text);
    return { ...info, created: Date.parse(created) };
  }

  async load({ version, sha256 }: VersionInfo): Promise<State> {
    const file = this.#path(version, 'pth');
    const state = await loadState(file);
    if ((await digestOf(stateHandle(state))) === sha256) return state;
    state.dispose();
    throw new LearnError('ERR_STATE_FORMAT', `${file} does not hold version ${version}: its SHA-256 is not ${sha256}`);
  }

  /** Removes all older ones but these. Newer ones may have been made while it was found out which are needed. */
  async keep(versions: readonly number[]): Promise<void> {
    const newest = Math.max(...versions);
    for (const name of await fs.readdir(this.#folder)) {
      const version = Number(/^version-(\d+)\.(pth|json)$/.exec(name)?.[1] ?? Infinity);
      if (version < newest && !versions.includes(version)) await fs.rm(path.join(this.#folder, name));
    }
  }

  #path(version: number, type: string): string {
    return path.join(this.#folder, `${nameOf(version)}.${type}`);
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
