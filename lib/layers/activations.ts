// Activations: torch.nn.ReLU.
import { leaf, type Module, node, value } from '../program/module';

/** max(0, x). As `torch.nn.ReLU`. */
export function relu(): Module {
  return leaf('ReLU', [node('relu', '', { self: value('input') })]);
}
