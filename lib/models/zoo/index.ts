// The models that a state can be recognised as: the reference script's, and the classifiers of torchvision by its names. A new family is a file
// beside this and a line here.
import type { Model } from '../../program/module';
import { net } from './net';
import { resnets } from './resnet';

export const knownModels = { net } satisfies Readonly<Record<string, () => Model>>;

export const zoo = { ...resnets };

/** The name of an architecture in torchvision. */
export type Architecture = keyof typeof zoo;
