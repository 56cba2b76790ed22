// Settings of a learner: the options that decide what it computes, with their defaults, as its folder records them.
import { randomInt } from 'node:crypto';
import type { Average } from '../averages';
import { defined, invalid, plain } from '../core/checks';
import { LearnError } from '../core/errors';
import { lossFrom } from '../losses';
import type { Metric } from '../metrics';
import type { LearnerPlan } from '../native/plans';
import { resumedOptimizer } from '../optimizers';
import { sgd } from '../optimizers/sgd';
import type { Model } from '../program/module';
import { fixedShape } from '../program/program';
import { usualBatchSize } from '../training/batch-sizes';
import { checkNumerics } from '../training/options';
import type { RecordedOptions } from '../training/recorded-options';
import { defaultTransforms, takePixels } from '../transforms';
import type { Transforms } from '../transforms/by-input';
import type { DriftAnswer } from './drift-answers';
import type { DriftOptions, GateOptions, LearnerOptions } from './options';
import { type FormSettings, type InputOptions, inputsOf } from './sample-form';

/** The options that decide what a learner computes, with every default filled in, as snapshots record them. */
export interface Settings
  extends Pick<LearnerPlan, PlannedName>,
    Pick<RecordedOptions, 'optimizer' | 'parameterGroups' | 'frozenStatistics' | 'loss'>,
    FormSettings {
  batchSize: number;
  /** null: of no weights. */
  average: Average | null;
  /** The weights that predict new samples for the prequential metrics. */
  score: 'live' | 'served';
  gate: Required<Omit<GateOptions, 'heldOut'>>;
  /** SHA-256 of the held-out samples; empty without a gate. */
  heldOut: string;
  /** null: drift is not looked for. */
  drift: Required<DriftSettings> | null;
  metrics: readonly Metric[];
  keepVersions: number;
  rememberIds: number;
}

type PlannedName = 'mode' | 'precision' | 'contractLinear' | 'seed' | 'maxGradientNorm' | 'replay' | 'threads';

const gateDefaults = { every: 50, maxDrop: 0.01, perClassMaxDrop: 0.05, onRefused: 'rollback' } as const;

function defaults(options: SettingsOptions, threads: number, heldOut: string): Omit<Settings, 'inputs' | 'heldOut'> {
  return {
    ...{
      transforms: usualTransforms(options),
      shape: [],
      batchSize: options.model ? usualBatchSize(options.model) : 64,
    },
    ...{ optimizer: sgd(), parameterGroups: [], frozenStatistics: [], loss: lossFrom(), maxGradientNorm: 0 },
    ...{ average: null, score: heldOut === '' ? 'live' : 'served' },
    ...{ mode: 'exact', precision: 'fp32', contractLinear: true },
    replay: { policy: 'reservoir', capacity: 0, perUpdate: 0 },
    gate: gateDefaults,
    ...{ drift: null, metrics: [], keepVersions: 5, rememberIds: 250_000 },
    ...{ seed: randomInt(2 ** 48 - 1), threads, target: { kind: 'class', shape: [] } },
  };
}

type FormOptions = Pick<SettingsOptions, 'inputs' | 'shape' | 'model'>;

/** A list where the only input has no name of its own; otherwise lists by name. */
function usualTransforms({ inputs, shape, model }: FormOptions): Transforms {
  const [only, ...others] = model?.program.inputs.map((input) => plain(input)) ?? [];
  if (model && (others.length > 0 || typeof inputs === 'object')) {
    const usual = inputsOf({ inputs: (inputs ?? {}) as Settings['inputs'], shape: shape ?? [], transforms: {} }, model);
    return Object.fromEntries(usual.inputs.map(({ name }, i) => [name, usual.transforms[i]!]));
  }
  if (only && only.dtype !== 'float32') return [];
  // Of a model that is recognised later, and has one input.
  const [named] = typeof inputs === 'object' ? (Object.values(inputs) as InputOptions[]) : [];
  const dtype = typeof inputs === 'string' ? inputs : named?.dtype;
  if (dtype === 'int32' || dtype === 'int64') return [];
  return defaultTransforms(named?.shape ?? shape ?? (only && fixedShape(only)), dtype);
}

function usualInputs(transforms: Transforms, model: Model | undefined): Settings['inputs'] {
  const [only, ...others] = model?.program.inputs ?? [];
  if (others.length > 0) return {};
  if (only && only.dtype !== 'float32') return only.dtype;
  return takePixels(Object.values(transforms).flat()) ? 'uint8' : 'float32';
}

type WiringName = 'allowOperators' | 'niceness' | 'maxDelayMs' | 'journal' | 'feedback' | 'signal';

/** Options that are recorded, as settings or, the model, beside them. Wiring is split off. */
export type SettingsOptions = Omit<
  LearnerOptions,
  'dir' | 'checkpoint' | 'waitForLock' | WiringName | 'gate' | 'drift'
> & { gate?: Omit<GateOptions, 'heldOut'>; drift?: DriftSettings };

/** A callback is wiring: it is recorded as 'report'. */
export interface DriftSettings extends Omit<DriftOptions, 'onDrift'> {
  onDrift?: DriftAnswer;
}

/** Fills in every default: given options come before recorded ones, and those before defaults, also within groups such as `gate`. */
export function learnerSettings(
  options: SettingsOptions,
  heldOut: string,
  threads: number,
  recorded?: Settings,
): Settings {
  const before = recorded ?? defaults(options, threads, heldOut);
  const { transforms, inputs, target, batchSize, loss, maxGradientNorm, mode, precision, contractLinear } = options;
  // Inputs by name have their own shapes.
  const shape = options.shape ?? (typeof inputs === 'object' ? [] : undefined);
  const { average, score, keepVersions, rememberIds, seed, replay, gate, drift, metrics, parameterGroups } = options;
  // If nothing was replayed before, as many as a batch has.
  const perUpdate = before.replay.capacity > 0 ? before.replay.perUpdate : (batchSize ?? before.batchSize);
  const replayBefore = { ...before.replay, perUpdate };
  const settings = {
    ...before,
    ...defined({
      optimizer: resumedOptimizer(options.optimizer, before.optimizer),
      parameterGroups,
      frozenStatistics: options.frozenStatistics && [options.frozenStatistics].flat(),
      ...{ transforms, inputs, shape, target, batchSize, loss, maxGradientNorm },
      ...{ mode, precision, contractLinear, average, score },
      replay: replay && { ...replayBefore, ...defined(replay) },
      gate: gate && { ...before.gate, ...defined(gate) },
      drift: drift && { ...(before.drift ?? { onDrift: 'report', cooldown: 1000 }), ...defined(drift) },
      ...{ metrics, heldOut, keepVersions, rememberIds, seed },
      threads: options.threads === undefined ? undefined : threads,
    }),
  } as Settings;
  if (!Object.hasOwn(settings, 'inputs')) {
    settings.inputs = usualInputs(settings.transforms, options.model);
  }
  if (settings.drift && !settings.drift.detector) throw invalid('a value', 'drift.detector', undefined);
  checkNumerics(settings);
  checkTarget(settings);
  return settings;
}

/** Throws if an option needs targets that are classes, and they are not. */
function checkTarget({ target, replay, heldOut, drift }: Settings): void {
  if (target.kind === 'class') return;
  const refuse = (option: string, why: string, instead: string) =>
    new LearnError(
      'ERR_INVALID_OPTION',
      `Expected targets of the kind 'class' with "${option}", ${why}, but "target" is { kind: '${target.kind}' }; ${instead}`,
    );
  if (replay.policy === 'classBalanced') {
    throw refuse(
      'replay.policy',
      "since 'classBalanced' counts the samples of each class",
      "use the policy 'reservoir'",
    );
  }
  if (heldOut !== '') {
    throw refuse('gate.heldOut', 'since versions are compared by the accuracy of their classes', 'leave it out');
  }
  if (drift) throw refuse('drift', 'since detectors are fed wrong predictions of classes', 'leave it out');
}

/** Names of the options in which two settings differ. */
export function changedOptions(old: Settings, settings: Settings): string[] {
  const names = Object.keys(settings) as (keyof Settings)[];
  return names.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(settings[name]));
}
