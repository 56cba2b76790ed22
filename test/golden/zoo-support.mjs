// The architectures of the zoo by how much it takes to train them here, and with which options: as test/models/zoo.py makes them.
import { getModel, listModels } from 'torch-incremental';

/** Options beside the number of classes, by the beginnings of names. */
const options = [
  [/^vit_h_14$/, { imageSize: 56 }],
  [/^vit_/, { imageSize: 64 }],
  [/^inception_v3$/, { auxLogits: false }],
];

/** Other options of the constructors. */
const variants = {
  resnet18_zero: ['resnet18', { zeroInitResidual: true }],
  resnet50_dilated: ['resnet50', { replaceStrideWithDilation: [false, true, true], widthPerGroup: 32, groups: 2 }],
  vgg11_plain: ['vgg11', { initWeights: false, dropout: 0.2 }],
  densenet121_drop: ['densenet121', { dropRate: 0.1, bnSize: 2 }],
  mobilenet_v2_narrow: ['mobilenet_v2', { widthMult: 0.35, roundNearest: 4, dropout: 0.5 }],
  mobilenet_v3_dilated: ['mobilenet_v3_small', { widthMult: 0.75, reducedTail: true, dilated: true }],
  googlenet_plain: ['googlenet', { auxLogits: false, transformInput: true, initWeights: false, dropout: 0.4 }],
  inception_v3_aux: ['inception_v3', { auxLogits: true, transformInput: true, initWeights: false }],
  regnet_y_400mf_stem: ['regnet_y_400mf', { stemWidth: 24 }],
  efficientnet_b0_deep: ['efficientnet_b0', { stochasticDepthProb: 0.5, dropout: 0.1 }],
  convnext_tiny_deep: ['convnext_tiny', { stochasticDepthProb: 0.5, layerScale: 0.1 }],
  vit_b_32_drop: ['vit_b_32', { dropout: 0.1, attentionDropout: 0.2, representationSize: 32, imageSize: 64 }],
};

/** The model that zoo.py has under this name. */
export function made(name) {
  const [architecture, more] = variants[name] ?? [name, options.find(([names]) => names.test(name))?.[1]];
  return getModel(architecture, { numClasses: 7, ...more });
}

/** Trained with every change, in seconds: one or two of each family. */
export const small = [
  ...['resnet18', 'resnext50_32x4d', 'squeezenet1_1', 'shufflenet_v2_x0_5', 'mnasnet0_5', 'mobilenet_v2_narrow'],
  ...['googlenet', 'mobilenet_v3_dilated', 'regnet_x_400mf', 'regnet_y_400mf', 'efficientnet_b0'],
];

/** Not trained beside other tests: gigabytes of weights, of which three copies are held. */
const large =
  /^(vit_(l|h)|regnet_y_128gf|convnext_large|swin_b|swin_v2_b|vgg1[369]|resnext101_64x4d|wide_resnet101_2|regnet_(x|y)_(16|32)gf|efficientnet_(b7|v2_l))/;

const names = [...listModels(), ...Object.keys(variants)];
export const others = names.filter((name) => !small.includes(name) && !large.test(name));
export const largest = names.filter((name) => large.test(name));
