// Splits a stream of bytes into lines. The bytes of a line that is too long are counted, not kept.
export interface Line {
  /** From 1. */
  number: number;
  /** Without the newline; undefined: the line is too long. Valid until the next line is requested. */
  bytes: Uint8Array | undefined;
}

export interface LineLimits {
  /** Bytes of a line. */
  longest: number;
  /** Bytes of the beginning of a line that are kept without calling `mayGrow`. Default: `longest`. */
  unasked?: number;
  /** Called once a line, before more of its beginning is kept. Resolves with whether reading continues. */
  mayGrow?: () => Promise<boolean>;
}

export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  { longest, unasked = longest, mayGrow = async () => true }: LineLimits,
): AsyncGenerator<Line> {
  const unfinished = new Unfinished(longest);
  let hasAsked = false;
  const mayTake = async (more: number) => {
    const length = unfinished.length + more;
    if (hasAsked || length <= unasked || length > longest) return true;
    hasAsked = true;
    return mayGrow();
  };
  let number = 1;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const rest = chunk.subarray(start, end);
      if (unfinished.length > 0 && !(await mayTake(rest.length))) return;
      // The sender of a line that is too long is answered before its end.
      const isAnswered = unfinished.isTooLong;
      const bytes = unfinished.end(rest);
      if (!isAnswered) yield { number, bytes };
      hasAsked = false;
      number++;
      start = end + 1;
    }
    const rest = chunk.subarray(start);
    const wasTooLong = unfinished.isTooLong;
    if (!(await mayTake(rest.length))) return;
    unfinished.add(rest);
    if (unfinished.isTooLong && !wasTooLong) yield { number, bytes: undefined };
  }
  if (unfinished.length > 0 && !unfinished.isTooLong) yield { number, bytes: unfinished.end(nothing) };
}

const nothing = new Uint8Array(0);
const firstRoom = 1024;

/** A line whose end has not arrived. */
class Unfinished {
  /** Bytes that arrived, kept or not. */
  length = 0;
  readonly #longest: number;
  /** One array: in a list, the single bytes of a slow sender would take hundreds of times their size. */
  #kept = nothing;

  constructor(longest: number) {
    this.#longest = longest;
  }

  get isTooLong(): boolean {
    return this.length > this.#longest;
  }

  add(part: Uint8Array): void {
    const before = this.length;
    this.length += part.length;
    if (this.isTooLong) {
      this.#kept = nothing;
      return;
    }
    if (this.length > this.#kept.length) {
      const larger = Math.max(this.length, 2 * this.#kept.length, firstRoom);
      const kept = new Uint8Array(Math.min(this.#longest, larger));
      kept.set(this.#kept.subarray(0, before));
      this.#kept = kept;
    }
    this.#kept.set(part, before);
  }

  /** Ends the line with `rest` and returns it; undefined: it is too long. The next bytes belong to another line. */
  end(rest: Uint8Array): Uint8Array | undefined {
    const isInOnePiece = this.length === 0 && rest.length <= this.#longest;
    if (!isInOnePiece) this.add(rest);
    const bytes = isInOnePiece ? rest : this.isTooLong ? undefined : this.#kept.subarray(0, this.length);
    this.length = 0;
    this.#kept = nothing;
    return bytes;
  }
}
