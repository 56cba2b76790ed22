// Gate: held-out samples, which are never learned and decide whether a candidate may serve.
import { createHash } from 'node:crypto';
import { LearnError } from '../../core/errors';
import { bytesOf, type InputForm, part, type SampleForm, sizeOf, type Values } from '../../core/sample-values';
import { type Dataset, openDataset } from '../../datasets';
import type { DatasetHandle, StateHandle } from '../../native/handles';
import { runJob } from '../../native/job';
import { native } from '../../native/native';
import type { EvaluatePlan, RunPlan, TransformsPlan } from '../../native/plans';
import type { Model } from '../../program/module';
import { inputOrder } from '../../training/inputs';
import { formText, indicesOf } from '../sample-form';
import type { HeldOutScore } from './version';

export class Gate {
  /** SHA-256 of all held-out samples and their labels. */
  readonly sha256: string;
  readonly #dataset: DatasetHandle;
  readonly #form: SampleForm;
  /** Held-out samples by the checksums of their first inputs, each as the bytes of all of its inputs. */
  readonly #known = new Map<number, Uint8Array[][]>();

  private constructor(dataset: DatasetHandle) {
    this.#dataset = dataset;
    const digest = createHash('sha256');
    const { length, ...form } = native().datasetInfo(dataset);
    this.#form = form;
    const sizes = form.inputs.map(({ shape }) => sizeOf(shape));
    // In parts, to bound the memory of the copies.
    for (let first = 0; first < length; first += 256) {
      const count = Math.min(256, length - first);
      const { inputs, targets } = native().datasetSamples(dataset, first, count);
      for (const values of [...inputs, targets]) digest.update(bytesOf(values));
      for (let i = 0; i < count; i++) {
        this.#remember(inputs.map((values, k) => bytesOf(part(values, i * sizes[k]!, (i + 1) * sizes[k]!).slice())));
      }
    }
    this.sha256 = digest.digest('hex');
  }

  static async open(heldOut: Dataset): Promise<Gate> {
    return new Gate(await openDataset(heldOut));
  }

  #remember(sample: Uint8Array[]): void {
    const checksum = native().crc32c(sample.slice(0, 1));
    const alike = this.#known.get(checksum);
    if (alike) alike.push(sample);
    else this.#known.set(checksum, [sample]);
  }

  /** True if a sample is held out. `forms`: of its inputs. */
  holds(inputs: readonly Values[], forms: readonly InputForm[]): boolean {
    const bytes = indicesOf(this.#form.inputs, forms)?.map((index) => bytesOf(inputs[index]!));
    if (!bytes) return false;
    const alike = this.#known.get(native().crc32c(bytes.slice(0, 1)));
    return alike?.some((known) => known.every((values, i) => Buffer.compare(values, bytes[i]!) === 0)) ?? false;
  }

  /** The part of a run on the held-out samples that follows from their inputs. Throws ERR_SHAPE if they are other samples. */
  runOn(model: Model, sample: SampleForm, scoring: TransformsPlan): Pick<RunPlan, 'transforms' | 'order'> {
    const indices = indicesOf(this.#form.inputs, sample.inputs);
    const isAlike = indices && this.#form.target.kind === sample.target.kind;
    if (!isAlike) {
      const expected = `${formText(sample)}, as the learner's, for "gate.heldOut"`;
      throw new LearnError('ERR_SHAPE', `Expected ${expected} but they are ${formText(this.#form)}`);
    }
    const transforms = indices.map((index) => scoring[index]!);
    return { transforms, order: inputOrder(model, this.#form.inputs, transforms) };
  }

  /** `notFinite`: samples without finite outputs. They count as wrong. */
  async evaluate(
    plan: Omit<EvaluatePlan, 'dataset' | 'state'>,
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
