// Answers of a learner to a drift, as its state: for how many updates they last, and how those differ.
import type { LearnerState } from './storage/learner-state';

export const driftAnswers = ['report', 'boostReplay', 'resetReplay', 'raiseLearningRate', 'rollback'] as const;

/**
 * Answer of a learner to a drift. `'report'`: none. `'boostReplay'`: the next 100 updates replay twice as many samples.
 * `'resetReplay'`: the replay buffer is emptied, so that it does not teach what was true before. `'raiseLearningRate'`: the next 100
 * updates have twice the learning rate. `'rollback'`: resumes from the version that serves, or was made last.
 */
export type DriftAnswer = (typeof driftAnswers)[number];

/** An answer that lasts: this many updates replay this many times as many samples, or have this many times the learning rate. */
const lasting = { updates: 100, factor: 2 };

type Lasting = Pick<LearnerState, 'boosted' | 'raised'>;

/** Begins an answer, if it is one that lasts. */
export function beginAnswer(state: Lasting, answer: DriftAnswer): void {
  if (answer === 'boostReplay') state.boosted = lasting.updates;
  if (answer === 'raiseLearningRate') state.raised = lasting.updates;
}

/** The next update: how many samples it replays, and what its learning rates are multiplied by. */
export function nextUpdate({ boosted, raised = 0 }: Lasting, perUpdate: number): { replayed: number; rate: number } {
  return {
    replayed: boosted > 0 ? perUpdate * lasting.factor : perUpdate,
    rate: raised > 0 ? lasting.factor : 1,
  };
}

/** An update was made. */
export function countAnswered(state: Lasting): void {
  state.boosted = Math.max(0, state.boosted - 1);
  if (state.raised !== undefined) state.raised = Math.max(0, state.raised - 1);
}
