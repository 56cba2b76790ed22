// One vector for each sequence [n, t, features]: a step of it, or the mean or the maximum of its tokens.
import { type Check, checkOptions, invalid } from '../core/checks';
import { leaf, type Module, modelInput, node, value } from '../program/module';
import type { ProgramNode } from '../program/program';

/** Options of {@link meanOverTime} and {@link maxOverTime}. */
export interface OverTimeOptions {
  /** Name of the model's int64 input [n, t] that is 0 where a step is padding, and 1 where it is a token. Default: all are tokens. */
  mask?: string;
}

/** What is the name of an input of the model. */
export const isInputName: Check = (given, name) => {
  if (typeof given !== 'string' || given === '') throw invalid('the name of an input of the model', name, given);
};

/**
 * The last step of each sequence, padding or not: [n, t, features] to [n, features].
 *
 * @example
 * ```ts
 * const model = sequential({ rnn: gru(8, 32, { batchFirst: true }), last: lastStep(), fc: linear(32, 2) });
 * ```
 */
export function lastStep(): Module {
  return leaf('LastStep', [node('select', 'int', { self: value('input'), dim: 1, index: -1 })]);
}

/**
 * The first step of each sequence, such as that of a [CLS] token: [n, t, features] to [n, features].
 *
 * @example
 * ```ts
 * const model = sequential({ encode: transformerEncoderLayer(32, 4, { batchFirst: true }), first: firstStep(), fc: linear(32, 2) });
 * ```
 */
export function firstStep(): Module {
  return leaf('FirstStep', [node('select', 'int', { self: value('input'), dim: 1, index: 0 })]);
}

/**
 * The mean of each sequence's tokens: [n, t, features] to [n, features]. With a `mask` it is
 * `x.masked_fill(~real, 0).sum(1) / real.sum(1).clamp(min=1)`, where `real = (mask != 0).unsqueeze(-1)`: zeros for a text of padding alone.
 *
 * @example
 * ```ts
 * const model = sequential(
 *   { embedding: embedding(1000, 32), mean: meanOverTime({ mask: 'mask' }), fc: linear(32, 2) },
 *   { inputs: { ids: { dtype: 'int64', shape: [64] }, mask: { dtype: 'int64', shape: [64] } } },
 * );
 * ```
 */
export function meanOverTime(options: OverTimeOptions = {}): Module {
  const { mask } = checkOptions('meanOverTime', options, { mask: isInputName });
  if (mask === undefined)
    return leaf('MeanOverTime', [node('mean', 'dim', { self: value('input'), dim: [1], keepdim: false })]);
  return leaf('MeanOverTime', [
    ...maskSteps(mask),
    node('masked_fill', 'Scalar', { self: value('input'), mask: value('padding'), value: 0 }, 'tokens'),
    node('sum', 'dim_IntList', { self: value('tokens'), dim: [1] }, 'sum'),
    node('sum', 'dim_IntList', { self: value('real'), dim: [1] }, 'count'),
    node('clamp', '', { self: value('count'), min: 1 }, 'atLeastOne'),
    node('div', 'Tensor', { self: value('sum'), other: value('atLeastOne') }),
  ]);
}

/**
 * The maximum of each feature over each sequence's tokens: [n, t, features] to [n, features]. With a `mask` it is
 * `x.masked_fill(~real, -inf).max(1).values.masked_fill(~real.any(1), 0)`, where
 * `real = (mask != 0).unsqueeze(-1)`: zeros for a text of padding alone.
 *
 * @example
 * ```ts
 * const model = sequential(
 *   { embedding: embedding(1000, 32), max: maxOverTime({ mask: 'mask' }), fc: linear(32, 2) },
 *   { inputs: { ids: { dtype: 'int64', shape: [64] }, mask: { dtype: 'int64', shape: [64] } } },
 * );
 * ```
 */
export function maxOverTime(options: OverTimeOptions = {}): Module {
  const { mask } = checkOptions('maxOverTime', options, { mask: isInputName });
  const max = (self: string, name: string): ProgramNode => ({
    ...node('max', 'dim', { self: value(self), dim: 1 }),
    outputs: [name, null],
  });
  if (mask === undefined) return leaf('MaxOverTime', [max('input', 'output')]);
  return leaf('MaxOverTime', [
    ...maskSteps(mask),
    // -Infinity, of whatever dtype the run computes in; as a number it would not be plain data, which JSON has.
    node('new_zeros', '', { self: value('input'), size: [] }, 'zero'),
    node('log', '', { self: value('zero') }, 'least'),
    node('masked_fill', 'Tensor', { self: value('input'), mask: value('padding'), value: value('least') }, 'tokens'),
    max('tokens', 'max'),
    node('any', 'dim', { self: value('real'), dim: 1 }, 'hasTokens'),
    node('logical_not', '', { self: value('hasTokens') }, 'isEmpty'),
    node('masked_fill', 'Scalar', { self: value('max'), mask: value('isEmpty'), value: 0 }),
  ]);
}

/** The values `real` and `padding`, [n, t, 1]. */
function maskSteps(mask: string): ProgramNode[] {
  return [
    node('ne', 'Scalar', { self: modelInput(mask), other: 0 }, 'isReal'),
    node('unsqueeze', '', { self: value('isReal'), dim: -1 }, 'real'),
    node('logical_not', '', { self: value('real') }, 'padding'),
  ];
}
