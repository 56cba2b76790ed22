// Net: the small convolutional network of the reference script, for CIFAR-10. Two convolutions and a classifier, no activations.
import { conv2d } from '../../layers/convolution';
import { linear } from '../../layers/linear';
import { buildModel, imageInput } from '../../program/build-model';
import { type Model, node, value } from '../../program/module';

/**
 * [n, 3, 32, 32] to [n, 10]: conv1, conv2 and fc, with 332,778 parameters.
 *
 * @example
 * ```ts
 * const state = await createState(net(), { seed: 0 });
 * ```
 */
export function net(): Model {
  return buildModel(
    'Net',
    {
      type: 'Net',
      version: 1,
      tensors: [],
      children: [
        ['conv1', conv2d(3, 16, 3, { padding: 1 })],
        ['conv2', conv2d(16, 32, 3, { padding: 1 })],
        ['fc', linear(32 * 32 * 32, 10)],
      ],
      steps: [
        { module: 'conv1', input: 'input', output: 'edges' },
        { module: 'conv2', input: 'edges', output: 'features' },
        node('flatten', 'using_ints', { self: value('features'), start_dim: 1 }, 'flat'),
        { module: 'fc', input: 'flat', output: 'output' },
      ],
    },
    [imageInput([3, 32, 32])],
  );
}
