// Names of a program's values: each is given once, whatever the graphs call theirs.
export class ValueNames {
  readonly #taken: Set<string>;
  /** The number that was last tried for a name: graphs may use one as often as they have nodes. */
  readonly #counts = new Map<string, number>();

  /** `taken`: names of inputs and of tensors. */
  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** Returns `wanted`, or where that is taken another name like it. */
  define(wanted: string): string {
    let name = wanted;
    let count = this.#counts.get(wanted) ?? 1;
    while (this.#taken.has(name)) name = `${wanted}:${++count}`;
    if (count > 1) this.#counts.set(wanted, count);
    this.#taken.add(name);
    return name;
  }
}
