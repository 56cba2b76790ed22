// Events of a training run.
import type { MetricResults } from '../metrics';

/** Scores of the `validation` data after an epoch. */
export interface ValidationResult {
  /** As of evaluate(). */
  loss: number;
  /** As of evaluate(): NaN for targets that are not indices of classes. */
  accuracy: number;
  samples: number;
  /** As of evaluate(): results by the names of the metrics. */
  metrics: MetricResults;
}

/** An epoch of TrainResult.history. */
export interface EpochSummary {
  /** From 1. */
  epoch: number;
  steps: number;
  samples: number;
  /** Mean over the epoch's samples, each as it was when its batch was trained on; of losses that are sums, the sum for each sample. */
  loss: number;
  seconds: number;
  /** Of the parameter groups, in the epoch's last step; empty in epochs of checkpoints that do not say it. */
  learningRates: readonly number[];
  /** If there was a validation after it. */
  validation?: ValidationResult;
}

/** A step or a log line. Only the newest waiting 'step' is delivered; every 'log' is. */
export interface StepEvent {
  type: 'step' | 'log';
  /** From 1. */
  epoch: number;
  epochs: number;
  /** Within the epoch, from 1. */
  step: number;
  steps: number;
  /** Loss of this step's batch, a mean or a sum as the loss reduces; of several batches, the mean of theirs. */
  loss: number;
  /** Of the parameter groups, in this step. */
  learningRates: readonly number[];
  /** Since training began. */
  samplesPerSecond: number;
  etaSeconds: number;
}

/** The end of an epoch; every one is delivered. */
export interface EpochEvent extends EpochSummary {
  type: 'epoch';
  epochs: number;
}

/** An event of a training: a step, a log line, or the end of an epoch. */
export type TrainEvent = StepEvent | EpochEvent;
