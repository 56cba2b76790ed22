// Converts events of the addon to those that callers get.

import type { EpochSummary, TrainEvent, ValidationResult } from '../loggers/events';
import type { NativeEvent } from '../native/native';

export function summary(
  { epoch, step, samples, loss, seconds, learningRates }: NativeEvent,
  validation?: ValidationResult,
): EpochSummary {
  return { epoch, steps: step, samples, loss, seconds, learningRates, ...(validation && { validation }) };
}

interface Run {
  epochs: number;
  steps: number;
  /** Samples of the whole run. */
  total: number;
}

/** `validation`: after the epoch of the event. undefined: callers do not get this one. */
export function toTrainEvent(event: NativeEvent, run: Run, validation?: ValidationResult): TrainEvent | undefined {
  const { type, epoch, step, loss, seconds, samples, learningRates } = event;
  if (type === 'validation') return undefined;
  if (type === 'epoch') return { type, epochs: run.epochs, ...summary(event, validation) };
  const samplesPerSecond = samples / seconds;
  const etaSeconds = (run.total - samples) / samplesPerSecond;
  return { type, epoch, epochs: run.epochs, step, steps: run.steps, loss, learningRates, samplesPerSecond, etaSeconds };
}
