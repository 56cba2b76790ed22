// Vision Transformer (Dosovitskiy et al. 2021): torchvision/models/vision_transformer.py.

import { LearnError } from '../../core/errors';
import { gelu, tanh } from '../../layers/activations';
import { multiheadAttention } from '../../layers/attention';
import { chain, type NamedLayer } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { constant, normal, truncated, xavierUniform } from '../../layers/initialisers';
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
import { isCount, isShare } from './blocks';
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

const zero = constant(0);
const norm = (size: number) => layerNorm(size, { eps: 1e-6 });

function parameter(name: string, shape: readonly number[], init: Initialiser): ModuleTensor {
  return { name, role: 'parameter', dtype: 'float32', shape, init };
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

function encoderLayer({ size, heads, inner }: Design, p: number, attentionP: number): Module {
  return tree(
    'EncoderBlock',
    [
      ['ln_1', norm(size)],
      ['self_attention', multiheadAttention(size, heads, { dropout: attentionP, batchFirst: true })],
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
    (_, i): NamedLayer => [`encoder_layer_${i}`, encoderLayer(design, p, attentionP)],
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
