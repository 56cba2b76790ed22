// Activations: torch.nn.ReLU.
import { leaf, type Module, node, value } from '../program/module';

/**
 * max(0, x). As `torch.nn.ReLU`.
 *
 * @example
 * ```ts
 * const model = sequential({ fc1: linear(8, 16), relu: relu(), fc2: linear(16, 2) });
 * ```
 */
export function relu(): Module {
  return leaf('ReLU', [node('relu', '', { self: value('input') })]);
}
