// The zoo by torchvision's names.
import { invalid, isRecord } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { nearestNames } from '../../core/patterns';
import type { Layer } from '../../layers/containers';
import { isLayer, type Model } from '../../program/module';
import { type Architecture, zoo } from './index';
import { replaceHead } from './replace-head';

/** Options of {@link getModel}: those of the architecture's constructor in torchvision, in camel case, and its head. */
export type ModelOptions<Name extends Architecture> = NonNullable<Parameters<(typeof zoo)[Name]>[0]> & {
  /**
   * Layers instead of the last ones, as `model.fc = …` in PyTorch: they take what the classifier of torchvision takes. Not with `numClasses`.
   */
  head?: Layer;
};

/** The names of the layers that make classes of features, and of which architectures. */
const heads: readonly (readonly [name: string, of: RegExp])[] = [
  ['fc', /^(resnet|resnext|wide_resnet|googlenet|inception|shufflenet|regnet)/],
  ['heads', /^vit/],
  ['head', /^swin/],
  ['classifier', /^/],
];

export const headNames = heads.map(([name]) => name);

/** The name of the layers of an architecture that make classes of features. */
export function headOf(architecture: Architecture): string {
  return heads.find(([, of]) => of.test(architecture))![0];
}

/**
 * The names of the architectures that {@link getModel} makes, as torchvision's `list_models(module=torchvision.models)` has them, in
 * alphabetical order.
 *
 * @example
 * ```ts
 * listModels(); // ['resnet101', 'resnet152', 'resnet18', …]
 * ```
 */
export function listModels(): Architecture[] {
  return (Object.keys(zoo) as Architecture[]).sort();
}

/**
 * A classifier of torchvision 0.28 by its name. Its weights are not fetched: `createState(model)` draws those of `get_model(name)`, and a `.pth` that
 * PyTorch saved is loaded by `loadState`. Throws ERR_INVALID_OPTION for an unknown name or option.
 *
 * @example
 * ```ts
 * const model = getModel('resnet50', { numClasses: 5 });
 * const state = await createState(model, { seed: 0 });
 * const other = getModel('resnet18', { head: sequential([linear(512, 64), relu(), linear(64, 5)]) });
 * ```
 */
export function getModel<Name extends Architecture>(
  name: Name,
  options: ModelOptions<Name> = {} as ModelOptions<Name>,
): Model {
  if (typeof name !== 'string' || !Object.hasOwn(zoo, name)) throw unknownName(name);
  if (!isRecord(options)) throw invalid(`an object with the options of ${name}`, 'options', options);
  const { head, ...others } = options as { head?: Layer };
  if (head === undefined) return makerOf(name)(others);
  if (Object.hasOwn(others, 'numClasses'))
    throw new LearnError(
      'ERR_INVALID_OPTION',
      'Expected either "numClasses" or "head" of getModel() but received both',
    );
  if (!isLayer(head)) throw invalid('a layer, such as linear(512, 5),', 'head', head);
  const model = makerOf(name)(others);
  return replaceHead(model, headOf(name), head);
}

function makerOf(name: Architecture): (options: object) => Model {
  return zoo[name] as (options: object) => Model;
}

function unknownName(name: unknown): LearnError {
  if (typeof name !== 'string') return invalid("the name of an architecture, such as 'resnet18',", 'name', name);
  const near = nearestNames(name, listModels()).map((each) => `'${each}'`);
  return new LearnError(
    'ERR_INVALID_OPTION',
    `Expected the name of an architecture of listModels() but received '${name.slice(0, 100)}'; the nearest are ${near.join(', ')}. ` +
      'A model of segmentation or detection, or of another library, is exported by Python: loadModel() reads its .pt2',
  );
}
