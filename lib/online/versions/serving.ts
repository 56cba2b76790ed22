// The version that serves. Whoever reads it sees one version whole, also if another takes its place meanwhile.
import type { State } from '../../state/state';

/** Lives as long as somebody reads it. */
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
