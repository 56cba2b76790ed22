// Fragments of programs: a loss as calls of operators over named values, which are outputs of the model, `target`, constants, and
// `samples`, their number. src/losses/ runs them.
import { type Check, checkOptions, invalid, isNumber, isOneOf, largestFloat } from '../core/checks';
import { frozen } from '../core/family';
import type { TargetKind } from '../core/sample-values';
import { node, value } from '../program/module';
import type { Argument, ProgramNode } from '../program/program';

/** The way from the losses of single numbers to one: their mean, or their sum. */
export type Reduction = 'mean' | 'sum';

/** An output of a model, by its name in the program or its index from 0. */
export type OutputName = string | number;

/**
 * Names of a tensor's axes, such as `['samples', 'classes', '...']`. Axes of one name have one size; `samples` is the number of samples;
 * `'...'` stands for any number of axes, the same ones wherever it is.
 */
export type Axes = readonly string[];

/** An output that a loss takes: the name of its value, the model's output, and its axes. */
export interface LossOutput {
  readonly name: string;
  readonly output: OutputName;
  readonly axes: Axes;
}

/** A kind of target that a loss takes, as the value `target`, and its axes. */
export interface LossTarget {
  readonly kind: TargetKind;
  readonly axes: Axes;
}

/** A constant of a loss: float32, cast to the type of the outputs. */
export interface LossConstant {
  readonly name: string;
  /** One or none. */
  readonly axes: Axes;
  readonly data: readonly number[];
}

export interface LossFragment {
  readonly reduction: Reduction;
  /** At least one. The first is what predictions are taken from. */
  readonly outputs: readonly LossOutput[];
  /** Empty: the loss takes no target. */
  readonly targets: readonly LossTarget[];
  readonly constants?: readonly LossConstant[];
  /** The index that counts as no class. */
  readonly ignoredIndex?: number;
  /** Every target is 1 or -1. */
  readonly takesSigns?: boolean;
  /** The outputs that must not be below 0, by the names of their values. */
  readonly notNegative?: readonly string[];
  /**
   * Calls, the last of which computes the loss as `reduction` says, or with 'none' the losses that are reduced: [sample, …]. No
   * call: the loss is the output. undefined: there are no losses of single samples.
   */
  readonly nodes: (reduction: Reduction | 'none') => readonly ProgramNode[] | undefined;
  /**
   * Calls, the last of which computes what the mean is divided by, for targets that are indices. Default: it is divided by the number
   * of samples, or by a multiple of it.
   */
  readonly divisor?: readonly ProgramNode[];
  /** The loss of a sample of several numbers. Default: as `reduction` says. */
  readonly perSample?: Reduction;
  /** True if the loss of a sample is -log softmax(output)[class] where targets are classes. */
  readonly isLogLikelihood?: boolean;
}

/** One axis for each of the target's, and for each number. */
export const everyNumber: Axes = Object.freeze(['samples', '...']);
/** An axis of classes after that of the samples. */
export const everyClass: Axes = Object.freeze(['samples', 'classes', '...']);
/** An axis of classes after all others. */
export const lastClass: Axes = Object.freeze(['samples', '...', 'classes']);

/** Numbers of aten's Reduction. */
export const reductions = { none: 0, mean: 1, sum: 2 } as const;

/** Options of losses of one output. */
export interface OneOutputOptions {
  /** The model's output that the loss takes, by name or index. Default: 0, the first. */
  output?: OutputName;
  /** `'mean'`, or `'sum'`, of the losses of all numbers of a batch. Default: 'mean'. */
  reduction?: Reduction;
}

type Described<Options> = { readonly [Name in keyof Options]: readonly [usual: Options[Name], check: Check] };

/** Checks the options of losses, and fills in defaults. */
export function lossOptions<Options extends object>(described: Described<Options>) {
  const entries = Object.entries(described) as [string, readonly [unknown, Check]][];
  const checks = Object.fromEntries(entries.map(([name, [, check]]) => [name, check]));
  return (caller: string, options: Partial<Options>): Options => {
    const given = checkOptions(caller, options, checks) as Record<string, unknown>;
    return Object.fromEntries(entries.map(([name, [usual]]) => [name, frozen(given[name] ?? usual)])) as Options;
  };
}

export const isReduction = isOneOf(['mean', 'sum']);

export const isOutputName: Check = (given, name) => {
  const isName = typeof given === 'string' ? given !== '' : Number.isSafeInteger(given) && (given as number) >= 0;
  if (!isName) throw invalid('the name or the index of an output of the model', name, given);
};

/** The options that all losses of one output have. */
export const oneOutput: Described<Required<OneOutputOptions>> = {
  output: [0, isOutputName],
  reduction: ['mean', isReduction],
};

/** Different outputs, `count` of them. */
export function isOutputs(count: number): Check {
  return (given, name) => {
    if (!Array.isArray(given) || given.length !== count)
      throw invalid(`${count} outputs of the model, by name or index`, name, given);
    for (const [i, output] of given.entries()) isOutputName(output, `${name}[${i}]`);
    if (new Set(given).size < count) throw invalid(`${count} different outputs`, name, given);
    return [...given];
  };
}

/** `count` outputs from the first on. */
export function firstOutputs(count: number): readonly OutputName[] {
  return Object.freeze(Array.from({ length: count }, (_, i) => i));
}

const isWeight = isNumber({ min: 0, max: largestFloat });

/** null, or weights as an array of numbers. Returns a plain copy. */
export const areWeights: Check = (given, name) => {
  if (given === null) return null;
  const isTyped = given instanceof Float32Array || given instanceof Float64Array;
  if (!isTyped && !Array.isArray(given)) throw invalid('an array of weights, or null', name, given);
  const copy: unknown[] = Array.from(given);
  if (copy.length === 0) throw invalid('at least one weight', name, given);
  for (const [i, weight] of copy.entries()) isWeight(weight, `${name}[${i}]`);
  return copy;
};

/** The constant `name` for each number along an axis; nothing without weights. */
export function weightsAlong(axis: string, name: string, weights: readonly number[] | null): LossConstant[] {
  return weights ? [{ name, axes: [axis], data: weights }] : [];
}

/** A fragment in which one operator compares every number of an output with that of the target, and reduces. */
export function comparison(
  { output, reduction }: Required<OneOutputOptions>,
  op: string,
  args: Readonly<Record<string, Argument>> = {},
  axes: Axes = everyNumber,
): LossFragment {
  return {
    ...{ reduction, outputs: [{ name: 'output', output, axes }] },
    targets: (['values', 'classes'] as const).map((kind) => ({ kind, axes })),
    nodes: (how) => {
      const operands = { self: value('output'), target: value('target') };
      return [node(op, '', { ...operands, ...args, reduction: reductions[how] }, 'loss')];
    },
  };
}

/** A loss of two outputs with the same axes and of targets that are 1 or -1, by an operator of ATen. */
export function signedPair(
  { outputs, margin, reduction }: { outputs: readonly OutputName[]; margin: number; reduction: Reduction },
  op: string,
  axes: { readonly outputs: Axes; readonly targets: Axes },
): LossFragment {
  const names = ['input1', 'input2'];
  return {
    reduction,
    outputs: names.map((name, i) => ({ name, output: outputs[i]!, axes: axes.outputs })),
    targets: [{ kind: 'values', axes: axes.targets }],
    takesSigns: true,
    nodes: (how) => {
      const values = Object.fromEntries([...names, 'target'].map((name) => [name, value(name)]));
      return [node(op, '', { ...values, margin, reduction: reductions[how] }, 'loss')];
    },
  };
}

/** The divisor of a mean over classes: how many count, or the sum of their weights. */
export function countedClasses(ignoreIndex: number, isWeighted: boolean): readonly ProgramNode[] {
  const counted = node('ne', 'Scalar', { self: value('target'), other: ignoreIndex }, 'counted');
  if (!isWeighted) return [counted, node('sum', '', { self: value('counted') }, 'divisor')];
  return [
    counted,
    // What does not count may be no class, and is looked up as class 0.
    node('mul', 'Tensor', { self: value('target'), other: value('counted') }, 'classes'),
    node('flatten', 'using_ints', { self: value('classes') }, 'flat classes'),
    node('flatten', 'using_ints', { self: value('counted') }, 'flat counted'),
    node('gather', '', { self: value('weight'), dim: 0, index: value('flat classes') }, 'weights'),
    node('mul', 'Tensor', { self: value('weights'), other: value('flat counted') }, 'counted weights'),
    node('sum', '', { self: value('counted weights') }, 'divisor'),
  ];
}
