// The weights that serve. A reader sees the same ones throughout, even if others replace them meanwhile.
import type { State } from '../../state/state';

/** The weights that answered a prediction. */
export interface ServedVersion {
  /** The version that they are, or that they were learned from. */
  durable: number;
  /** Updates that the learner had made when it got them; of a version that is served again, when it was made. */
  updates: number;
}

/** Its state is disposed when it is retired and no longer read. */
export class Served {
  readonly version: ServedVersion;
  readonly #state: Promise<State>;
  #readers = 0;
  #retired = false;

  /** A `state` that rejects rejects all that read it. */
  constructor(state: State | Promise<State>, version: ServedVersion) {
    this.version = version;
    this.#state = Promise.resolve(state);
    this.#state.catch(() => {});
  }

  async read<Result>(use: (state: State, version: ServedVersion) => Promise<Result>): Promise<Result> {
    this.#readers++;
    try {
      return await use(await this.#state, this.version);
    } finally {
      this.#readers--;
      this.#end();
    }
  }

  retire(): void {
    this.#retired = true;
    this.#end();
  }

  #end(): void {
    if (!this.#retired || this.#readers > 0) return;
    this.#state.then(
      (state) => state.dispose(),
      () => {},
    );
  }
}
