// The native part of a learner: weights, optimizer, random numbers and replay buffer, and the operations on them.
import { fromNative, learnErrorOf } from '../core/errors';
import type { LearnerHandle } from '../native/handles';
import { type NativeLearnerState, type NativeUpdate, native } from '../native/native';
import type { LearnerPlan } from '../native/plans';
import { modulesOf } from '../state/create';
import { makeState, type State, stateHandle } from '../state/state';
import type { LearnerContext } from './context';
import type { BatchRecord } from './storage/records';

export class NativeLearner {
  readonly #handle: LearnerHandle;
  readonly #context: LearnerContext;

  private constructor(handle: LearnerHandle, context: LearnerContext) {
    this.#handle = handle;
    this.#context = context;
  }

  /** `state`: the weights to learn from. */
  static async make(context: LearnerContext, state: State, start: LearnerPlan['start']): Promise<NativeLearner> {
    const { model, program, settings, groups, loss, sample, order, transforms, scoring, niceness } = context;
    const plan: LearnerPlan = {
      ...settings,
      ...sample,
      ...{ loss, program, groups, order, transforms, scoring, niceness, state: stateHandle(state) },
      names: model.tensors.map(({ name }) => name),
      average: settings.average ?? undefined,
      ...(start && { start }),
    };
    return new NativeLearner(await fromNative(() => native().makeLearner(plan)), context);
  }

  /**
   * One update, with `replayed` samples of the replay buffer, at `rate` times the learning rates. `served`: scores the new samples;
   * undefined: the weights that learn do.
   */
  async update(
    { rules, inputs, targets, fresh }: BatchRecord,
    served: State | undefined,
    { replayed, rate }: { replayed: number; rate: number },
  ): Promise<NativeUpdate> {
    const scoring = served && { served: stateHandle(served) };
    const plan = { rules, inputs, targets, ...scoring, replayed, rate, keep: fresh };
    try {
      return await native().learnerUpdate(this.#handle, plan);
    } catch (cause) {
      // No stack is recorded before, which takes longer than to start: updates are the learner's calls, not the user's.
      throw learnErrorOf(cause);
    }
  }

  /** A copy of the current weights: of their average, where there is one. Without the names of the classes. */
  async weights(): Promise<State> {
    const handle = await fromNative(() => native().learnerWeights(this.#handle));
    return makeState(handle, modulesOf(this.#context.model));
  }

  /** A copy of everything that a snapshot records. The caller disposes its handles. */
  tensors(): Promise<NativeLearnerState> {
    return fromNative(() => native().learnerState(this.#handle));
  }

  async replaceWeights(state: State): Promise<void> {
    await fromNative(() => native().learnerReplaceWeights(this.#handle, stateHandle(state)));
  }

  async clearReplay(): Promise<void> {
    await fromNative(() => native().learnerClearReplay(this.#handle));
  }

  dispose(): void {
    native().disposeLearner(this.#handle);
  }
}
