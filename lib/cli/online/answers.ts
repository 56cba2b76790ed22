// Answers of the learner to requests, as plain values for a line of JSON.
import type { InputForm } from '../../core/sample-values';
import type { LearnResult } from '../../online/intake/queue';
import type { OnlineLearner } from '../../online/learner';
import type { SampleId } from '../../online/seen-ids';
import { named } from './inputs';
import { Predictions } from './predictions';
import type { Request } from './requests';

/** Rejects with the mistakes of a peer. */
export class Answers {
  readonly #learner: OnlineLearner;
  readonly #forms: readonly InputForm[];
  readonly #predictions: Predictions;
  readonly #fail: (cause: unknown) => void;

  /** `fail` is called with a failure that the learner cannot recover from. */
  constructor(learner: OnlineLearner, fail: (cause: unknown) => void) {
    this.#learner = learner;
    this.#forms = learner.sample.inputs;
    this.#predictions = new Predictions(learner);
    this.#fail = fail;
  }

  /** Resolves when no prediction is running. */
  get predicted(): Promise<void> {
    return this.#predictions.running;
  }

  async to(request: Request): Promise<object> {
    switch (request.kind) {
      case 'learn': {
        const { id, target } = request;
        const samples = {
          inputs: named(request.inputs, this.#forms),
          ...(typeof target === 'number' ? { labels: [target] } : { targets: target }),
          ...(id !== undefined && { ids: [id] }),
        };
        return learned(id, await this.#guarded(this.#learner.learn(samples)));
      }
      case 'predict': {
        const { id, ...predicted } = await this.#predictions.predict(request.inputs);
        // The peer's own id says which line this answers; the learner knows the prediction by its own.
        if (request.id === undefined) return { id, ...predicted };
        return { id: request.id, ...predicted, feedback: id };
      }
      case 'feedback':
        return learned(request.id, await this.#guarded(this.#learner.feedback(String(request.id), request.target)));
      case 'metrics':
        return { metrics: this.#learner.metrics() };
      case 'versions':
        return { versions: this.#learner.versions() };
      case 'publish':
        return { publish: (await this.#guarded(this.#learner.publish())).version };
      case 'rollback':
        return { rollback: (await this.#guarded(this.#learner.rollback(request.version))).version };
      case 'save':
        await this.#learner.save(request.path);
        return { save: request.path, version: this.#learner.metrics().version };
    }
  }

  /** Reports a failure of the learner itself. A request that fails, as with a damaged version, does not end the learner. */
  async #guarded<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (cause) {
      const { failure } = this.#learner;
      if (failure) this.#fail(failure.cause);
      throw cause;
    }
  }
}

/** `loss` and `correct`: of the prediction before the sample was learned; `reason`: why it was not learned. */
function learned(id: SampleId | undefined, result: LearnResult) {
  const { version, prequential, duplicates, quarantined, unknown, drift, reasons } = result;
  const [reason] = reasons;
  return {
    ...{ id, version },
    ...(prequential.samples > 0 && { loss: prequential.loss, correct: prequential.correct === prequential.samples }),
    ...(duplicates > 0 && { duplicate: true }),
    ...(quarantined > 0 && { quarantined: true }),
    ...(reason && { reason: { code: reason.code, message: reason.message } }),
    ...(drift && { drift: true }),
    ...(unknown > 0 && { unknown: true }),
  };
}
