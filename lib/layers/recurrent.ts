// Recurrent layers: torch.nn.LSTM, GRU and RNN.
import { checkNumbers, checkOptions, invalid, isBoolean, isNumber, isOneOf } from '../core/checks';
import { leaf, type Module, type ModuleTensor, node, value } from '../program/module';
import type { ProgramNode } from '../program/program';

/** Options of {@link gru}, and of the other recurrent layers. */
export interface RecurrentOptions {
  /** Layers, each of which takes the sequence of the one before. Defaults to 1. */
  numLayers?: number;
  /** Defaults to true. */
  bias?: boolean;
  /** Sequences are [n, t, features]; otherwise, as in PyTorch by default, [t, n, features]. Defaults to false. */
  batchFirst?: boolean;
  /** Probability of zeroing what a layer but the last hands on, in training. Defaults to 0. */
  dropout?: number;
  /** Runs backwards over time too, and joins the features of both directions. Defaults to false. */
  bidirectional?: boolean;
}

/** Options of {@link lstm}. */
export interface LstmOptions extends RecurrentOptions {
  /** Features that the hidden state is projected to; 0: it is not. Less than `hiddenSize`. Defaults to 0. */
  projSize?: number;
}

/** Options of {@link rnn}. */
export interface RnnOptions extends RecurrentOptions {
  /** Defaults to 'tanh'. */
  nonlinearity?: 'tanh' | 'relu';
}

const checks = {
  numLayers: isNumber({ integer: true, min: 1 }),
  bias: isBoolean,
  batchFirst: isBoolean,
  dropout: isNumber({ min: 0, max: 1 }),
  bidirectional: isBoolean,
};

/**
 * Long short-term memory, from zero states on: [t, n, inputSize], or [n, t, inputSize] with `batchFirst`, to the same with `hiddenSize`
 * features (`projSize`, if given; twice as many if `bidirectional`). As `torch.nn.LSTM`; the values `h_n` and `c_n` are the last states.
 *
 * @example
 * ```ts
 * const model = sequential({ rnn: lstm(8, 32, { batchFirst: true }), last: lastStep(), fc: linear(32, 2) }, { input: [24, 8] });
 * ```
 */
export function lstm(inputSize: number, hiddenSize: number, options: LstmOptions = {}): Module {
  checkNumbers('lstm', { inputSize, hiddenSize }, { integer: true, min: 1 });
  const given = checkOptions('lstm', options, { ...checks, projSize: isNumber({ integer: true, min: 0 }) });
  const projSize = given.projSize ?? 0;
  if (projSize >= hiddenSize) throw invalid(`a number below hiddenSize, ${hiddenSize},`, 'projSize', projSize);
  return recurrent({ type: 'LSTM', op: 'lstm', gates: 4, inputSize, hiddenSize, projSize }, given);
}

/**
 * Gated recurrent units, from a zero state on: [t, n, inputSize], or [n, t, inputSize] with `batchFirst`, to the same with `hiddenSize`
 * features (twice as many if `bidirectional`). As `torch.nn.GRU`; the value `h_n` is the last state.
 *
 * @example
 * ```ts
 * const model = sequential({ rnn: gru(8, 32, { batchFirst: true }), last: lastStep(), fc: linear(32, 2) }, { input: [24, 8] });
 * ```
 */
export function gru(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}): Module {
  checkNumbers('gru', { inputSize, hiddenSize }, { integer: true, min: 1 });
  const given = checkOptions('gru', options, checks);
  return recurrent({ type: 'GRU', op: 'gru', gates: 3, inputSize, hiddenSize, projSize: 0 }, given);
}

/**
 * A recurrent layer of `tanh` or `relu`, from a zero state on: [t, n, inputSize], or [n, t, inputSize] with `batchFirst`, to the same with
 * `hiddenSize` features (twice as many if `bidirectional`). As `torch.nn.RNN`; the value `h_n` is the last state.
 *
 * @example
 * ```ts
 * const model = sequential({ rnn: rnn(8, 32, { batchFirst: true }), last: lastStep(), fc: linear(32, 2) }, { input: [24, 8] });
 * ```
 */
export function rnn(inputSize: number, hiddenSize: number, options: RnnOptions = {}): Module {
  checkNumbers('rnn', { inputSize, hiddenSize }, { integer: true, min: 1 });
  const given = checkOptions('rnn', options, { ...checks, nonlinearity: isOneOf(['tanh', 'relu']) });
  const op = `rnn_${given.nonlinearity ?? 'tanh'}`;
  return recurrent({ type: 'RNN', op, gates: 1, inputSize, hiddenSize, projSize: 0 }, given);
}

interface Kind {
  readonly type: string;
  readonly op: string;
  /** Rows of the weights for each hidden feature. */
  readonly gates: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly projSize: number;
}

function recurrent(kind: Kind, options: RecurrentOptions): Module {
  const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = options;
  const tensors = tensorsOf(kind, { numLayers, bias, bidirectional });
  const states = numLayers * (bidirectional ? 2 : 1);
  const hasCells = kind.op === 'lstm';
  const zeros = (size: number, name: string): ProgramNode =>
    node('new_zeros', '', { self: value('input'), size: [states, value('batch'), size] }, name);
  // The executor fills in `train`.
  const args = {
    ...{ input: value('input'), hx: hasCells ? [value('h_0'), value('c_0')] : value('h_0') },
    ...{ params: tensors.map(({ name }) => value(name)), has_biases: bias, num_layers: numLayers },
    ...{ dropout, bidirectional, batch_first: batchFirst },
  };
  const steps: ProgramNode[] = [
    node('sym_size', 'int', { self: value('input'), dim: batchFirst ? 0 : 1 }, 'batch'),
    zeros(kind.projSize || kind.hiddenSize, 'h_0'),
    ...(hasCells ? [zeros(kind.hiddenSize, 'c_0')] : []),
    { ...node(kind.op, 'input', args), outputs: ['output', 'h_n', ...(hasCells ? ['c_n'] : [])] },
  ];
  return leaf(kind.type, steps, tensors);
}

function tensorsOf(
  { gates, inputSize, hiddenSize, projSize }: Kind,
  { numLayers, bias, bidirectional }: Required<Pick<RecurrentOptions, 'numLayers' | 'bias' | 'bidirectional'>>,
): ModuleTensor[] {
  const directions = bidirectional ? ['', '_reverse'] : [''];
  const state = projSize || hiddenSize;
  const init = { kind: 'uniform', bound: 1 / Math.sqrt(hiddenSize) } as const;
  const parameter = (name: string, ...shape: number[]): ModuleTensor => ({
    ...{ name, role: 'parameter', dtype: 'float32', shape, init },
  });
  const rows = gates * hiddenSize;
  return Array.from({ length: numLayers }, (_, layer) =>
    directions.flatMap((direction) => {
      const end = `l${layer}${direction}`;
      return [
        parameter(`weight_ih_${end}`, rows, layer === 0 ? inputSize : state * directions.length),
        parameter(`weight_hh_${end}`, rows, state),
        ...(bias ? [parameter(`bias_ih_${end}`, rows), parameter(`bias_hh_${end}`, rows)] : []),
        ...(projSize > 0 ? [parameter(`weight_hr_${end}`, projSize, hiddenSize)] : []),
      ];
    }),
  ).flat();
}
