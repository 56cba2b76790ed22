// torch.nn.Embedding and EmbeddingBag: rows of a table by their numbers.
import { checkNumbers, checkOptions, invalid, isBoolean, isNumber, isOneOf } from '../core/checks';
import { LearnError } from '../core/errors';
import { frozen } from '../core/family';
import { leaf, type Module, type ModuleTensor, node, value } from '../program/module';
import type { ProgramNode } from '../program/program';
import { constant, normal } from './initialisers';

/** Options of {@link embedding}. */
export interface EmbeddingOptions {
  /** The row of padding, counted from the end if negative: zeros, which no step of training changes. Default: none. */
  paddingIdx?: number;
  /** Divides the gradient of each row by how often the batch has it. Defaults to false. */
  scaleGradByFreq?: boolean;
}

/**
 * Rows of a table by their numbers: int64 of any shape [n, …] to [n, …, embeddingDim]. As `torch.nn.Embedding`. Where it is a model's first
 * layer, the model's input is int64. A number that is no row of the table is an error that names the layer.
 *
 * @example
 * ```ts
 * const model = sequential(
 *   { embedding: embedding(1000, 32, { paddingIdx: 0 }), mean: meanOverTime(), fc: linear(32, 2) },
 *   { inputs: { ids: { dtype: 'int64', shape: [64] } } },
 * );
 * ```
 */
export function embedding(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}): Module {
  checkNumbers('embedding', { numEmbeddings, embeddingDim }, { integer: true, min: 1 });
  const checks = { paddingIdx: isRow(numEmbeddings), scaleGradByFreq: isBoolean };
  const { paddingIdx, scaleGradByFreq = false } = checkOptions('embedding', options, checks);
  const args = {
    ...{ weight: value('weight'), indices: value('input') },
    ...{ padding_idx: paddingIdx ?? -1, scale_grad_by_freq: scaleGradByFreq, sparse: false },
  };
  return table('Embedding', [numEmbeddings, embeddingDim], paddingIdx, [node('embedding', '', args)]);
}

const modes = ['sum', 'mean', 'max'] as const;

/** Options of {@link embeddingBag}. */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** What becomes of the rows of a bag. Defaults to 'mean'. */
  mode?: (typeof modes)[number];
}

/**
 * The mean, sum or maximum of the rows of each bag: int64 [n, t] to [n, embeddingDim]. As `torch.nn.EmbeddingBag` on bags of one length.
 * Padding counts in no bag; a bag of padding alone gives zeros.
 *
 * @example
 * ```ts
 * const model = sequential(
 *   { bag: embeddingBag(1000, 32, { mode: 'sum', paddingIdx: 0 }), fc: linear(32, 2) },
 *   { inputs: { ids: { dtype: 'int64', shape: [64] } } },
 * );
 * ```
 */
export function embeddingBag(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagOptions = {}): Module {
  checkNumbers('embeddingBag', { numEmbeddings, embeddingDim }, { integer: true, min: 1 });
  const checks = { paddingIdx: isRow(numEmbeddings), scaleGradByFreq: isBoolean, mode: isOneOf(modes) };
  const { paddingIdx, scaleGradByFreq = false, mode = 'mean' } = checkOptions('embeddingBag', options, checks);
  if (mode === 'max' && scaleGradByFreq)
    throw new LearnError('ERR_INVALID_OPTION', `embeddingBag: "scaleGradByFreq" is not for the mode 'max'`);
  const args = {
    ...{ weight: value('weight'), indices: value('indices'), offsets: value('offsets') },
    ...{ scale_grad_by_freq: scaleGradByFreq, mode: modes.indexOf(mode), sparse: false, per_sample_weights: null },
    ...{ include_last_offset: false, padding_idx: paddingIdx ?? null },
  };
  const range = { start: 0, end: value('count'), step: value('length') };
  return table('EmbeddingBag', [numEmbeddings, embeddingDim], paddingIdx, [
    node('sym_numel', '', { self: value('input') }, 'count'),
    node('sym_size', 'int', { self: value('input'), dim: 1 }, 'length'),
    node('arange', 'start_step', { ...range, dtype: { dtype: 'int64' }, device: { run: 'device' } }, 'offsets'),
    node('reshape', '', { self: value('input'), shape: [-1] }, 'indices'),
    { ...node('embedding_bag', 'padding_idx', args), outputs: ['output', null, null, null] },
  ]);
}

/** Drawn as a whole, the row of padding too, which is zeroed then. */
function table(
  type: string,
  shape: readonly [number, number],
  padding: number | undefined,
  steps: readonly ProgramNode[],
): Module {
  const weight: ModuleTensor = { name: 'weight', role: 'parameter', dtype: 'float32', shape, init: normal(1) };
  const layer = leaf(type, steps, [weight]);
  if (padding === undefined) return layer;
  return frozen({ ...layer, draws: [{ tensor: 'weight', init: { ...constant(0), row: padding } }] });
}

/** Replaces a number from the end by that from the start. */
function isRow(rows: number) {
  return (given: unknown, name: string) => {
    isNumber({ integer: true })(given, name);
    const row = given as number;
    if (row >= rows || row < -rows) throw invalid(`a row of ${rows}`, name, row);
    return row < 0 ? row + rows : row;
  };
}
