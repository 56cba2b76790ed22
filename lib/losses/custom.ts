// Losses of one's own, from operators of ATen.
import { type Check, checkOptions, invalid, isListOf, isNumber, isOneOf, isRecord, largestFloat } from '../core/checks';
import { LearnError } from '../core/errors';
import { frozen, member } from '../core/family';
import { targetKinds } from '../core/sample-values';
import { node, value } from '../program/module';
import { outputNames, type ProgramNode, valueNames } from '../program/program';
import {
  everyNumber,
  isOutputName,
  isReduction,
  type LossConstant,
  type LossFragment,
  type LossOutput,
  type LossTarget,
  type Reduction,
} from './fragment';

/** Options of {@link customLoss}. */
export interface CustomLossOptions {
  /** Calls of operators, made by node(). The last one computes the losses that are reduced: one for each sample, or more. */
  nodes: readonly ProgramNode[];
  /** Default: `[{ name: 'output', output: 0, axes: ['samples', '...'] }]`. */
  outputs?: readonly LossOutput[];
  /** The targets that it takes, as the value `target`; []: none. Default: `[{ kind: 'values', axes: ['samples', '...'] }]`. */
  targets?: readonly LossTarget[];
  /** Default: []. */
  constants?: readonly LossConstant[];
  /** `'mean'`, or `'sum'`, of the losses of a batch. Default: 'mean'. */
  reduction?: Reduction;
}

/** The value of {@link customLoss}. */
export interface CustomLoss extends Readonly<Required<CustomLossOptions>> {
  readonly kind: 'customLoss';
}

const isName: Check = (given, name) => {
  if (typeof given !== 'string' || given === '') throw invalid('a name', name, given);
};

const areAxes: Check = (given, name) => {
  const names = isListOf(isName)(given, name) as string[];
  const repeated = names.some((axis, i) => names.indexOf(axis) !== i);
  if (repeated) throw invalid('a different name for each axis', name, given);
  return names;
};

/** The first axis is that of the samples. */
const areSampleAxes: Check = (given, name) => {
  const axes = areAxes(given, name) as string[];
  if (axes[0] !== 'samples') throw invalid("'samples' as the first axis", name, given);
  return axes;
};

/** An object with these fields, all of them given. */
function isItem(checks: Readonly<Record<string, Check>>): Check {
  return (given, name) => {
    if (!isRecord(given)) throw invalid(`{ ${Object.keys(checks).join(', ')} }`, name, given);
    const paths = Object.entries(checks).map(([key, check]) => [key, (item: unknown) => check(item, `${name}.${key}`)]);
    const copy = checkOptions(name, given, Object.fromEntries(paths));
    for (const key of Object.keys(checks)) {
      if (!Object.hasOwn(copy, key)) throw invalid('a value', `${name}.${key}`, undefined);
    }
    return { ...copy };
  };
}

const isNumeral = isNumber({ min: -largestFloat, max: largestFloat });
const isReference = isItem({ value: isName });

/** Constants of a known type, by the key that they have: those of Argument in lib/program/program.ts. */
const typed: Readonly<Record<string, Check>> = {
  int: isNumber({ integer: true }),
  float: isNumber({}),
  dtype: isName,
  memoryFormat: isName,
  layout: isOneOf(['strided']),
  run: isOneOf(['training', 'device']),
};

const isObjectArgument: Check = (given, name) => {
  const [key, ...others] = isRecord(given) ? Object.keys(given) : [];
  const check = key !== undefined && others.length === 0 && Object.hasOwn(typed, key) ? typed[key] : undefined;
  return check ? isItem({ [key!]: check })(given, name) : isReference(given, name);
};

const isItemOfList: Check = (given, name) => {
  if (given === null || typeof given === 'boolean') return given;
  return typeof given === 'number' ? isNumeral(given, name) : isObjectArgument(given, name);
};

const isArgument: Check = (given, name) => {
  if (typeof given === 'string') return given;
  return Array.isArray(given) ? isListOf(isItemOfList)(given, name) : isItemOfList(given, name);
};

const isNode: Check = (given, name) => {
  const isArguments: Check = (args, path) => {
    if (!isRecord(args)) throw invalid('an object with arguments by name', path, args);
    return Object.fromEntries(
      Object.entries(args).map(([key, argument]) => [key, isArgument(argument, `${path}.${key}`) ?? argument]),
    );
  };
  const overload: Check = (text, path) => {
    if (typeof text !== 'string') throw invalid('a string', path, text);
  };
  return isItem({ op: isName, overload, args: isArguments, outputs: isListOf(isName) })(given, name);
};

const isAxis: Check = (given, name) => {
  const axes = areAxes(given, name) as string[];
  if (axes.length > 1 || axes[0] === '...') throw invalid('the name of one axis, or none,', name, given);
  return axes;
};

const checks = {
  nodes: isListOf(isNode),
  outputs: isListOf(isItem({ name: isName, output: isOutputName, axes: areSampleAxes })),
  targets: isListOf(isItem({ kind: isOneOf(targetKinds.filter((kind) => kind !== 'none')), axes: areSampleAxes })),
  constants: isListOf(isItem({ name: isName, axes: isAxis, data: isListOf(isNumeral) })),
  reduction: isReduction,
};

/**
 * A loss of one's own: calls of the operators that a model may use, over outputs of the model, `target`, constants, and `samples`, their
 * number. The last call computes the losses, [samples] or more, whose mean or sum is minimised. It is a plain value, which checkpoints and
 * learners record.
 *
 * @example
 * ```ts
 * // The logarithm of the hyperbolic cosine of the error, about |d| - log 2: d + softplus(-2d) - log 2.
 * const logCosh = customLoss({
 *   nodes: [
 *     node('sub', 'Tensor', { self: value('output'), other: value('target') }, 'd'),
 *     node('mul', 'Tensor', { self: value('d'), other: -2 }, 'minus 2d'),
 *     node('softplus', '', { self: value('minus 2d') }, 'soft'),
 *     node('add', 'Tensor', { self: value('d'), other: value('soft') }, 'sum'),
 *     node('sub', 'Tensor', { self: value('sum'), other: Math.LN2 }, 'losses'),
 *   ],
 * });
 * ```
 */
export function customLoss(given: CustomLossOptions): CustomLoss {
  const own = checkOptions('customLoss', given, checks);
  const {
    nodes,
    outputs = [{ name: 'output', output: 0, axes: everyNumber }],
    targets = [{ kind: 'values', axes: everyNumber }],
    constants = [],
    reduction = 'mean',
  } = own;
  if (nodes === undefined || nodes.length === 0) throw invalid('at least one node', 'nodes', nodes);
  if (outputs.length === 0) throw invalid('at least one output of the model', 'outputs', outputs);
  const kinds = targets.map(({ kind }) => kind);
  if (new Set(kinds).size < kinds.length) throw invalid('each kind of target once', 'targets', targets);
  for (const { name, axes, data } of constants) {
    const isOne = axes.length === 0 && data.length !== 1;
    if (isOne || data.length === 0) throw invalid(isOne ? 'one number' : 'numbers', `constants.${name}.data`, data);
  }
  checkNames(nodes, [...outputs, ...constants].map(({ name }) => name).concat('target', 'samples'));
  return member({ kind: 'customLoss', ...frozen({ nodes, outputs, targets, constants, reduction }) });
}

/** Every value is computed once, before it is used. */
function checkNames(nodes: readonly ProgramNode[], given: readonly string[]): void {
  const refuse = (text: string) => new LearnError('ERR_INVALID_OPTION', `${text} of customLoss()`);
  const known = new Set<string>();
  const define = (name: string, place: string) => {
    if (known.has(name)) throw refuse(`Two values are named "${name}" in ${place}`);
    known.add(name);
  };
  for (const name of given) define(name, 'the outputs and constants');
  for (const [i, node] of nodes.entries()) {
    const { op, args } = node;
    const outputs = outputNames(node);
    const place = `nodes[${i}] (${op})`;
    const missing = Object.values(args)
      .flatMap(valueNames)
      .find((name) => !known.has(name));
    if (missing !== undefined)
      throw refuse(`No value named "${missing}" before ${place}; there are ${[...known].join(', ')}, in`);
    if (outputs.length === 0) throw refuse(`Expected a name for what is computed in ${place}`);
    for (const name of outputs) define(name, place);
  }
}

function fragment({ nodes, outputs, targets, constants, reduction }: CustomLoss): LossFragment {
  const [losses] = nodes.at(-1)!.outputs as [string];
  return {
    ...{ reduction, outputs, targets, constants },
    nodes: (how) =>
      how === 'none' ? nodes : [...nodes, node(how, '', { self: value(losses) }, `${how} of ${losses}`)],
  };
}

export const ownOperators = { make: customLoss, fragment } as const;
