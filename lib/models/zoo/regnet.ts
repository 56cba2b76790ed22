// RegNet (Radosavovic et al. 2020): torchvision/models/regnet.py.

import { relu, sigmoid } from '../../layers/activations';
import { adaptiveAvgPool2d } from '../../layers/adaptive-pooling';
import { chain, type NamedLayer } from '../../layers/containers';
import { normal } from '../../layers/initialisers';
import { linear } from '../../layers/linear';
import { type Model, type Module, node, value } from '../../program/module';
import { convNorm, flattenedInto, halfToEven, isCount, squeezeExcitation, weightsAndZeros } from './blocks';
import { architectureOptions, type ClassifierOptions, calls, drawnAgain, imageModel, shapeOf, tree } from './tree';

/** Options of the RegNets, those of torchvision. */
export interface RegNetOptions extends ClassifierOptions {
  /** Channels of the first convolution. Default: 32. */
  stemWidth?: number;
}

/** Depths, widths and widths of groups of the four stages, as `BlockParams.from_init_params` computes them. */
type Design = readonly [depths: readonly number[], widths: readonly number[], groups: number | readonly number[]];

const designs = {
  regnet_y_400mf: [[1, 3, 6, 6], [48, 104, 208, 440], 8],
  regnet_y_800mf: [[1, 3, 8, 2], [64, 144, 320, 784], 16],
  regnet_y_1_6gf: [[2, 6, 17, 2], [48, 120, 336, 888], 24],
  regnet_y_3_2gf: [[2, 5, 13, 1], [72, 216, 576, 1512], 24],
  regnet_y_8gf: [[2, 4, 10, 1], [224, 448, 896, 2016], 56],
  regnet_y_16gf: [[2, 4, 11, 1], [224, 448, 1232, 3024], 112],
  regnet_y_32gf: [[2, 5, 12, 1], [232, 696, 1392, 3712], 232],
  regnet_y_128gf: [[2, 7, 17, 1], [528, 1056, 2904, 7392], 264],
  regnet_x_400mf: [[1, 2, 7, 12], [32, 64, 160, 400], 16],
  regnet_x_800mf: [[1, 3, 7, 5], [64, 128, 288, 672], 16],
  regnet_x_1_6gf: [[2, 4, 10, 2], [72, 168, 408, 912], 24],
  regnet_x_3_2gf: [[2, 6, 15, 2], [96, 192, 432, 1008], 48],
  regnet_x_8gf: [
    [2, 5, 15, 1],
    [80, 240, 720, 1920],
    [80, 120, 120, 120],
  ],
  regnet_x_16gf: [[2, 6, 13, 1], [256, 512, 896, 2048], 128],
  regnet_x_32gf: [[2, 7, 13, 1], [336, 672, 1344, 2520], 168],
} satisfies Record<string, Design>;

type Name = keyof typeof designs;

/** `squeezed`: channels of the squeeze, or 0. */
function block(from: number, to: number, stride: number, groupWidth: number, squeezed: number): Module {
  const f = chain({
    a: convNorm(from, to, { kernel: 1 }),
    b: convNorm(to, to, { stride, groups: Math.floor(to / groupWidth) }),
    ...(squeezed > 0 && { se: squeezeExcitation(to, squeezed, relu, sigmoid) }),
    c: convNorm(to, to, { kernel: 1, activation: null }),
  });
  const projects = from !== to || stride !== 1;
  const proj = projects ? [['proj', convNorm(from, to, { kernel: 1, stride, activation: null })] as const] : [];
  return tree(
    'ResBottleneckBlock',
    [...proj, ['f', f], ['activation', relu()]],
    [
      ...(projects ? calls(['proj'], 'input', 'side') : []),
      { module: 'f', input: 'input', output: 'made' },
      node('add', 'Tensor', { self: value(projects ? 'side' : 'input'), other: value('made') }, 'sum'),
      { module: 'activation', input: 'sum', output: 'output' },
    ],
  );
}

function regnet(name: Name, options: RegNetOptions): Model {
  const { numClasses, stemWidth = 32 } = architectureOptions(name, options, { stemWidth: isCount });
  const [depths, widths, groups] = designs[name] as Design;
  let from = stemWidth;
  const stages = depths.map((depth, i): NamedLayer => {
    const to = widths[i]!;
    const blocks = Array.from({ length: depth }, (_, k): NamedLayer => {
      const taken = k === 0 ? from : to;
      const squeezed = name.startsWith('regnet_y') ? halfToEven(0.25 * taken) : 0;
      const width = typeof groups === 'number' ? groups : groups[i]!;
      return [`block${i + 1}-${k}`, block(taken, to, k === 0 ? 2 : 1, width, squeezed)];
    });
    from = to;
    return [`block${i + 1}`, chain(blocks)];
  });
  const root = tree(
    'RegNet',
    [
      ['stem', convNorm(3, stemWidth, { stride: 2 })],
      ['trunk_output', chain(stages)],
      ['avgpool', adaptiveAvgPool2d(1)],
      ['fc', linear(from, numClasses)],
    ],
    [...calls(['stem', 'trunk_output', 'avgpool'], 'input', 'pooled'), ...flattenedInto('fc', 'pooled')],
  );
  const draws = drawnAgain(root, (module) => {
    if (module.type === 'Linear') return weightsAndZeros(module, normal(0.01));
    if (module.type !== 'Conv2d') return {};
    const [out, , height, width] = shapeOf(module, 'weight');
    return { weight: normal(Math.sqrt(2 / (height! * width! * out!))) };
  });
  return imageModel(name, root, draws);
}

const made =
  (name: Name) =>
  (options: RegNetOptions = {}) =>
    regnet(name, options);

export const regnets = Object.fromEntries((Object.keys(designs) as Name[]).map((name) => [name, made(name)])) as Record<
  Name,
  (options?: RegNetOptions) => Model
>;
