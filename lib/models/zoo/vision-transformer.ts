// Vision Transformer (Dosovitskiy et al. 2021): torchvision/models/vision_transformer.py.
import { LearnError } from '../../core/errors';
import { gelu, tanh } from '../../layers/activations';
import { chain, type NamedLayer } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { linear } from '../../layers/linear';
import { layerNorm } from '../../layers/norms';
import {
  type Draw,
  type Initialiser,
  type Model,
  type Module,
  type ModuleTensor,
  node,
  value,
} from '../../program/module';
import { isCount, isShare, normal, truncated, xavierUniform } from './blocks';
import { architectureOptions, type ClassifierOptions, calls, imageModel, shapeOf, tree } from './tree';

/** Options of the Vision Transformers, those of torchvision. */
export interface VisionTransformerOptions extends ClassifierOptions {
  /** Height and width of the images, a multiple of the architecture's patches. Default: 224. */
  imageSize?: number;
  /** Probability of the dropouts after the embedding, attention and linear layers. Default: 0. */
  dropout?: number;
  /** Probability of the dropout of attention weights. Default: 0. */
  attentionDropout?: number;
  /** Features of one more layer before the last. Default: none. */
  representationSize?: number;
}

interface Design {
  readonly patch: number;
  readonly layers: number;
  readonly heads: number;
  readonly size: number;
  readonly inner: number;
}

const zero: Initialiser = { kind: 'constant', value: 0 };
const norm = (size: number) => layerNorm(size, { eps: 1e-6 });

function parameter(name: string, shape: readonly number[], init: Initialiser): ModuleTensor {
  return { name, role: 'parameter', dtype: 'float32', shape, init };
}

/** `nn.MultiheadAttention` of samples that attend to themselves, with the calls of `multi_head_attention_forward`. */
function attention(size: number, heads: number, length: number, p: number): Module {
  const head = size / heads;
  const packed = [3 * size, size];
  const part = (index: number, name: string) => [
    node('select', 'int', { self: value('packed'), dim: 0, index }, `${name}/all`),
    node('view', '', { self: value(`${name}/all`), size: [length, -1, head] }, `${name}/heads`),
    node('transpose', 'int', { self: value(`${name}/heads`), dim0: 0, dim1: 1 }, `${name}/turned`),
    node('view', '', { self: value(`${name}/turned`), size: [-1, heads, length, head] }, name),
  ];
  const attend = (dropped: number, only: 'training' | 'evaluation') => ({
    ...node(
      'scaled_dot_product_attention',
      '',
      { query: value('q'), key: value('k'), value: value('v'), attn_mask: null, dropout_p: dropped, is_causal: false },
      'attended',
    ),
    only,
  });
  const steps = [
    node('transpose', 'int', { self: value('input'), dim0: 1, dim1: 0 }, 'places'),
    node('linear', '', { input: value('places'), weight: value('in_proj_weight'), bias: value('in_proj_bias') }, 'all'),
    node('unflatten', 'int', { self: value('all'), dim: -1, sizes: [3, size] }, 'threes'),
    node('unsqueeze', '', { self: value('threes'), dim: 0 }, 'before'),
    node('transpose', 'int', { self: value('before'), dim0: 0, dim1: -2 }, 'swapped'),
    node('squeeze', 'dim', { self: value('swapped'), dim: -2 }, 'apart'),
    node('contiguous', '', { self: value('apart') }, 'packed'),
    ...[...part(0, 'q'), ...part(1, 'k'), ...part(2, 'v')],
    ...[attend(p, 'training'), attend(0, 'evaluation')],
    node('permute', '', { self: value('attended'), dims: [2, 0, 1, 3] }, 'ordered'),
    node('contiguous', '', { self: value('ordered') }, 'joined'),
    node('view', '', { self: value('joined'), size: [-1, size] }, 'flat'),
    { module: 'out_proj', input: 'flat', output: 'projected' },
    node('view', '', { self: value('projected'), size: [length, -1, size] }, 'rows'),
    node('transpose', 'int', { self: value('rows'), dim0: 1, dim1: 0 }),
  ];
  return {
    ...tree('MultiheadAttention', [['out_proj', linear(size, size)]], steps),
    tensors: [parameter('in_proj_weight', packed, zero), parameter('in_proj_bias', [3 * size], zero)],
    draws: [
      { tensor: 'in_proj_weight', init: xavierUniform(packed) },
      { tensor: 'out_proj.bias', init: zero },
    ],
  };
}

/** `MLP` of two layers, initialised as `MLPBlock` and Swin's blocks do. */
export function perceptron(type: string, size: number, inner: number, p: number, version = 1): Module {
  const layers = [linear(size, inner), gelu(), dropout(p), linear(inner, size), dropout(p)];
  const draws = ['0', '3'].flatMap((name): Draw[] => [
    { tensor: `${name}.weight`, init: xavierUniform(shapeOf(layers[Number(name)]!, 'weight')) },
    { tensor: `${name}.bias`, init: normal(1e-6) },
  ]);
  return { ...chain(layers), type, version, draws };
}

function encoderLayer({ size, heads, inner }: Design, length: number, p: number, attentionP: number): Module {
  return tree(
    'EncoderBlock',
    [
      ['ln_1', norm(size)],
      ['self_attention', attention(size, heads, length, attentionP)],
      ['dropout', dropout(p)],
      ['ln_2', norm(size)],
      ['mlp', perceptron('MLPBlock', size, inner, p, 2)],
    ],
    [
      ...calls(['ln_1', 'self_attention', 'dropout'], 'input', 'attended'),
      node('add', 'Tensor', { self: value('attended'), other: value('input') }, 'sum'),
      ...calls(['ln_2', 'mlp'], 'sum', 'made'),
      node('add', 'Tensor', { self: value('sum'), other: value('made') }),
    ],
  );
}

function encoder(design: Design, length: number, p: number, attentionP: number): Module {
  const { size, layers } = design;
  const blocks = Array.from(
    { length: layers },
    (_, i): NamedLayer => [`encoder_layer_${i}`, encoderLayer(design, length, p, attentionP)],
  );
  const children = [
    ['dropout', dropout(p)],
    ['layers', chain(blocks)],
    ['ln', norm(size)],
  ] as const;
  const steps = [
    node('add', 'Tensor', { self: value('input'), other: value('pos_embedding') }, 'placed'),
    ...calls(['dropout', 'layers', 'ln'], 'placed', 'output'),
  ];
  return {
    ...tree('Encoder', children, steps),
    tensors: [parameter('pos_embedding', [1, length, size], normal(0.02))],
  };
}

function visionTransformer(name: string, design: Design, options: VisionTransformerOptions): Model {
  const { patch, size } = design;
  const checks = { imageSize: isCount, dropout: isShare, attentionDropout: isShare, representationSize: isCount };
  const given = architectureOptions(name, options, checks);
  const { numClasses, imageSize = 224, dropout: p = 0, attentionDropout = 0, representationSize } = given;
  if (imageSize % patch !== 0)
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected a multiple of ${patch} for "imageSize" but received ${imageSize}`,
    );
  const patches = (imageSize / patch) ** 2;
  const heads =
    representationSize === undefined
      ? chain({ head: linear(size, numClasses) })
      : chain({
          pre_logits: linear(size, representationSize),
          act: tanh(),
          head: linear(representationSize, numClasses),
        });
  const steps = [
    { module: 'conv_proj', input: 'input', output: 'patches' },
    node('sym_size', 'int', { self: value('input'), dim: 0 }, 'count'),
    node('reshape', '', { self: value('patches'), shape: [value('count'), size, patches] }, 'columns'),
    node('permute', '', { self: value('columns'), dims: [0, 2, 1] }, 'rows'),
    node('expand', '', { self: value('class_token'), size: [value('count'), -1, -1] }, 'tokens'),
    node('cat', '', { tensors: [value('tokens'), value('rows')], dim: 1 }, 'all'),
    { module: 'encoder', input: 'all', output: 'encoded' },
    node('select', 'int', { self: value('encoded'), dim: 1, index: 0 }, 'token'),
    { module: 'heads', input: 'token', output: 'output' },
  ];
  const children = [
    ['conv_proj', conv2d(3, size, patch, { stride: patch })],
    ['encoder', encoder(design, patches + 1, p, attentionDropout)],
    ['heads', heads],
  ] as const;
  const root = {
    ...tree('VisionTransformer', children, steps),
    tensors: [parameter('class_token', [1, 1, size], zero)],
  };
  const draws: Draw[] = [
    { tensor: 'conv_proj.weight', init: truncated(Math.sqrt(1 / (3 * patch * patch))) },
    { tensor: 'conv_proj.bias', init: zero },
    ...(representationSize === undefined
      ? []
      : [
          { tensor: 'heads.pre_logits.weight', init: truncated(Math.sqrt(1 / size)) },
          { tensor: 'heads.pre_logits.bias', init: zero },
        ]),
    { tensor: 'heads.head.weight', init: zero },
    { tensor: 'heads.head.bias', init: zero },
  ];
  return imageModel(name, root, draws);
}

const made =
  (name: string, patch: number, layers: number, heads: number, size: number, inner: number) =>
  (options: VisionTransformerOptions = {}) =>
    visionTransformer(name, { patch, layers, heads, size, inner }, options);

export const visionTransformers = {
  vit_b_16: made('vit_b_16', 16, 12, 12, 768, 3072),
  vit_b_32: made('vit_b_32', 32, 12, 12, 768, 3072),
  vit_l_16: made('vit_l_16', 16, 24, 16, 1024, 4096),
  vit_l_32: made('vit_l_32', 32, 24, 16, 1024, 4096),
  vit_h_14: made('vit_h_14', 14, 32, 16, 1280, 5120),
};
