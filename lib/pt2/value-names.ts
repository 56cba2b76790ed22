// Names of a program's values: each is given once, whatever the graphs call theirs.
export class ValueNames {
  readonly #taken: Set<string>;

  /** `taken`: names of inputs and of tensors. */
  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  /** Returns `wanted`, or where that is taken another name like it. */
  define(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.#taken.has(name); count++) name = `${wanted}:${count}`;
    this.#taken.add(name);
    return name;
  }
}
