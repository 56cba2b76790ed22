// Batches of predictions: samples that arrive while others are being predicted share the next call. 128 of them take a tenth of the
// time of 128 concurrent calls.
import { LearnError } from '../../core/errors';
import { joined, sizeOf, type Values } from '../../core/sample-values';
import type { OnlineLearner } from '../../online/learner';

export interface Predicted {
  /** For feedback(); undefined: predictions are not remembered. */
  id: string | undefined;
  label: number;
  version: number;
  logits: number[];
}

interface Waiting {
  input: Values;
  resolve: (predicted: Predicted) => void;
  reject: (cause: unknown) => void;
}

const most = 256;

export class Predictions {
  readonly #learner: OnlineLearner;
  readonly #size: number;
  #waiting: Waiting[] = [];
  /** Resolves when none is running. */
  running: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(learner: OnlineLearner) {
    this.#learner = learner;
    this.#size = sizeOf(learner.sample.shape);
  }

  predict(input: Values): Promise<Predicted> {
    if (input.length !== this.#size) {
      const { shape } = this.#learner.sample;
      const expected = `Expected ${this.#size} values for "input", of shape [${shape.join(', ')}]`;
      return Promise.reject(new LearnError('ERR_SHAPE', `${expected}, but there are ${input.length}`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject });
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
    try {
      const inputs = joined(together.map(({ input }) => input));
      const { ids, logits, labels, version } = await this.#learner.predict(inputs);
      const classes = logits.length / labels.length;
      for (const [i, { resolve, reject }] of together.entries()) {
        const row = Array.from(logits.subarray(i * classes, (i + 1) * classes));
        // JSON has no NaN, and the label would be meaningless.
        if (row.every(Number.isFinite)) resolve({ id: ids[i], label: labels[i]!, version, logits: row });
        else
          reject(
            new LearnError('ERR_NOT_FINITE', 'The model gives NaN or infinity for "input"; are all its values finite?'),
          );
      }
    } catch (cause) {
      for (const { reject } of together) reject(cause);
    }
  }
}
