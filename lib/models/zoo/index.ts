// The models that a state can be recognised as: the reference script's, and the classifiers of torchvision by its names. A new family is a file
// beside this and a line here.
import type { Model } from '../../program/module';
import { alexnets } from './alexnet';
import { convnexts } from './convnext';
import { densenets } from './densenet';
import { efficientnets } from './efficientnet';
import { googlenets } from './googlenet';
import { inceptions } from './inception';
import { maxvits } from './maxvit';
import { mnasnets } from './mnasnet';
import { mobilenetsV2 } from './mobilenet-v2';
import { mobilenetsV3 } from './mobilenet-v3';
import { net } from './net';
import { regnets } from './regnet';
import { resnets } from './resnet';
import { shufflenets } from './shufflenet';
import { squeezenets } from './squeezenet';
import { swins } from './swin';
import { vggs } from './vgg';
import { visionTransformers } from './vision-transformer';

export const knownModels = { net } satisfies Readonly<Record<string, () => Model>>;

export const zoo = {
  ...alexnets,
  ...convnexts,
  ...densenets,
  ...efficientnets,
  ...googlenets,
  ...inceptions,
  ...maxvits,
  ...mnasnets,
  ...mobilenetsV2,
  ...mobilenetsV3,
  ...regnets,
  ...resnets,
  ...shufflenets,
  ...squeezenets,
  ...swins,
  ...vggs,
  ...visionTransformers,
};

/** The name of an architecture in torchvision. */
export type Architecture = keyof typeof zoo;
