// The context of a learner: everything that its records are applied with and that no record changes, but one of new settings,
// which makes another context.
import type { SampleForm } from '../core/sample-values';
import type { LossPlan } from '../losses/plan';
import type { Sums } from '../metrics/sums';
import type { ProgramHandle } from '../native/handles';
import type { TransformsPlan } from '../native/plans';
import type { OptimizerGroup } from '../optimizers/parameter-groups';
import type { Model } from '../program/module';
import type { State } from '../state/state';
import type { Settings } from './settings';
import type { VersionFiles } from './versions/files';
import type { Gate } from './versions/gate';

export interface LearnerContext {
  model: Model;
  program: ProgramHandle;
  /** Operators beyond the list that the program may use; recorded nowhere. */
  allowOperators: readonly string[];
  settings: Settings;
  /** Of the model's parameters, by the settings. */
  groups: readonly OptimizerGroup[];
  /** Of the settings, for this model. */
  loss: LossPlan;
  /** The model, and the index of its output, that predict() and the metrics see: of classes, these are the second axis. */
  predicting: { readonly model: Model; readonly output: number };
  /** Its inputs are in the order of the model's. */
  sample: SampleForm;
  /** Names of the classes, which the states that it gives out carry; undefined: the state that it began with has none. */
  classNames: readonly string[] | undefined;
  /** For each input of the program, the index of the sample's input that it gets. */
  order: readonly number[];
  /** For learning, a list for each input of the sample. */
  transforms: TransformsPlan;
  /** For scoring and serving. */
  scoring: TransformsPlan;
  /** That the metrics are computed from. */
  sums: readonly Sums[];
  /** True if the model may fail on samples, which must be found before their batch is recorded. */
  looksUp: boolean;
  niceness: number;
  /** undefined: there are no held-out samples. */
  gate: Gate | undefined;
  files: Pick<VersionFiles, 'load' | 'save'>;
}

/** Makes the context of settings, a model and a state. Rejects if they do not fit each other. */
export type ContextMaker = (settings: Settings, model: Model, state: State) => Promise<LearnerContext>;
