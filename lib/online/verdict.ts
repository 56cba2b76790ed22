// Judges candidates by the held-out samples: whether the current weights may serve.
import { fromNative } from '../core/errors';
import { native } from '../native/native';
import { type State, stateHandle } from '../state/state';
import type { LearnerContext } from './context';
import type { Settings } from './settings';
import type { VerdictRecord } from './storage/records';
import { digestOf } from './versions/files';
import type { Gate } from './versions/gate';
import type { Baseline, HeldOutScore } from './versions/version';

/** The score of a state on the held-out samples, which must exist. */
export async function evaluationOn(state: State, context: LearnerContext): Promise<HeldOutScore> {
  return (await measure(state, context)).evaluation;
}

type Measured = Awaited<ReturnType<Gate['evaluate']>>;

function measure(
  state: State,
  { model, program, sample, settings, loss, scoring, gate }: LearnerContext,
): Promise<Measured> {
  const { batchSize, threads } = settings;
  const { transforms, order } = gate!.runOn(model, sample, scoring);
  const plan = { program, order, transforms, loss, sums: [], batchSize, threads, device: 'cpu' };
  return gate!.evaluate(plan, stateHandle(state));
}

/** The verdict on a candidate, compared with `best`. */
export async function verdictOn(
  candidate: State,
  best: Baseline,
  context: LearnerContext,
  created: number,
): Promise<VerdictRecord> {
  const sha256 = await digestOf(stateHandle(candidate));
  const verdict = { kind: 'verdict' as const, accuracy: null, perClass: [], sha256, created };
  const stats = await fromNative(() => native().stateStats(stateHandle(candidate)));
  if (stats.some(({ nan, infinite }) => nan + infinite > 0)) {
    return { ...verdict, accepted: false, reason: 'a weight is not finite' };
  }
  if (!context.gate) return { ...verdict, accepted: true, reason: '' };
  const measured = await measure(candidate, context);
  const reason = objection(measured, best, context.settings.gate);
  return { ...verdict, ...measured.evaluation, accepted: reason === '', reason };
}

/** The reason to refuse a candidate; empty: it may serve. */
function objection(
  { evaluation: candidate, notFinite }: Measured,
  best: Baseline,
  { maxDrop, perClassMaxDrop }: Settings['gate'],
): string {
  if (notFinite > 0) return `its outputs are not finite for ${notFinite} of the held-out samples`;
  if (!best) return '';
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  if (candidate.accuracy < best.accuracy - maxDrop) {
    return `accuracy ${percent(candidate.accuracy)} is more than ${percent(maxDrop)} below ${percent(best.accuracy)}`;
  }
  const worse = candidate.perClass.findIndex((accuracy, label) => accuracy < best.perClass[label]! - perClassMaxDrop);
  if (worse < 0) return '';
  return (
    `accuracy ${percent(candidate.perClass[worse]!)} of class ${worse} is more than ${percent(perClassMaxDrop)} below ` +
    percent(best.perClass[worse]!)
  );
}
