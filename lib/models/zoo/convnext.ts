// ConvNeXt (Liu et al. 2022): torchvision/models/convnext.py.

import { isNumber } from '../../core/checks';
import { gelu } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { chain, type Layer } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { truncated } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import { layerNorm } from '../../layers/norms';
import { flatten } from '../../layers/shape';
import { type Model, type Module, type ModuleTensor, node, value } from '../../program/module';
import { isShare, permuted, stochasticDepth, weightsAndZeros } from './blocks';
import { architectureOptions, type ClassifierOptions, calls, drawnAgain, imageModel, tree } from './tree';

/** Options of the ConvNeXts, those of torchvision. */
export interface ConvNextOptions extends ClassifierOptions {
  /** Probability that training leaves out the last block for a sample; from the first on it grows evenly. Default: that of the architecture. */
  stochasticDepthProb?: number;
  /** What each channel of a block is multiplied by at first. Default: 1e-6. */
  layerScale?: number;
}

/** `LayerNorm2d`: the layer norm of channels, which are not the last axis. */
function channelNorm(channels: number): Module {
  const plain = layerNorm(channels, { eps: 1e-6 });
  const norm = plain.steps[0]! as ReturnType<typeof node>;
  return {
    ...plain,
    type: 'LayerNorm2d',
    steps: [
      node('permute', '', { self: value('input'), dims: [0, 2, 3, 1] }, 'rows'),
      { ...norm, args: { ...norm.args, input: value('rows') }, outputs: ['normed'] },
      node('permute', '', { self: value('normed'), dims: [0, 3, 1, 2] }),
    ],
  };
}

function block(channels: number, layerScale: number, probability: number): Module {
  const layers = chain([
    conv2d(channels, channels, 7, { padding: 3, groups: channels }),
    permuted([0, 2, 3, 1]),
    layerNorm(channels, { eps: 1e-6 }),
    linear(channels, 4 * channels),
    gelu(),
    linear(4 * channels, channels),
    permuted([0, 3, 1, 2]),
  ]);
  const scale: ModuleTensor = {
    ...{ name: 'layer_scale', role: 'parameter', dtype: 'float32', shape: [channels, 1, 1] },
    init: { kind: 'constant', value: layerScale },
  };
  const steps = [
    ...calls(['block'], 'input', 'made'),
    node('mul', 'Tensor', { self: value('layer_scale'), other: value('made') }, 'scaled'),
    ...calls(['stochastic_depth'], 'scaled', 'kept'),
    node('add', 'Tensor', { self: value('kept'), other: value('input') }),
  ];
  const children = [
    ['block', layers],
    ['stochastic_depth', stochasticDepth(probability)],
  ] as const;
  return { ...tree('CNBlock', children, steps), tensors: [scale] };
}

function convnext(
  name: string,
  channels: number,
  depths: readonly number[],
  p: number,
  options: ConvNextOptions,
): Model {
  const given = architectureOptions(name, options, { stochasticDepthProb: isShare, layerScale: isNumber() });
  const { numClasses, stochasticDepthProb = p, layerScale = 1e-6 } = given;
  const count = depths.reduce((sum, depth) => sum + depth, 0);
  let index = 0;
  const features: Layer[] = [chain([conv2d(3, channels, 4, { stride: 4 }), channelNorm(channels)])];
  depths.forEach((depth, i) => {
    const size = channels * 2 ** i;
    const blocks = Array.from({ length: depth }, () =>
      block(size, layerScale, (stochasticDepthProb * index++) / (count - 1)),
    );
    features.push(chain(blocks));
    if (i < depths.length - 1) features.push(chain([channelNorm(size), conv2d(size, 2 * size, 2, { stride: 2 })]));
  });
  const last = channels * 2 ** (depths.length - 1);
  const root = tree(
    'ConvNeXt',
    [
      ['features', chain(features)],
      ['avgpool', adaptiveAvgPool2d(1)],
      ['classifier', chain([channelNorm(last), flatten(), linear(last, numClasses)])],
    ],
    calls(['features', 'avgpool', 'classifier']),
  );
  const draws = drawnAgain(root, (module) =>
    module.type === 'Conv2d' || module.type === 'Linear' ? weightsAndZeros(module, truncated(0.02)) : {},
  );
  return imageModel(name, root, draws);
}

const made =
  (name: string, channels: number, depths: readonly number[], p: number) =>
  (options: ConvNextOptions = {}) =>
    convnext(name, channels, depths, p, options);

export const convnexts = {
  convnext_tiny: made('convnext_tiny', 96, [3, 3, 9, 3], 0.1),
  convnext_small: made('convnext_small', 96, [3, 3, 27, 3], 0.4),
  convnext_base: made('convnext_base', 128, [3, 3, 27, 3], 0.5),
  convnext_large: made('convnext_large', 192, [3, 3, 27, 3], 0.5),
};
