// Makes the events that callers get of the addon's.

import type { EpochSummary, TrainEvent } from '../loggers/events';
import type { NativeEvent } from '../native/native';
import type { EpochSummary } from './checkpoint';

/** A step or a log line. Only the newest waiting 'step' is delivered; every 'log' is. */
export interface StepEvent {
  type: 'step' | 'log';
  /** From 1. */
  epoch: number;
  epochs: number;
  /** Within the epoch, from 1. */
  step: number;
  steps: number;
  /** Mean cross-entropy of this step's batch. */
  loss: number;
  /** Since training began. */
  samplesPerSecond: number;
  etaSeconds: number;
}

/** The end of an epoch; every one is delivered. */
export interface EpochEvent extends EpochSummary {
  type: 'epoch';
  epochs: number;
}

/** What a training reports while it runs, told apart by `type`. */
export type TrainEvent = StepEvent | EpochEvent;

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
