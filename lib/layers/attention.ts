// torch.nn.MultiheadAttention: the operators of torch.nn.functional.multi_head_attention_forward without weights for the caller.
import { checkNumbers, checkOptions, isBoolean, isNumber } from '../core/checks';
import { LearnError } from '../core/errors';
import { frozen } from '../core/family';
import type { Draw, Initialiser, Module, ModuleTensor } from '../program/module';
import { attentionSteps } from './attention-steps';
import { constant, normal, xavierUniform } from './initialisers';
import { linear } from './linear';
import { isInputName } from './over-time';

/** Options of {@link multiheadAttention}. */
export interface MultiheadAttentionOptions {
  /** Probability of zeroing a weight of the attention, in training. Defaults to 0. */
  dropout?: number;
  /** Defaults to true. */
  bias?: boolean;
  /** Adds a learned step to the keys and the values. Defaults to false. */
  addBiasKv?: boolean;
  /** Adds a step of zeros to the keys and the values. Defaults to false. */
  addZeroAttn?: boolean;
  /** Features of the memory, which is key and value. Defaults to `embedDim`. */
  kdim?: number;
  /** The same as `kdim`, as the memory is both. Defaults to `kdim`. */
  vdim?: number;
  /** Sequences are [n, t, features]; otherwise, as in PyTorch by default, [t, n, features]. Defaults to false. */
  batchFirst?: boolean;
  /**
   * What is looked at instead of the input itself: the name of an input of the model, or `true` for the value `memory`, which the module around
   * this one passes. Default: the input itself.
   */
  memory?: string | true;
  /** Name of the model's int64 input [n, t] that is 0 where a step of what is looked at is padding. Default: nothing is. */
  paddingMask?: string;
  /** A step looks at no later one. Defaults to false. */
  causal?: boolean;
}

const checks = {
  dropout: isNumber({ min: 0, max: 1 }),
  bias: isBoolean,
  addBiasKv: isBoolean,
  addZeroAttn: isBoolean,
  kdim: isNumber({ integer: true, min: 1 }),
  vdim: isNumber({ integer: true, min: 1 }),
  batchFirst: isBoolean,
  memory: isMemory,
  paddingMask: isInputName,
  causal: isBoolean,
};

/**
 * Attention of `numHeads` heads of a sequence to itself, or to a memory: [t, n, embedDim], or [n, t, embedDim] with `batchFirst`, to the same.
 * As `torch.nn.MultiheadAttention` called with `need_weights=False`.
 *
 * @example
 * ```ts
 * const model = sequential(
 *   { attention: multiheadAttention(32, 4, { batchFirst: true, paddingMask: 'mask' }), mean: meanOverTime({ mask: 'mask' }), fc: linear(32, 2) },
 *   { inputs: { x: { shape: [64, 32] }, mask: { dtype: 'int64', shape: [64] } } },
 * );
 * ```
 */
export function multiheadAttention(
  embedDim: number,
  numHeads: number,
  options: MultiheadAttentionOptions = {},
): Module {
  const given = checkOptions('multiheadAttention', options, checks);
  checkHeads('multiheadAttention', { embedDim, numHeads });
  const { memory, kdim = embedDim, vdim = kdim } = given;
  if (vdim !== kdim)
    throw invalidSizes('"vdim" to be "kdim", as keys and values are of one memory,', `${vdim} and ${kdim}`);
  if (memory === undefined && kdim !== embedDim)
    throw invalidSizes('a "memory" where "kdim" is not "embedDim"', `${kdim} and ${embedDim}`);
  return attention(embedDim, numHeads, { ...given, kdim });
}

/** Throws unless the heads share the features equally. */
export function checkHeads(caller: string, sizes: Readonly<Record<string, number>>): void {
  checkNumbers(caller, sizes, { integer: true, min: 1 });
  const [[features, size], [heads, count]] = Object.entries(sizes) as [[string, number], [string, number]];
  if (size % count === 0) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected ${caller}: ${features} to be divisible by ${heads} but received ${size} and ${count}`,
  );
}

function isMemory(given: unknown, name: string): void {
  if (given !== true) isInputName(given, name);
}

function invalidSizes(expected: string, received: string): LearnError {
  return new LearnError('ERR_INVALID_OPTION', `multiheadAttention: expected ${expected} but received ${received}`);
}

type Given = MultiheadAttentionOptions & { readonly kdim: number };

function attention(width: number, heads: number, given: Given): Module {
  const { bias = true } = given;
  const tensors = tensorsOf(width, given);
  return frozen({
    type: 'MultiheadAttention',
    version: 1,
    tensors: tensors.map(({ drawn: _, ...tensor }) => tensor),
    children: [['out_proj', linear(width, width, { bias })] as const],
    steps: attentionSteps(width, heads, { ...given, bias, isPacked: given.kdim === width }),
    draws: drawsOf(tensors, bias),
  });
}

/** `drawn`: what `_reset_parameters()` draws, after out_proj was. */
type Drawn = ModuleTensor & { readonly drawn: Initialiser };

function tensorsOf(width: number, { kdim, bias = true, addBiasKv = false }: Given): Drawn[] {
  const parameter = (name: string, shape: readonly number[], drawn: Initialiser): Drawn => ({
    ...{ name, role: 'parameter', dtype: 'float32', shape, init: constant(0), drawn },
  });
  const weight = (name: string, rows: number, columns: number) =>
    parameter(name, [rows, columns], xavierUniform([rows, columns]));
  const added = (name: string) => parameter(name, [1, 1, width], normal(Math.sqrt(2 / (width + width))));
  const separate = () => [
    weight('q_proj_weight', width, width),
    weight('k_proj_weight', width, kdim),
    weight('v_proj_weight', width, kdim),
  ];
  return [
    ...(kdim === width ? [weight('in_proj_weight', 3 * width, width)] : separate()),
    ...(bias ? [parameter('in_proj_bias', [3 * width], constant(0))] : []),
    ...(addBiasKv ? [added('bias_k'), added('bias_v')] : []),
  ];
}

function drawsOf(tensors: readonly Drawn[], bias: boolean): Draw[] {
  const own = tensors.map(({ name, drawn }) => ({ tensor: name, init: drawn }));
  return bias ? [...own, { tensor: 'out_proj.bias', init: constant(0) }] : own;
}
