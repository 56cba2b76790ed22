// Starts an engine, and frees it, or its state machine, if something fails before the learner is open.
import type { Engine } from '../engine';
import type { StateMachine } from '../state-machine';

/** The engine after its first work. */
export async function started(engine: Engine, work: () => Promise<void>): Promise<Engine> {
  try {
    await work();
    return engine;
  } catch (cause) {
    await engine.release();
    throw cause;
  }
}

/** Disposes the machine if `work` fails. */
export async function orDispose<Result>(
  machine: StateMachine | (() => StateMachine),
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    (typeof machine === 'function' ? machine() : machine).dispose();
    throw cause;
  }
}
