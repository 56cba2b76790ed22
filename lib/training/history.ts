// The history of a run as its checkpoint records it.
import { Float, type Value } from '../checkpoint/values';
import type { EpochSummary, ValidationResult } from '../loggers/events';
import type { MetricResult } from '../metrics/metric';
import { plainOf } from './recorded-options';

export function historyDicts(history: readonly EpochSummary[]): Value {
  return history.map(({ loss, seconds, learningRates, validation, ...counts }) =>
    dict({
      ...{ ...counts, loss: new Float(loss), seconds: new Float(seconds) },
      learningRates: learningRates.map((rate) => new Float(rate)),
      ...(validation && { validation: resultDict(validation) }),
    }),
  );
}

function resultDict({ loss, accuracy, samples, metrics }: ValidationResult): Map<Value, Value> {
  const results = Object.entries<MetricResult>(metrics).map(([name, result]) => [name, floatsOf(result)]);
  return dict({
    ...{ loss: new Float(loss), accuracy: new Float(accuracy), samples },
    metrics: dict(Object.fromEntries(results)),
  });
}

function floatsOf(result: MetricResult): Value {
  return typeof result === 'number' ? new Float(result) : result.map(floatsOf);
}

function dict(entries: Record<string, Value>): Map<Value, Value> {
  return new Map<Value, Value>(Object.entries(entries));
}

/** A history in another form, which Python may have recorded for itself, is ignored. */
export function historyIn(value: Value | undefined): EpochSummary[] {
  if (!Array.isArray(value)) return [];
  const summaries = value.map((item) => (item instanceof Map ? plainOf(item) : {}) as EpochSummary);
  const isSound = ({ epoch, steps, samples, loss, seconds }: EpochSummary) =>
    [epoch, steps, samples, loss, seconds].every((number) => typeof number === 'number');
  return summaries.every(isSound) ? summaries.map((summary) => ({ ...summary, learningRates: ratesOf(summary) })) : [];
}

/** Earlier versions did not record them. */
function ratesOf({ learningRates }: Partial<EpochSummary>): readonly number[] {
  return Array.isArray(learningRates) ? learningRates.filter((rate) => typeof rate === 'number') : [];
}
