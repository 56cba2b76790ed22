// The line that a terminal shows of a training step, character for character that of the reference script.
import { fixed } from '../core/format';
import type { StepEvent } from './events';

/** What the reference script prints: `Epoch [1/10], Step [100/782], Loss: 2.2989`. */
export function logLine({ epoch, epochs, step, steps, loss }: Omit<StepEvent, 'type'>): string {
  return `Epoch [${epoch}/${epochs}], Step [${step}/${steps}], Loss: ${fixed(loss, 4)}`;
}
