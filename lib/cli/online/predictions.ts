// Batches of predictions: samples that arrive while others are being predicted share the next call. 128 of them take a tenth of the
// time of 128 concurrent calls.
import { LearnError } from '../../core/errors';
import { joined, type SampleForm, sizeOf, type Values } from '../../core/sample-values';
import type { OnlineLearner } from '../../online/learner';
import type { ServedVersion } from '../../online/versions/served';
import { named } from './inputs';

export interface Predicted {
  /** For feedback(); undefined: predictions are not remembered. */
  id: string | undefined;
  /** Where targets are classes. */
  label?: number;
  version: ServedVersion;
  logits: number[];
  /** Of the logits, where targets are of another kind. */
  shape?: number[];
}

interface Waiting {
  inputs: readonly Values[];
  resolve: (predicted: Predicted) => void;
  reject: (cause: unknown) => void;
}

const most = 256;

export class Predictions {
  readonly #learner: OnlineLearner;
  readonly #form: SampleForm;
  #waiting: Waiting[] = [];
  /** Resolves when none is running. */
  running: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(learner: OnlineLearner) {
    this.#learner = learner;
    this.#form = learner.sample;
  }

  predict(inputs: readonly Values[]): Promise<Predicted> {
    const forms = this.#form.inputs;
    for (const [i, { name, shape }] of forms.entries()) {
      const [size, { length }] = [sizeOf(shape), inputs[i]!];
      if (length === size) continue;
      const field = forms.length === 1 ? 'input' : `inputs.${name}`;
      const expected = `Expected ${size} values for "${field}", of shape [${shape.join(', ')}]`;
      return Promise.reject(new LearnError('ERR_SHAPE', `${expected}, but there are ${length}`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ inputs, resolve, reject });
      if (!this.#isRunning) this.running = this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Lines of one chunk are predicted together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#predict(this.#waiting.splice(0, most));
    this.#isRunning = false;
  }

  /** Never rejects. */
  async #predict(together: readonly Waiting[]): Promise<void> {
    const { inputs: forms, target } = this.#form;
    const field = forms.length === 1 ? 'input' : 'inputs';
    try {
      const inputs = forms.map((_, k) => joined(together.map((one) => one.inputs[k]!)));
      const { ids, logits, labels, shape, version } = await this.#learner.predict(named(inputs, forms));
      const size = logits.length / together.length;
      for (const [i, { resolve, reject }] of together.entries()) {
        const row = Array.from(logits.subarray(i * size, (i + 1) * size));
        const about = target.kind === 'class' ? { label: labels[i]! } : { shape: shape.slice(1) };
        // JSON has no NaN, and the label would be meaningless.
        if (row.every(Number.isFinite)) resolve({ id: ids[i], ...about, version, logits: row });
        else
          reject(
            new LearnError(
              'ERR_NOT_FINITE',
              `The model gives NaN or infinity for "${field}"; are all its values finite?`,
            ),
          );
      }
    } catch (cause) {
      if (together.length === 1 || (cause as LearnError).code !== 'ERR_TORCH') {
        for (const { reject } of together) reject(cause);
        return;
      }
      // The model fails on some sample, such as one with an index beyond its embedding. The others are answered.
      const half = together.length >>> 1;
      await this.#predict(together.slice(0, half));
      await this.#predict(together.slice(half));
    }
  }
}
