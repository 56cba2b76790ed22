// The context of a learner: everything that its records are applied with and that no record changes, but one of new settings,
// which makes another context.
import type { ProgramHandle } from '../native/handles';
import type { Model } from '../program/module';
import type { State } from '../state/state';
import type { Transform } from '../transforms';
import type { Settings } from './options';
import type { VersionFiles } from './versions/files';
import type { Gate } from './versions/gate';

export interface LearnerContext {
  model: Model;
  program: ProgramHandle;
  /** Operators beyond the list that the program may use; recorded nowhere. */
  allowOperators: readonly string[];
  settings: Settings;
  /** Transforms for scoring and serving. */
  scoring: readonly Transform[];
  /** Of one sample. */
  shape: readonly number[];
  classes: number;
  niceness: number;
  /** undefined: there are no held-out samples. */
  gate: Gate | undefined;
  files: Pick<VersionFiles, 'load' | 'save'>;
}

/** Makes the context of settings, a model and a state. Rejects if they do not fit each other. */
export type ContextMaker = (settings: Settings, model: Model, state: State) => Promise<LearnerContext>;
