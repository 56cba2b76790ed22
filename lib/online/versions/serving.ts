// The weights that serve: a version, if held-out samples decide about versions; otherwise the weights that learn, from a copy that is
// made when somebody asks and they have changed. Rules of the copy:
//
// 1. A copy is made only for a prediction: after an operation, if there was one since the last copy.
// 2. A prediction gets the weights of the last operation that ended, or later ones. If nobody asked since then there is no copy of
//    them, and it waits for the operation that is running, its record included. Its end makes one, for which the next operation waits.
// 3. After a failure memory may be ahead of the journal, or half changed: the last whole copy stays, or else the version.
import type { State } from '../../state/state';
import { Served, type ServedVersion } from './served';

type Use<Result> = (state: State, version: ServedVersion) => Promise<Result>;

/** What serves besides the version. */
export interface Live {
  /** A copy of the weights. No operation runs meanwhile. */
  copy(): Promise<State>;
  /** Their name, when no operation is running. */
  version(): ServedVersion;
}

export class Serving {
  readonly #live: Live | undefined;
  #durable: Served;
  #durableState: State;
  /** The copy that is whole, and the one that is being made. */
  #copy: Served | undefined;
  #next: Served | undefined;
  /** The weights have changed since the copy; or will have when the operation that is running ends. */
  #isOld = true;
  #isChanging = false;
  /** There was a prediction since the copy. */
  #isWanted = false;
  #isFrozen = false;
  #running: Promise<unknown> | undefined;
  #copying: Promise<unknown> | undefined;

  /** `state`: that of the version, disposed with it; `live`: undefined, the version itself serves. */
  constructor(state: State, version: ServedVersion, live: Live | undefined) {
    this.#live = live;
    this.#durableState = state;
    this.#durable = new Served(state, version);
  }

  /** The state of the version that serves, or that was made last. */
  get durable(): State {
    return this.#durableState;
  }

  /** Another version serves. Predictions under way keep the previous one. */
  replace(state: State, version: ServedVersion): void {
    this.#durable.retire();
    this.#durableState = state;
    this.#durable = new Served(state, version);
  }

  /** Also within an operation, which must not wait for its own end. */
  readDurable<Result>(use: Use<Result>): Promise<Result> {
    return this.#durable.read(use);
  }

  async read<Result>(use: Use<Result>): Promise<Result> {
    const live = this.#live;
    if (!live) return this.#durable.read(use);
    this.#isWanted = true;
    while (this.#isOld && this.#running && !this.#isFrozen) await this.#running.catch(() => {});
    if (this.#isOld && !this.#isFrozen) this.#renew(live);
    return (this.#next ?? this.#copy ?? this.#durable).read(use);
  }

  /** Runs an operation that may change the weights. One at a time. */
  async during<Result>(operation: () => Promise<Result>): Promise<Result> {
    const running = this.#copying ? this.#copying.then(operation) : operation();
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
      this.#isOld ||= this.#isChanging;
      this.#isChanging = false;
      if (this.#live && this.#isOld && this.#isWanted && !this.#isFrozen) this.#renew(this.#live);
    }
  }

  /** The weights that learn, or their name, have changed; during an operation, as soon as it ends. */
  changed(): void {
    if (this.#running) this.#isChanging = true;
    else this.#isOld = true;
  }

  /** By rule 3. */
  freeze(): void {
    this.#isFrozen = true;
  }

  #renew(live: Live): void {
    const state = live.copy();
    const copy = new Served(state, live.version());
    this.#next = copy;
    this.#isOld = false;
    this.#isWanted = false;
    this.#copying = state.then(
      () => {
        this.#copying = undefined;
        this.#next = undefined;
        this.#copy?.retire();
        this.#copy = copy;
      },
      () => {
        this.#copying = undefined;
        this.#next = undefined;
        // A shortage of memory: the next prediction tries again.
        this.#isOld = true;
      },
    );
  }

  dispose(): void {
    this.freeze();
    this.#durable.retire();
    this.#copy?.retire();
    this.#next?.retire();
  }
}
