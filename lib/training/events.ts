// Converts events of the addon to those that callers get.

import type { EpochSummary, TrainEvent } from '../loggers/events';
import type { NativeEvent } from '../native/native';

export function summary({ epoch, step, samples, loss, seconds }: NativeEvent): EpochSummary {
  return { epoch, steps: step, samples, loss, seconds };
}

export function toTrainEvent(event: NativeEvent, run: { epochs: number; steps: number; total: number }): TrainEvent {
  if (event.type === 'epoch') return { type: 'epoch', epochs: run.epochs, ...summary(event) };
  const { type, epoch, step, loss, seconds, samples } = event;
  const samplesPerSecond = samples / seconds;
  const etaSeconds = (run.total - samples) / samplesPerSecond;
  return { type, epoch, epochs: run.epochs, step, steps: run.steps, loss, samplesPerSecond, etaSeconds };
}
