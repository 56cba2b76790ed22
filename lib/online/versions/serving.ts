// The version that serves. A reader sees one version throughout, even if another replaces it meanwhile.
import type { State } from '../../state/state';

/** Its state is disposed when it is retired and no longer read. */
export class Served {
  readonly state: State;
  readonly version: number;
  #readers = 0;
  #retired = false;

  constructor(state: State, version: number) {
    this.state = state;
    this.version = version;
  }

  async read<Result>(use: (state: State) => Promise<Result>): Promise<Result> {
    this.#readers++;
    try {
      return await use(this.state);
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
    if (this.#retired && this.#readers === 0) this.state.dispose();
  }
}
