// The list of models that a state can be recognised as. A new one is a file beside this and a line here.
import type { Model } from '../../program/module';
import { net } from './net';

export const knownModels = { net } satisfies Readonly<Record<string, () => Model>>;
