// The history of a run as its checkpoint records it.
import { Float, type Value } from '../checkpoint/values';
import type { EpochSummary, ValidationResult } from '../loggers/events';

export function historyDicts(history: readonly EpochSummary[]): Value {
  return history.map(({ loss, seconds, learningRates, validation, ...counts }) =>
    dict({
      ...{ ...counts, loss: new Float(loss), seconds: new Float(seconds) },
      learningRates: learningRates.map((rate) => new Float(rate)),
      ...(validation && { validation: floatsOf(validation) }),
    }),
  );
}

function floatsOf({ samples, ...scores }: ValidationResult): Map<Value, Value> {
  const floats = Object.entries(scores).map(([name, score]) => [name, new Float(score)]);
  return dict({ ...Object.fromEntries(floats), samples });
}

function dict(entries: Record<string, Value>): Map<Value, Value> {
  return new Map<Value, Value>(Object.entries(entries));
}

/** A history in another form, which Python may have recorded for itself, is ignored. */
export function historyIn(value: Value | undefined): EpochSummary[] {
  if (!Array.isArray(value)) return [];
  const plainOf = (item: unknown): unknown =>
    item instanceof Map ? Object.fromEntries([...item].map(([key, inner]) => [key, plainOf(inner)])) : item;
  const summaries = value.map((item) => (item instanceof Map ? plainOf(item) : {}) as EpochSummary);
  const isSound = ({ epoch, steps, samples, loss, seconds }: EpochSummary) =>
    [epoch, steps, samples, loss, seconds].every((number) => typeof number === 'number');
  return summaries.every(isSound) ? summaries.map((summary) => ({ ...summary, learningRates: ratesOf(summary) })) : [];
}

/** Earlier versions did not record them. */
function ratesOf({ learningRates }: Partial<EpochSummary>): readonly number[] {
  return Array.isArray(learningRates) ? learningRates.filter((rate) => typeof rate === 'number') : [];
}
