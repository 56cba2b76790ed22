// What a learner is given and what its core holds, as plain types.

import type { Score } from '../metrics/prequential';
import type { ProgramHandle } from '../native/handles';
import type { NativeUpdate } from '../native/native';
import type { Model } from '../program/module';
import type { State } from '../state/state';
import type { Transform } from '../transforms';
import type { Settings } from './options';
import type { Refused } from './reasons';
import type { VersionFiles } from './versions/files';
import type { Gate } from './versions/gate';

/** What one batch came to. */
export interface Outcome extends Pick<NativeUpdate, 'loss' | 'gradientNorm'> {
  /** How many of its samples were learned; 0: there was no update. */
  learned: number;
  /** The others, in the order of the batch. */
  refused: readonly Refused[];
  /** How each sample was predicted before; null where it was not learned, or is no new one. */
  scores: readonly (Score | null)[];
  drift: boolean;
}

/** What stays the same while a learner is open. */
export interface Setting {
  model: Model;
  program: ProgramHandle;
  /** Which the program needs; recorded nowhere. */
  allowOperators: readonly string[];
  settings: Settings;
  scoring: readonly Transform[];
  shape: readonly number[];
  classes: number;
  niceness: number;
  gate: Gate | undefined;
  files: Pick<VersionFiles, 'load' | 'save'>;
}

/** What a setting is made of beside settings, model and state. */
export type SettingParts = Pick<Setting, 'gate' | 'files' | 'niceness' | 'allowOperators'>;

/** The setting for a model and a state that fits it. Rejects where the settings do not fit them. */
export type SettingMaker = (settings: Settings, model: Model, state: State) => Promise<Setting>;
