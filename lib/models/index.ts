// The list of functions that make models, and the check of what they made.
import { type Check, invalid } from '../core/checks';
import { listed } from '../core/family';
import { sequential } from './sequential';
import { knownModels } from './zoo';
import { getModel } from './zoo/get-model';
import { resnet18, resnet34, resnet50 } from './zoo/resnet';

export const models = Object.freeze({ ...knownModels, getModel, resnet18, resnet34, resnet50, sequential });

const expected = `a model made by ${listed([...Object.keys(models), 'loadModel'].map((name) => `${name}()`))}`;

/** By the program, which every model has. Whether it may run, the addon checks. */
export const isModel: Check = (value, name) => {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'program')) {
    throw invalid(expected, name, value);
  }
};
