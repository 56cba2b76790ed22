// MNASNet (Tan et al. 2019): torchvision/models/mnasnet.py.
import { relu } from '../../layers/activations';
import { batchNorm2d } from '../../layers/batch-norm';
import { chain } from '../../layers/containers';
import { conv2d } from '../../layers/convolution';
import { dropout } from '../../layers/dropout';
import { linear } from '../../layers/linear';
import { type Model, type Module, node, value } from '../../program/module';
import { isShare, mobileDraws } from './blocks';
import { architectureOptions, type ClassifierOptions, imageModel, tree } from './tree';

/** Options of the MNASNets, those of torchvision. */
export interface MnasNetOptions extends ClassifierOptions {
  /** Probability of the dropout in the classifier. Default: 0.2. */
  dropout?: number;
}

const norm = (channels: number) => batchNorm2d(channels, { momentum: 1 - 0.9997 });

function invertedResidual(from: number, to: number, kernel: number, stride: number, factor: number): Module {
  const inner = from * factor;
  const padding = Math.floor(kernel / 2);
  const layers = chain([
    ...[conv2d(from, inner, 1, { bias: false }), norm(inner), relu()],
    ...[conv2d(inner, inner, kernel, { padding, stride, groups: inner, bias: false }), norm(inner), relu()],
    ...[conv2d(inner, to, 1, { bias: false }), norm(to)],
  ]);
  const isSum = from === to && stride === 1;
  return tree(
    '_InvertedResidual',
    [['layers', layers]],
    [
      { module: 'layers', input: 'input', output: isSum ? 'made' : 'output' },
      ...(isSum ? [node('add', 'Tensor', { self: value('made'), other: value('input') })] : []),
    ],
  );
}

function stack(from: number, to: number, kernel: number, stride: number, factor: number, repeats: number): Module {
  return chain(
    Array.from({ length: repeats }, (_, i) =>
      invertedResidual(i === 0 ? from : to, to, kernel, i === 0 ? stride : 1, factor),
    ),
  );
}

/** The nearest multiple of 8, or the next one where it is under nine tenths. */
function depthOf(channels: number): number {
  const rounded = Math.max(8, Math.floor(Math.trunc(channels + 4) / 8) * 8);
  return rounded >= 0.9 * channels ? rounded : rounded + 8;
}

function mnasnet(name: string, alpha: number, options: MnasNetOptions): Model {
  const { numClasses, dropout: p = 0.2 } = architectureOptions(name, options, { dropout: isShare });
  const depths = [32, 16, 24, 40, 80, 96, 192, 320].map((depth) => depthOf(depth * alpha));
  const at = (i: number) => depths[i]!;
  const layers = [
    ...[conv2d(3, at(0), 3, { padding: 1, stride: 2, bias: false }), norm(at(0)), relu()],
    ...[conv2d(at(0), at(0), 3, { padding: 1, groups: at(0), bias: false }), norm(at(0)), relu()],
    ...[conv2d(at(0), at(1), 1, { bias: false }), norm(at(1))],
    stack(at(1), at(2), 3, 2, 3, 3),
    stack(at(2), at(3), 5, 2, 3, 3),
    stack(at(3), at(4), 5, 2, 6, 3),
    stack(at(4), at(5), 3, 1, 6, 2),
    stack(at(5), at(6), 5, 2, 6, 4),
    stack(at(6), at(7), 3, 1, 6, 1),
    ...[conv2d(at(7), 1280, 1, { bias: false }), norm(1280), relu()],
  ];
  const root = tree(
    'MNASNet',
    [
      ['layers', chain(layers)],
      ['classifier', chain([dropout(p), linear(1280, numClasses)])],
    ],
    [
      { module: 'layers', input: 'input', output: 'features' },
      node('mean', 'dim', { self: value('features'), dim: [2, 3] }, 'means'),
      { module: 'classifier', input: 'means', output: 'output' },
    ],
  );
  // kaiming_uniform_(weight, mode='fan_out', nonlinearity='sigmoid'), whose gain is 1.
  const draws = mobileDraws(root, ([out]) => ({ kind: 'uniform', bound: Math.sqrt(3) * (1 / Math.sqrt(out!)) }));
  // Version 1 had a first stage that alpha did not scale.
  return imageModel(name, { ...root, version: 2 }, draws);
}

const made =
  (name: string, alpha: number) =>
  (options: MnasNetOptions = {}) =>
    mnasnet(name, alpha, options);

export const mnasnets = {
  mnasnet0_5: made('mnasnet0_5', 0.5),
  mnasnet0_75: made('mnasnet0_75', 0.75),
  mnasnet1_0: made('mnasnet1_0', 1),
  mnasnet1_3: made('mnasnet1_3', 1.3),
};
