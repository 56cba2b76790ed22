// torch.nn.TransformerEncoderLayer and TransformerDecoderLayer (Vaswani et al. 2017; `normFirst`: Xiong et al. 2020, fig. 1).
import { checkOptions, defined, isBoolean, isNumber, isOneOf } from '../core/checks';
import { frozen } from '../core/family';
import { type Module, type ModuleCall, node, value } from '../program/module';
import type { ProgramNode } from '../program/program';
import { checkHeads, multiheadAttention } from './attention';
import { dropout as dropoutLayer } from './dropout';
import { linear } from './linear';
import { layerNorm } from './norms';
import { isInputName } from './over-time';

/** Options of {@link transformerEncoderLayer}. */
export interface TransformerEncoderLayerOptions {
  /** Features between the two linear layers. Defaults to 2048. */
  dimFeedforward?: number;
  /** Defaults to 0.1. */
  dropout?: number;
  /** Between the two linear layers. Defaults to 'relu'. */
  activation?: 'relu' | 'gelu';
  /** Defaults to 1e-5. */
  layerNormEps?: number;
  /** Sequences are [n, t, dModel]; otherwise, as in PyTorch by default, [t, n, dModel]. Defaults to false. */
  batchFirst?: boolean;
  /** Normalises before each block instead of after its sum. Defaults to false. */
  normFirst?: boolean;
  /** Of the linear layers, the norms and the attention. Defaults to true. */
  bias?: boolean;
  /** Name of the model's int64 input [n, t] that is 0 where a step is padding, which no step looks at. Default: nothing is. */
  paddingMask?: string;
  /** A step looks at no later one. Defaults to false. */
  causal?: boolean;
}

/** Options of {@link transformerDecoderLayer}. */
export interface TransformerDecoderLayerOptions extends TransformerEncoderLayerOptions {
  /** Name of the model's input that is the memory. Default: the value `memory`, which the module around this one passes. */
  memory?: string;
  /** Name of the model's int64 input [n, t] that is 0 where a step of the memory is padding. Default: nothing is. */
  memoryPaddingMask?: string;
}

const checks = {
  dimFeedforward: isNumber({ integer: true, min: 1 }),
  dropout: isNumber({ min: 0, max: 1 }),
  activation: isOneOf(['relu', 'gelu']),
  layerNormEps: isNumber({ min: 0 }),
  batchFirst: isBoolean,
  normFirst: isBoolean,
  bias: isBoolean,
  paddingMask: isInputName,
  causal: isBoolean,
};

/**
 * A layer of a transformer's encoder: [t, n, dModel], or [n, t, dModel] with `batchFirst`, to the same. As `torch.nn.TransformerEncoderLayer`.
 *
 * @example
 * ```ts
 * const layer = transformerEncoderLayer(32, 4, { dimFeedforward: 64, batchFirst: true, paddingMask: 'mask' });
 * ```
 */
export function transformerEncoderLayer(
  dModel: number,
  nhead: number,
  options: TransformerEncoderLayerOptions = {},
): Module {
  const given = checkOptions('transformerEncoderLayer', options, checks);
  checkHeads('transformerEncoderLayer', { dModel, nhead });
  return transformerLayer('TransformerEncoderLayer', dModel, given, [selfAttention(dModel, nhead, given)]);
}

/**
 * A layer of a transformer's decoder, which looks at its input and at a memory: [t, n, dModel], or [n, t, dModel] with `batchFirst`, to the
 * same. As `torch.nn.TransformerDecoderLayer`.
 *
 * @example
 * ```ts
 * const layer = transformerDecoderLayer(32, 4, { batchFirst: true, causal: true, memory: 'encoded' });
 * ```
 */
export function transformerDecoderLayer(
  dModel: number,
  nhead: number,
  options: TransformerDecoderLayerOptions = {},
): Module {
  const given = checkOptions('transformerDecoderLayer', options, {
    ...{ ...checks, memory: isInputName, memoryPaddingMask: isInputName },
  });
  checkHeads('transformerDecoderLayer', { dModel, nhead });
  const { dropout = 0.1, bias, batchFirst, memory = true, memoryPaddingMask: paddingMask } = given;
  const cross: Block = {
    name: 'multihead_attn',
    module: multiheadAttention(dModel, nhead, defined({ dropout, bias, batchFirst, memory, paddingMask })),
    takesMemory: memory === true,
  };
  return transformerLayer('TransformerDecoderLayer', dModel, given, [selfAttention(dModel, nhead, given), cross]);
}

/** A block of attention, whose output is added to its input. */
interface Block {
  readonly name: string;
  readonly module: Module;
  /** Whether it reads the value `memory`. */
  readonly takesMemory?: boolean;
}

function selfAttention(width: number, heads: number, given: TransformerEncoderLayerOptions): Block {
  const { dropout = 0.1, bias, batchFirst, paddingMask, causal } = given;
  const module = multiheadAttention(width, heads, defined({ dropout, bias, batchFirst, paddingMask, causal }));
  return { name: 'self_attn', module };
}

/** The attention blocks, and then one of two linear layers. Children stand in the order in which PyTorch makes them. */
function transformerLayer(
  type: string,
  width: number,
  given: TransformerEncoderLayerOptions,
  attentions: readonly Block[],
): Module {
  const { dimFeedforward = 2048, dropout = 0.1, layerNormEps = 1e-5, normFirst = false, bias = true } = given;
  const { activation = 'relu' } = given;
  const blocks = [...attentions.map(({ name }) => name), 'feedforward'];
  const numbered = (name: string, make: () => Module) =>
    blocks.map((_, index) => [`${name}${index + 1}`, make()] as const);
  const steps = blocks.flatMap((block, index) => {
    const attention = attentions[index];
    const run = (input: string) =>
      attention ? [attentionCall(attention, input, block)] : forwardSteps(input, activation, block);
    return residualSteps(run, { index, block, normFirst, isLast: index === attentions.length });
  });
  return frozen({
    type,
    version: 1,
    tensors: [],
    children: [
      ...attentions.map(({ name, module }) => [name, module] as const),
      ['linear1', linear(width, dimFeedforward, { bias })] as const,
      ['dropout', dropoutLayer(dropout)] as const,
      ['linear2', linear(dimFeedforward, width, { bias })] as const,
      ...numbered('norm', () => layerNorm(width, { eps: layerNormEps, bias })),
      ...numbered('dropout', () => dropoutLayer(dropout)),
    ],
    steps,
  });
}

type Step = ProgramNode | ModuleCall;

function attentionCall({ name, takesMemory }: Block, input: string, output: string): ModuleCall {
  return { module: name, input: takesMemory ? { input, memory: 'memory' } : input, output };
}

function forwardSteps(input: string, activation: 'relu' | 'gelu', output: string): Step[] {
  return [
    { module: 'linear1', input, output: 'wide' },
    node(activation, '', { self: value('wide') }, 'active'),
    { module: 'dropout', input: 'active', output: 'kept' },
    { module: 'linear2', input: 'kept', output },
  ];
}

/** x + block(norm(x)), or norm(x + block(x)), with a dropout after the block. */
function residualSteps(
  run: (input: string) => Step[],
  { index, block, normFirst, isLast }: { index: number; block: string; normFirst: boolean; isLast: boolean },
): Step[] {
  const before = index === 0 ? 'input' : `x${index}`;
  const after = isLast ? 'output' : `x${index + 1}`;
  const [normal, dropped, sum] = [`${block}/norm`, `${block}/dropout`, normFirst ? after : `${block}/sum`];
  const normalise = (input: string, output: string) => ({ module: `norm${index + 1}`, input, output });
  return [
    ...(normFirst ? [normalise(before, normal)] : []),
    ...run(normFirst ? normal : before),
    { module: `dropout${index + 1}`, input: block, output: dropped },
    node('add', 'Tensor', { self: value(before), other: value(dropped) }, sum),
    ...(normFirst ? [] : [normalise(sum, after)]),
  ];
}
