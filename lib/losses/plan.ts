// Plans of losses for the addon: the programs of a fragment, and the outputs of a model that it takes.
import { nearest } from '../core/checks';
import { LearnError } from '../core/errors';
import { ignoredToken, type TargetKind } from '../core/sample-values';
import { type Metric, usualMetrics } from '../metrics';
import type { Model } from '../program/module';
import { outputNames, type Program, type ProgramNode, valueNames } from '../program/program';
import type { LossConstant, LossFragment, LossTarget, OutputName, Reduction } from './fragment';
import { fragmentOf, type Loss } from './index';

/** See src/losses/loss.h. */
export interface LossPlan {
  /** For messages. */
  kind: string;
  reduction: Reduction;
  /** `index`: among the outputs of the model's program. */
  outputs: { name: string; index: number; axes: readonly string[]; isNotNegative: boolean }[];
  targets: readonly LossTarget[];
  takesSigns: boolean;
  constants: readonly LossConstant[];
  /** The index that counts as no class; null: every index is a class. */
  ignoredIndex: number | null;
  perSample: Reduction;
  isLogLikelihood: boolean;
  /** The loss of a batch; the losses that it is reduced from, or null; what the mean is divided by, or null. */
  whole: Program;
  each: Program | null;
  divisor: Program | null;
}

/** The plan of a loss for the outputs of a model. Throws ERR_INVALID_OPTION if the model does not have an output that it names. */
export function lossPlan(loss: Loss, model: Model): LossPlan {
  const fragment = fragmentOf(loss);
  const { reduction, outputs, targets, constants = [], nodes, divisor } = fragment;
  const each = nodes('none');
  return {
    ...{ kind: loss.kind, reduction, targets, constants },
    outputs: outputs.map((output) => ({
      ...{ name: output.name, axes: output.axes, index: outputIndex(output.output, loss.kind, model) },
      isNotNegative: fragment.notNegative?.includes(output.name) ?? false,
    })),
    takesSigns: fragment.takesSigns ?? false,
    ignoredIndex: fragment.ignoredIndex ?? null,
    perSample: fragment.perSample ?? reduction,
    isLogLikelihood: fragment.isLogLikelihood ?? false,
    whole: programOf(fragment, nodes(reduction)!),
    each: each ? programOf(fragment, each) : null,
    divisor: divisor ? programOf(fragment, divisor) : null,
  };
}

/**
 * The metrics that outputs and targets of the loss are measured by where none are asked for: none where outputs are no predictions of the
 * targets, or where another index than that of ignored tokens counts as no class.
 */
export function usualMetricsOf({ targets, takesSigns, ignoredIndex }: LossPlan, kind: TargetKind): readonly Metric[] {
  const isUsual = ignoredIndex === null || ignoredIndex === ignoredToken;
  return targets.length > 0 && !takesSigns && isUsual ? usualMetrics(kind) : [];
}

/** The index of an output that `caller` takes. Throws ERR_INVALID_OPTION if the model has no such output. */
export function outputIndex(output: OutputName, caller: string, { name, program: { outputs } }: Model): number {
  const index = typeof output === 'string' ? outputs.indexOf(output) : output;
  if (index >= 0 && index < outputs.length) return index;
  const near = typeof output === 'string' ? nearest(output, outputs) : undefined;
  const quoted = outputs.map((own) => `"${own}"`);
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `${caller}() takes the output ${typeof output === 'string' ? `"${output}"` : output} but ${name} has ` +
      `${quoted.length === 1 ? 'one output' : `${quoted.length} outputs`}, ${quoted.join(', ')}` +
      `${near === undefined ? '' : `; did you mean "${near}"?`}`,
  );
}

/** What the nodes use becomes its inputs and buffers; what the last one computes, or the first output, its output. */
function programOf({ outputs, constants = [] }: LossFragment, nodes: readonly ProgramNode[]): Program {
  const last = nodes.at(-1);
  const result = last ? outputNames(last)[0]! : outputs[0]!.name;
  const used = new Set([...nodes.flatMap(({ args }) => Object.values(args).flatMap(valueNames)), result]);
  const inputs = [...outputs.map(({ name }) => name), 'target', 'samples'].filter((name) => used.has(name));
  return {
    inputs: inputs.map((name) => ({ name, dtype: 'float32' })),
    parameters: [],
    buffers: constants
      .filter(({ name }) => used.has(name))
      .map(({ name, axes, data }) => ({ name, dtype: 'float32', shape: axes.length > 0 ? [data.length] : [] })),
    nodes,
    outputs: [result],
  };
}
