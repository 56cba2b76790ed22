// Gate: held-out samples, which are never learned and decide whether a candidate may serve.
import { createHash } from 'node:crypto';
import { bytesOf, sizeOf, type Values } from '../../core/sample-values';
import { type Dataset, openDataset } from '../../datasets';
import type { DatasetHandle, StateHandle } from '../../native/handles';
import { runJob } from '../../native/job';
import { native } from '../../native/native';
import type { RunPlan } from '../../native/plans';
import type { HeldOutScore } from './version';

export class Gate {
  /** SHA-256 of all held-out samples and their labels. */
  readonly sha256: string;
  readonly #dataset: DatasetHandle;
  /** Held-out samples by the checksums of their bytes. */
  readonly #known = new Map<number, Uint8Array[]>();

  private constructor(dataset: DatasetHandle) {
    this.#dataset = dataset;
    const digest = createHash('sha256');
    const { length, shape } = native().datasetInfo(dataset);
    const size = sizeOf(shape);
    // In parts, to bound the memory of the copies.
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

  /** Whether a sample is held out. */
  holds(sample: Values): boolean {
    const bytes = bytesOf(sample);
    const alike = this.#known.get(native().crc32c([bytes]));
    return alike?.some((known) => Buffer.compare(known, bytes) === 0) ?? false;
  }

  /** `notFinite`: samples without finite outputs. They count as wrong. */
  async evaluate(
    plan: Omit<RunPlan, 'dataset' | 'state'>,
    state: StateHandle,
  ): Promise<{ evaluation: HeldOutScore; notFinite: number }> {
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
