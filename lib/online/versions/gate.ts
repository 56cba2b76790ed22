// Whether a candidate may serve: by samples that are never learned.
import { createHash } from 'node:crypto';
import { fromNative } from '../../core/errors';
import { bytesOf, sizeOf, type Values } from '../../core/sample-values';
import { type Dataset, openDataset } from '../../datasets';
import type { DatasetHandle, StateHandle } from '../../native/handles';
import { runJob } from '../../native/job';
import { native } from '../../native/native';
import type { RunPlan } from '../../native/plans';
import { type State, stateHandle } from '../../state/state';
import type { Setting } from '../context';
import type { Settings } from '../options';
import type { VerdictRecord } from '../storage/records';
import { digestOf, type VersionInfo } from './files';

export interface Evaluation {
  accuracy: number;
  /** NaN where there are no samples of a class. */
  perClass: number[];
}

/** What versions are measured by: the best that ever served. */
export type Baseline = Evaluation | null;

export class Gate {
  /** Of all held-out samples and their labels. */
  readonly sha256: string;
  readonly #dataset: DatasetHandle;
  /** How often each checksum of a held-out sample's bytes occurs, with the samples that have it. */
  readonly #known = new Map<number, Uint8Array[]>();

  private constructor(dataset: DatasetHandle) {
    this.#dataset = dataset;
    const digest = createHash('sha256');
    const { length, shape } = native().datasetInfo(dataset);
    const size = sizeOf(shape);
    // In parts, so that no copy is as large as the whole.
    for (let first = 0; first < length; first += 256) {
      const { inputs, labels } = native().datasetSamples(dataset, first, Math.min(256, length - first));
      digest.update(inputs).update(labels);
      for (let at = 0; at < inputs.length; at += size) this.#remember(bytesOf(inputs.slice(at, at + size)));
    }
    this.sha256 = digest.digest('hex');
  }

  static async open(heldOut: Dataset): Promise<Gate> {
    return new Gate(await openDataset(heldOut));
  }

  #remember(sample: Uint8Array): void {
    const checksum = native().crc32c([sample]);
    const alike = this.#known.get(checksum);
    if (alike) alike.push(sample);
    else this.#known.set(checksum, [sample]);
  }

  /** Whether a sample is one of those held out. */
  holds(sample: Values): boolean {
    const bytes = bytesOf(sample);
    const alike = this.#known.get(native().crc32c([bytes]));
    return alike?.some((known) => Buffer.compare(known, bytes) === 0) ?? false;
  }

  /** `notFinite`: samples for which the outputs name no class. They count as wrong. */
  async evaluate(
    plan: Omit<RunPlan, 'dataset' | 'state'>,
    state: StateHandle,
  ): Promise<{ evaluation: Evaluation; notFinite: number }> {
    const job = () => native().evaluate({ ...plan, state, dataset: this.#dataset });
    const { confusion, samples, notFinite } = await runJob(job, {});
    const classes = notFinite.length;
    const rows = Array.from({ length: classes }, (_, row) => confusion.subarray(row * classes, (row + 1) * classes));
    const correct = rows.map((row, label) => row[label]!);
    const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
    const perClass = rows.map((row, label) => correct[label]! / (sum(row) + notFinite[label]!));
    return { evaluation: { accuracy: sum(correct) / samples, perClass }, notFinite: sum(notFinite) };
  }

  dispose(): void {
    native().disposeDataset(this.#dataset);
  }
}

/** Why a candidate may not serve; empty: it may. */
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

/** What later versions are measured by where this one serves. */
export function baselineOf({ accuracy, perClass }: VersionInfo): Baseline {
  return accuracy === null ? null : { accuracy, perClass: perClass.map((share) => share ?? Number.NaN) };
}

/** Whichever is right more often. */
export function better(candidate: Evaluation, best: Baseline): Evaluation {
  if (!best) return candidate;
  return candidate.accuracy > best.accuracy ? candidate : best;
}

/** On the held-out samples, which there must be. */
export async function evaluationOn(state: State, setting: Setting): Promise<Evaluation> {
  return (await measure(state, setting)).evaluation;
}

type Measured = Awaited<ReturnType<Gate['evaluate']>>;

function measure(state: State, { program, settings, scoring, gate }: Setting): Promise<Measured> {
  const { batchSize, threads } = settings;
  return gate!.evaluate({ program, transforms: scoring, batchSize, threads, device: 'cpu' }, stateHandle(state));
}

/** Whether a candidate may serve, where `best` is what versions are measured by. */
export async function verdictOn(
  candidate: State,
  best: Baseline,
  setting: Setting,
  created: number,
): Promise<VerdictRecord> {
  const sha256 = await digestOf(stateHandle(candidate));
  const verdict = { kind: 'verdict' as const, accuracy: null, perClass: [], sha256, created };
  const stats = await fromNative(() => native().stateStats(stateHandle(candidate)));
  if (stats.some(({ nan, infinite }) => nan + infinite > 0)) {
    return { ...verdict, accepted: false, reason: 'a weight is not finite' };
  }
  if (!setting.gate) return { ...verdict, accepted: true, reason: '' };
  const measured = await measure(candidate, setting);
  const reason = objection(measured, best, setting.settings.gate);
  return { ...verdict, ...measured.evaluation, accepted: reason === '', reason };
}
