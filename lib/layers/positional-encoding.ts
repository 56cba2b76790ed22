// Positional encodings: a table of sines and cosines, or a learned one, that is added to the steps of a sequence.
import { checkNumbers, checkOptions, isBoolean, isNumber, isOneOf } from '../core/checks';
import { LearnError } from '../core/errors';
import { frozen } from '../core/family';
import { type Module, type ModuleTensor, node, value } from '../program/module';
import type { ProgramNode } from '../program/program';
import { dropout as dropoutLayer } from './dropout';
import { normal } from './initialisers';

/** Options of {@link positionalEncoding}. */
export interface PositionalEncodingOptions {
  /** Steps that the table has. Longer sequences are an error that names the layer. */
  length: number;
  /** Features of a step, an even number where `kind` is 'sinusoidal'. */
  dim: number;
  /** 'learned' is a `torch.nn.Embedding` of the steps' numbers. Defaults to 'sinusoidal'. */
  kind?: 'sinusoidal' | 'learned';
  /** Of the sum. Defaults to 0. */
  dropout?: number;
  /** Sequences are [n, t, dim]; otherwise, as in PyTorch by default, [t, n, dim]. Defaults to false. */
  batchFirst?: boolean;
}

/**
 * Adds to each step of [t, n, dim], or of [n, t, dim] with `batchFirst`, the row of a table for its place, and drops out of the sum. The
 * sinusoidal table is the buffer `pe`, [length, 1, dim], of the class PositionalEncoding in PyTorch's tutorial of transformers (Vaswani et al.
 * 2017, section 3.5); the learned one is the parameter `weight`, [length, dim], drawn from a normal distribution as nn.Embedding's.
 *
 * @example
 * ```ts
 * const model = sequential(
 *   { embedding: embedding(1000, 32), position: positionalEncoding({ length: 64, dim: 32, batchFirst: true }), mean: meanOverTime() },
 *   { inputs: { ids: { dtype: 'int64', shape: [64] } } },
 * );
 * ```
 */
export function positionalEncoding(encoding: PositionalEncodingOptions): Module {
  const given = checkOptions('positionalEncoding', encoding, {
    length: isNumber({ integer: true, min: 1 }),
    dim: isNumber({ integer: true, min: 1 }),
    kind: isOneOf(['sinusoidal', 'learned']),
    dropout: isNumber({ min: 0, max: 1 }),
    batchFirst: isBoolean,
  });
  const { length, dim, kind = 'sinusoidal', dropout = 0, batchFirst = false } = given;
  checkNumbers('positionalEncoding', { length, dim }, { integer: true, min: 1 });
  if (kind === 'sinusoidal' && dim % 2 !== 0)
    throw new LearnError('ERR_INVALID_OPTION', `Expected an even number for "dim" of sines but received ${dim}`);
  return frozen({
    type: 'PositionalEncoding',
    version: 1,
    tensors: [kind === 'learned' ? learned(length, dim) : sinusoidal(length, dim)],
    children: [['dropout', dropoutLayer(dropout)] as const],
    steps: [
      node('sym_size', 'int', { self: value('input'), dim: batchFirst ? 1 : 0 }, 'steps'),
      ...(kind === 'learned' ? learnedRows(batchFirst) : tableRows(batchFirst)),
      node('add', 'Tensor', { self: value('input'), other: value('rows') }, 'sum'),
      { module: 'dropout', input: 'sum', output: 'output' },
    ],
  });
}

function learned(length: number, dim: number): ModuleTensor {
  return { name: 'weight', role: 'parameter', dtype: 'float32', shape: [length, dim], init: normal(1) };
}

/** Rows [t, 1, dim], or [t, dim] where the batch comes first. */
function learnedRows(batchFirst: boolean): ProgramNode[] {
  const numbers = { end: value('steps'), dtype: { dtype: 'int64' }, device: { run: 'device' } } as const;
  const args = { weight: value('weight'), indices: value('places') };
  return [
    node('arange', '', numbers, 'places'),
    node('embedding', '', args, batchFirst ? 'rows' : 'found'),
    ...(batchFirst ? [] : [node('unsqueeze', '', { self: value('found'), dim: 1 }, 'rows')]),
  ];
}

function tableRows(batchFirst: boolean): ProgramNode[] {
  const slice = node(
    'slice',
    'Tensor',
    { self: value('pe'), dim: 0, start: 0, end: value('steps') },
    batchFirst ? 'found' : 'rows',
  );
  return [slice, ...(batchFirst ? [node('transpose', 'int', { self: value('found'), dim0: 0, dim1: 1 }, 'rows')] : [])];
}

/** sin(place / 10000^(2i / dim)) and the cosine of the same, in turn, by the tutorial's operators. */
function sinusoidal(length: number, dim: number): ModuleTensor {
  const nodes = [
    node('arange', '', { end: { int: length } }, 'places'),
    node('unsqueeze', '', { self: value('places'), dim: 1 }, 'position'),
    node('arange', 'start_step', { start: { int: 0 }, end: { int: dim }, step: { int: 2 } }, 'evens'),
    node('mul', 'Tensor', { self: value('evens'), other: { float: -Math.log(10000) / dim } }, 'exponents'),
    node('exp', '', { self: value('exponents') }, 'rates'),
    node('mul', 'Tensor', { self: value('position'), other: value('rates') }, 'angles'),
    node('sin', '', { self: value('angles') }, 'sines'),
    node('cos', '', { self: value('angles') }, 'cosines'),
    node('stack', '', { tensors: [value('sines'), value('cosines')], dim: -1 }, 'pairs'),
    node('reshape', '', { self: value('pairs'), shape: [length, 1, dim] }),
  ];
  return { name: 'pe', role: 'buffer', dtype: 'float32', shape: [length, 1, dim], init: { kind: 'computed', nodes } };
}
